/* tank_figure.h: a tank's analysis: pulses, charges, and the time between a muon and its electron with the lifetime
 * that fits. */
#ifndef PLOT_TANK_FIGURE_H
#define PLOT_TANK_FIGURE_H

#include <stdio.h>

#include "enrgdaq/error.h"
#include "plot/tank_pulses.h"

#define TANK_FIGURE "tank"

struct tank_figure_params {
	struct tank_pulses_params pulses;
	const char *truth;  /* a table of truth (.arrows); NULL: none */
	const char *folder; /* of the figure; created */
	double from_ns;     /* shortest time between both pulses: the first one has to be over */
	double until_ns;    /* longest; a muon with another pulse this long before it is no pair's first one */
	double dead_ns;     /* of the board, behind a record */
};

/* Draws TANK_FIGURE, and prints what was found to `out`. -ENODATA: too few pairs; errors of tank_pulses_read,
 * tank_truth_read and sheet_draw. */
int tank_figure_draw(const struct tank_figure_params *params, FILE *out, struct enrg_error *err);

#endif

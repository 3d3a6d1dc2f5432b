/* history_figure.h: how series went, a panel each. One thread. */
#ifndef PLOT_HISTORY_FIGURE_H
#define PLOT_HISTORY_FIGURE_H

#include <stdio.h>

#include "enrgdaq/history.h"

#define HISTORY_FIGURE     "history"
#define HISTORY_FIGURE_MAX 12u /* series */

/* Draws HISTORY_FIGURE into `folder` (created), and prints where it is to `out`. `source`: where the series come from,
 * for its footer. -E2BIG: more than HISTORY_FIGURE_MAX; -ENODATA: none; errors of sheet_draw. */
int history_figure_draw(const struct enrg_history_result *result, const char *source, const char *folder, FILE *out,
	struct enrg_error *err);

#endif

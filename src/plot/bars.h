/* bars.h: bars with a text at each and texts below them. One thread. */
#ifndef PLOT_BARS_H
#define PLOT_BARS_H

#include "plot/figure.h"

struct bar {
	double value;      /* NAN: none, and a text says so */
	const char *color; /* "#rrggbb" */
	char lines[2][48]; /* at the bar's end */
	char below[2][64]; /* below the axis */
};

/* A linear axis from 0 where all can be read on it, else a log axis; with room for texts above the highest. What is not
 * positive counts for nothing. */
struct axis bars_choose_axis(const struct bar *bars, size_t count, double reference);

/* The horizontal axis: bar i at i + 1. */
struct axis bars_axis(size_t count);

/* Sets figure->x, writes axes, data and texts, and returns gnuplot's command. figure->y is set before. The texts keep
 * off a line at `reference` (NAN: none). */
const char *bars_write(struct figure *figure, const struct bar *bars, size_t count, double reference);

#endif

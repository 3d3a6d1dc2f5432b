/* bins.h: the counts of one histogram, of this run and of the one before, and how it finds its range. One thread. */
#ifndef HISTOGRAM_BINS_H
#define HISTOGRAM_BINS_H

#include "enrgdaq/histogram.h"

#define BINS_LEARN 10000u /* values from which a range is found */

struct bins_axis {
	uint32_t bins;
	double low, high;    /* both 0: the range is found from the first values */
	const double *edges; /* bins + 1 ascending values, copied; NULL: all bins have one width */
	const char *label;
};

struct bins_side {
	struct enrg_histogram_axis axis;
	char label[ENRG_HISTOGRAM_NAME_MAX + 1];
	double *edges;
	double scale;  /* bins a unit */
	bool is_found; /* its range is */
};

struct bins {
	uint32_t dimensions;
	struct bins_side x, y;
	uint64_t cell_count;
	uint64_t *counts, *last_counts;
	struct enrg_histogram_sums sums, last_sums;
	bool has_last;
	double *learned; /* pairs, until the range is found */
	uint32_t learned_count;
	uint64_t changes; /* counts what there is to show */
};

/* `y` NULL: one axis. -ENOMEM, -EINVAL (too many cells). */
int bins_init(struct bins *bins, const struct bins_axis *x, const struct bins_axis *y, struct enrg_error *err);
void bins_fini(struct bins *bins); /* takes zeroed */

/* `y` NULL where there is one axis. What is not finite is counted as skipped. */
void bins_fill(struct bins *bins, const double *x, const double *y, uint64_t count);
/* The range from what there is, where it is still open and at least one value came. */
void bins_settle(struct bins *bins);
bool bins_is_ranged(const struct bins *bins);
/* A new run: counts become those of the run before. The range stays. */
void bins_turn(struct bins *bins);

#endif

/* decay.h: the lifetime of what decays, from the times between both pulses of many pairs: by maximum likelihood, not
 * binned, over the ranges of times in which pairs can be seen, with a flat background of pairs by chance. Pure
 * functions. */
#ifndef PLOT_DECAY_H
#define PLOT_DECAY_H

#include <stdbool.h>
#include <stddef.h>

#define DECAY_RANGES_MAX 4u

struct decay_ranges {
	size_t count;
	struct {
		double from_ns, to_ns;
	} items[DECAY_RANGES_MAX]; /* apart, in their order */
};

struct decay_fit {
	size_t pairs; /* in the ranges */
	double lifetime_ns;
	double error_ns;   /* one standard deviation */
	double background; /* part of the pairs; 0 without one */
};

bool decay_is_in(const struct decay_ranges *ranges, double delta_ns);

/* 0; -ENODATA: fewer than ten pairs in the ranges; -ERANGE: no lifetime between 10 ns and 1 ms fits; -ENOMEM. */
int decay_fit_pairs(const double *deltas_ns, size_t count, const struct decay_ranges *ranges, bool has_background,
	struct decay_fit *ret_fit);

/* Pairs a ns that the fit expects at a time within the ranges. */
double decay_density(const struct decay_fit *fit, const struct decay_ranges *ranges, double delta_ns);

/* How much of [from, to) the ranges cover, ns. */
double decay_covered_ns(const struct decay_ranges *ranges, double from_ns, double to_ns);

#endif

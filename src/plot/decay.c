/* decay.c: see the header. */
#include "plot/decay.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define PAIRS_MIN    10u
#define LIFETIME_MIN 10.0
#define LIFETIME_MAX 1e6
#define STEPS        60 /* of a search: the interval shrinks to 1e-12 of what it was */

bool decay_is_in(const struct decay_ranges *ranges, double delta_ns)
{
	for (size_t i = 0; i < ranges->count; i++)
		if (delta_ns >= ranges->items[i].from_ns && delta_ns < ranges->items[i].to_ns)
			return true;
	return false;
}

double decay_covered_ns(const struct decay_ranges *ranges, double from_ns, double to_ns)
{
	double covered = 0;

	for (size_t i = 0; i < ranges->count; i++) {
		double from = fmax(from_ns, ranges->items[i].from_ns), to = fmin(to_ns, ranges->items[i].to_ns);
		covered += to > from ? to - from : 0;
	}
	return covered;
}

/* Of all decays, those in the ranges. */
static double visible_part(const struct decay_ranges *ranges, double lifetime_ns)
{
	double part = 0;

	for (size_t i = 0; i < ranges->count; i++)
		part += exp(-ranges->items[i].from_ns / lifetime_ns) - exp(-ranges->items[i].to_ns / lifetime_ns);
	return part;
}

static double signal_density(const struct decay_ranges *ranges, double lifetime_ns, double delta_ns)
{
	return exp(-delta_ns / lifetime_ns) / (lifetime_ns * visible_part(ranges, lifetime_ns));
}

struct search {
	const struct decay_ranges *ranges;
	const double *deltas;
	double *densities; /* of the signal, one a pair */
	size_t count;
	double flat; /* density of the background */
	bool has_background;
	double background; /* that fits best at the last lifetime */
};

/* The slope of the likelihood over the background falls: where is it 0? */
static double best_background(const struct search *search)
{
	double low = 0, high = 1;

	for (int step = 0; step < 30; step++) {
		double middle = (low + high) / 2, slope = 0;
		for (size_t i = 0; i < search->count; i++)
			slope += (search->flat - search->densities[i]) /
				 ((1 - middle) * search->densities[i] + middle * search->flat);
		if (slope > 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static double log_likelihood(struct search *search, double lifetime_ns)
{
	double visible = visible_part(search->ranges, lifetime_ns), sum = 0;

	for (size_t i = 0; i < search->count; i++)
		search->densities[i] = exp(-search->deltas[i] / lifetime_ns) / (lifetime_ns * visible);
	search->background = search->has_background ? best_background(search) : 0;
	for (size_t i = 0; i < search->count; i++)
		sum += log((1 - search->background) * search->densities[i] + search->background * search->flat);
	return sum;
}

/* Golden section on the logarithm of the lifetime. */
static double best_lifetime(struct search *search, double low, double high)
{
	const double golden = (sqrt(5) - 1) / 2;
	double a = log(low), b = log(high), x = b - golden * (b - a), y = a + golden * (b - a);
	double fx = log_likelihood(search, exp(x)), fy = log_likelihood(search, exp(y));

	for (int step = 0; step < STEPS; step++) {
		if (fx > fy) {
			b = y;
			y = x;
			fy = fx;
			x = b - golden * (b - a);
			fx = log_likelihood(search, exp(x));
		} else {
			a = x;
			x = y;
			fx = fy;
			y = a + golden * (b - a);
			fy = log_likelihood(search, exp(y));
		}
	}
	return exp((a + b) / 2);
}

/* From how the likelihood bends over 2 % of the lifetime. */
static int finish_fit(struct search *search, double lifetime_ns, struct decay_fit *ret_fit)
{
	double step = 0.02 * lifetime_ns;
	double bend = log_likelihood(search, lifetime_ns - step) + log_likelihood(search, lifetime_ns + step) -
		      2 * log_likelihood(search, lifetime_ns);

	if (!(bend < 0) || lifetime_ns < 1.01 * LIFETIME_MIN || lifetime_ns > 0.99 * LIFETIME_MAX)
		return -ERANGE;
	*ret_fit = (struct decay_fit){.pairs = search->count,
		.lifetime_ns = lifetime_ns,
		.error_ns = step / sqrt(-bend),
		.background = search->background};
	return 0;
}

int decay_fit_pairs(const double *deltas_ns, size_t count, const struct decay_ranges *ranges, bool has_background,
	struct decay_fit *ret_fit)
{
	double *kept = calloc(count + 1, sizeof(*kept)), *densities = calloc(count + 1, sizeof(*densities));
	struct search search = {.ranges = ranges,
		.deltas = kept,
		.densities = densities,
		.flat = 1 / decay_covered_ns(ranges, 0, INFINITY),
		.has_background = has_background};
	int rc = kept && densities ? 0 : -ENOMEM;

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (decay_is_in(ranges, deltas_ns[i]))
			kept[search.count++] = deltas_ns[i];
	if (rc == 0 && search.count < PAIRS_MIN)
		rc = -ENODATA;
	if (rc == 0)
		rc = finish_fit(&search, best_lifetime(&search, LIFETIME_MIN, LIFETIME_MAX), ret_fit);
	free(kept);
	free(densities);
	return rc;
}

double decay_density(const struct decay_fit *fit, const struct decay_ranges *ranges, double delta_ns)
{
	double flat = 1 / decay_covered_ns(ranges, 0, INFINITY);

	return (double)fit->pairs *
	       ((1 - fit->background) * signal_density(ranges, fit->lifetime_ns, delta_ns) + fit->background * flat);
}

/* compare.h: a measurement divided by its limit, pair by pair: A B A B. The regime of the caches is probed around every
 * pair; a pair in which it changed is left out. What the programs in bench/ print and return. One thread. */
#ifndef BENCHMARK_COMPARE_H
#define BENCHMARK_COMPARE_H

#include <stdbool.h>

#include "benchmark/regime.h"
#include "enrgdaq/error.h"

#define COMPARE_METRICS_MAX 4u
#define COMPARE_ROUNDS_MAX  1000u
#define COMPARE_ROUNDS      10u

struct compare_metric {
	const char *name; /* "one link, 8 MB, checks off" */
	const char *unit; /* of limit and value */
	double goal;      /* of the ratio; 0 = none */
	bool is_at_most;  /* the ratio should not be larger; else not smaller */
};

struct compare {
	unsigned rounds;
	unsigned pairs;  /* of each round; 0 = 1 */
	bool alternates; /* every second pair begins with the value, so that what drifts favours neither */
	unsigned metric_count;
	const struct compare_metric *metrics;
	/* Each measures once and sets one figure a metric. `value` runs after `limit`, unless they alternate. */
	int (*limit)(void *context, double *ret_figures, struct enrg_error *err);
	int (*value)(void *context, double *ret_figures, struct enrg_error *err);
	void *context;
	/* Of the regime; NULL = regime_measure. */
	int (*probe)(struct regime_probe *ret_probe, struct enrg_error *err);
};

/* Prints one line a metric: median ratio, the interval that holds it with 95 % (of the pairs' ranks, whatever their
 * distribution), quartiles of the pairs, medians of value and limit, regime. 0: all goals met; 1: one
 * was missed, or the regime changed all the time; negative: could not be measured. */
int compare_run(const struct compare *compare, struct enrg_error *err);

/* --rounds N and --help, which prints `help` and ends the process; anything else ends it with 2. */
unsigned compare_parse(int argc, char **argv, const char *help);

/* What main returns after compare_run: prints the error of a negative code. */
int compare_exit(int code, const struct enrg_error *err);

#endif

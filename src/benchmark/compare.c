/* compare.c: measurement over limit. Runs in the process of a program in bench/. */
#include "benchmark/compare.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "benchmark/pair.h"

struct series {
	double ratios[COMPARE_ROUNDS_MAX], values[COMPARE_ROUNDS_MAX], limits[COMPARE_ROUNDS_MAX];
};

struct outcome {
	struct series *series; /* one a metric */
	unsigned count;        /* pairs that count */
	unsigned changed;      /* pairs in which the regime changed */
	unsigned tried;
	enum regime regime; /* of all pairs that count */
};

static int probe_regime(const struct compare *compare, struct regime_probe *ret_probe, struct enrg_error *err)
{
	return compare->probe ? compare->probe(ret_probe, err) : regime_measure(ret_probe, err);
}

static int run_pair(const struct compare *compare, enum regime *regime, struct outcome *outcome, struct enrg_error *err)
{
	double limits[COMPARE_METRICS_MAX] = {0}, values[COMPARE_METRICS_MAX] = {0};
	struct regime_probe after;

	bool is_turned = compare->alternates && outcome->tried++ % 2;
	int rc = is_turned ? compare->value(compare->context, values, err)
			   : compare->limit(compare->context, limits, err);

	if (rc == 0)
		rc = is_turned ? compare->limit(compare->context, limits, err)
			       : compare->value(compare->context, values, err);
	if (rc == 0)
		rc = probe_regime(compare, &after, err);
	if (rc < 0)
		return rc;
	if (after.regime != *regime) {
		outcome->changed++;
		*regime = after.regime;
		return 0;
	}
	for (unsigned i = 0; i < compare->metric_count; i++) {
		struct series *series = &outcome->series[i];
		series->limits[outcome->count] = limits[i];
		series->values[outcome->count] = values[i];
		series->ratios[outcome->count] = limits[i] > 0 ? values[i] / limits[i] : 0;
	}
	outcome->regime = outcome->count ? regime_join(outcome->regime, after.regime) : after.regime;
	outcome->count++;
	return 0;
}

/* true: the goal, where there is one, is met. */
static bool print_metric(const struct compare_metric *metric, struct series *series, const struct outcome *outcome)
{
	double ratio = pair_median(series->ratios, outcome->count);
	bool is_met = metric->is_at_most ? ratio <= metric->goal : ratio >= metric->goal;
	double part = 0.98 / sqrt(outcome->count); /* of the ranks: 1.96 of their standard deviation */
	char goal[60] = "";

	part = part < 0.5 ? part : 0.5;
	if (metric->goal > 0)
		snprintf(goal, sizeof(goal), ", goal %s %g: %s", metric->is_at_most ? "<=" : ">=", metric->goal,
			is_met ? "met" : "MISSED");
	printf("%s: ratio %.3f (95 %%: %.3f to %.3f; quartiles %.3f to %.3f)%s; %.4g of %.4g %s; pairs: %u, %s\n",
		metric->name, ratio, pair_quantile(series->ratios, outcome->count, 0.5 - part),
		pair_quantile(series->ratios, outcome->count, 0.5 + part),
		pair_quantile(series->ratios, outcome->count, 0.25),
		pair_quantile(series->ratios, outcome->count, 0.75), goal, pair_median(series->values, outcome->count),
		pair_median(series->limits, outcome->count), metric->unit, outcome->count,
		regime_name(outcome->regime));
	return metric->goal <= 0 || is_met;
}

int compare_run(const struct compare *compare, struct enrg_error *err)
{
	struct outcome outcome = {.series = calloc(COMPARE_METRICS_MAX, sizeof(struct series))};
	unsigned pairs = compare->rounds * (compare->pairs ? compare->pairs : 1);
	struct regime_probe probe;
	bool is_met = true;
	int rc = outcome.series ? probe_regime(compare, &probe, err) : enrg_error_set(err, -ENOMEM, "out of memory");

	for (unsigned i = 0; i < pairs && i < COMPARE_ROUNDS_MAX && rc == 0; i++)
		rc = run_pair(compare, &probe.regime, &outcome, err);
	if (rc == 0 && outcome.changed > 0)
		printf("the regime changed in %u of %u pairs, which do not count\n", outcome.changed, pairs);
	for (unsigned i = 0; i < compare->metric_count && rc == 0 && outcome.count > 0; i++)
		is_met &= print_metric(&compare->metrics[i], &outcome.series[i], &outcome);
	fflush(stdout);
	free(outcome.series);
	if (rc < 0)
		return rc;
	return is_met && outcome.count > 0 ? 0 : 1;
}

unsigned compare_parse(int argc, char **argv, const char *help)
{
	static const struct option options[] = {
		{"rounds", required_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	unsigned long rounds = COMPARE_ROUNDS;
	char *end = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h') {
			printf("usage: %s [--rounds N]\n\n%s\n\nN pairs of limit and measurement are taken in turn "
			       "(default %u); the "
			       "median of their ratios counts.\nExit code: 0 goals met, 1 a goal missed, 2 not "
			       "measured.\n",
				argv[0], help, COMPARE_ROUNDS);
			exit(0);
		}
		if (option == 'r')
			rounds = strtoul(optarg, &end, 10);
		if (option != 'r' || *end || rounds < 1 || rounds > COMPARE_ROUNDS_MAX) {
			fprintf(stderr, "usage: %s [--rounds N], N from 1 to %u\n", argv[0], COMPARE_ROUNDS_MAX);
			exit(2);
		}
	}
	return (unsigned)rounds;
}

int compare_exit(int rc, const struct enrg_error *err)
{
	if (rc < 0)
		fprintf(stderr, "not measured: %s\n", err->text);
	return rc < 0 ? 2 : rc;
}

/* observers.c: what do those who look at a running source now and then cost it? */
#include <stdio.h>

#include "benchmark/compare.h"
#include "benchmark/trial.h"

#define BATCH_BYTES 1000000u
#define RING_BYTES  (64u << 20)
#define HOT_BYTES   (8u << 20)
#define OBSERVERS   4u
#define PERIOD_NS   100000000u
#define MEASURE_NS  300000000u
#define PAIRS       10u /* a round */

static const char help[] =
	"Batches of 1 MB to one required consumer, alone, and with four observers that take the newest batch ten\n"
	"times a second each, as `enrgdaq watch --every 0.1` does: the rate with them, divided by the rate without.\n"
	"A round has ten short pairs, which begin with the one and with the other in turn.";

struct seen {
	uint64_t observed, lapped;
};

static int measure(unsigned observers, struct trial_result *ret_result, struct enrg_error *err)
{
	const struct trial_params params = {
		.payload_bytes = BATCH_BYTES,
		.data_bytes = RING_BYTES,
		.hot_bytes = HOT_BYTES,
		.required_count = 1,
		.observer_count = observers,
		.observer_period_ns = PERIOD_NS,
		.is_tuned = true,
		.window_records = 16,
		.measure_ns = MEASURE_NS,
	};

	return trial_run(&params, ret_result, err);
}

static int measure_alone(void *context, double *ret_figures, struct enrg_error *err)
{
	struct trial_result result = {0};

	(void)context;
	int rc = measure(0, &result, err);
	ret_figures[0] = result.gb_per_s;
	return rc;
}

static int measure_observed(void *context, double *ret_figures, struct enrg_error *err)
{
	struct seen *seen = context;
	struct trial_result result = {0};

	int rc = measure(OBSERVERS, &result, err);
	ret_figures[0] = result.gb_per_s;
	seen->observed += result.observed;
	seen->lapped += result.lapped;
	return rc;
}

int main(int argc, char **argv)
{
	static const struct compare_metric metric = {"with four observers, of none", "GB/s", 0.98, false};
	struct seen seen = {0};
	struct enrg_error err = {0};
	const struct compare compare = {
		.rounds = compare_parse(argc, argv, help),
		.pairs = PAIRS,
		.alternates = true,
		.metric_count = 1,
		.metrics = &metric,
		.limit = measure_alone,
		.value = measure_observed,
		.context = &seen,
	};

	int rc = compare_run(&compare, &err);
	printf("  observers took %llu batches and left out %llu\n", (unsigned long long)seen.observed,
		(unsigned long long)seen.lapped);
	return compare_exit(rc, &err);
}

/* wakeup.c: what does the stream add to the wake-up of a sleeping process? */
#include "benchmark/compare.h"
#include "benchmark/limits.h"
#include "benchmark/pair.h"
#include "benchmark/trial.h"

#define WAKEUPS 1000u

static const char help[] =
	"A consumer sleeps on an idle core; the producer claims, fills and commits one record of 64 bytes.\n"
	"The time until the consumer has read it, divided by that of a bare futex between two processes:\n"
	"median and 99th percentile.";

static int measure_bare(void *context, double *ret_figures, struct enrg_error *err)
{
	struct limits_wakeup wakeup = {0};

	(void)context;
	int rc = limits_measure_wakeup(&wakeup, err);
	ret_figures[0] = wakeup.p50_us;
	ret_figures[1] = wakeup.p99_us;
	return rc;
}

static int measure_stream(void *context, double *ret_figures, struct enrg_error *err)
{
	double *samples_us = context;

	int rc = trial_wakeup(WAKEUPS, samples_us, err);
	ret_figures[0] = pair_quantile(samples_us, WAKEUPS, 0.5);
	ret_figures[1] = pair_quantile(samples_us, WAKEUPS, 0.99);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct compare_metric metrics[] = {
		{"wake-up of a sleeping consumer, p50", "µs", 1.1, true},
		{"wake-up of a sleeping consumer, p99", "µs", 1.3, true},
	};
	static double samples_us[WAKEUPS];
	struct enrg_error err = {0};
	const struct compare compare = {
		.rounds = compare_parse(argc, argv, help),
		.metric_count = 2,
		.metrics = metrics,
		.limit = measure_bare,
		.value = measure_stream,
		.context = samples_us,
	};

	return compare_exit(compare_run(&compare, &err), &err);
}

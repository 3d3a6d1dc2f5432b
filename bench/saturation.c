/* saturation.c: does a batch wait longer than the batches in front of it explain? */
#include <stdio.h>

#include "benchmark/compare.h"
#include "benchmark/trial.h"

#define RING_BYTES (64u << 20)
#define HOT_BYTES  (16u << 20)
#define MEASURE_NS 400000000u

static const char help[] =
	"A consumer that reads each batch four times and so is slower than its producer: the 99th percentile\n"
	"of the time from commit to consumed, divided by what the queue explains: the 99th percentile of the\n"
	"bytes in flight at commit (the batch itself included) over the rate at which the consumer drains\n"
	"them.";

struct load {
	uint64_t payload_bytes;
	double p99_us;
};

static int measure_ideal(void *context, double *ret_figures, struct enrg_error *err)
{
	struct load *load = context;
	const struct trial_params params = {
		.payload_bytes = load->payload_bytes,
		.data_bytes = RING_BYTES,
		.hot_bytes = HOT_BYTES,
		.required_count = 1,
		.checks = true,
		.is_tuned = true,
		.read_passes = 4,
		.window_records = (uint32_t)(1 + (64u << 20) / load->payload_bytes),
		.measure_ns = MEASURE_NS,
	};
	struct trial_result result = {0};

	int rc = trial_run(&params, &result, err);
	if (rc < 0)
		return rc;
	/* Both figures are of the same run: the limit is what its queue explains. */
	ret_figures[0] = result.in_flight_p99_bytes / (result.gb_per_s * 1e3);
	load->p99_us = result.latency_p99_us;
	return 0;
}

static int get_p99(void *context, double *ret_figures, struct enrg_error *err)
{
	const struct load *load = context;

	(void)err;
	ret_figures[0] = load->p99_us;
	return 0;
}

int main(int argc, char **argv)
{
	struct load loads[] = {{.payload_bytes = 8000000}, {.payload_bytes = 1000000}, {.payload_bytes = 100000}};
	unsigned rounds = compare_parse(argc, argv, help);
	struct enrg_error err = {0};
	int worst = 0;

	for (unsigned i = 0; i < sizeof(loads) / sizeof(loads[0]) && worst >= 0; i++) {
		char name[80];
		snprintf(name, sizeof(name),
			"p99 latency at saturation, %.1f MB batches, of bytes in flight / drain rate",
			(double)loads[i].payload_bytes / 1e6);
		const struct compare_metric metric = {name, "µs", 1.2, true};
		const struct compare compare = {.rounds = rounds,
			.metric_count = 1,
			.metrics = &metric,
			.limit = measure_ideal,
			.value = get_p99,
			.context = &loads[i]};
		int code = compare_run(&compare, &err);
		worst = code < 0 || worst == 0 ? code : worst;
	}
	return compare_exit(worst, &err);
}

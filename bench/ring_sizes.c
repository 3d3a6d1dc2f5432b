/* ring_sizes.c: how large should a ring be, and what is the hot window worth? */
#include <stdio.h>

#include "benchmark/compare.h"
#include "benchmark/limits.h"
#include "benchmark/trial.h"

#define BATCH_BYTES 1000000u
#define MEASURE_NS  150000000u

static const char help[] =
	"Batches of 1 MB through rings of 4 to 256 MiB, walked from end to end, and with a hot window of 2 to\n"
	"32 MiB in a ring of 256 MiB: the rate of one link, divided by the bare pair of processes.";

struct ring {
	unsigned data_mib, hot_mib;
};

static int measure_pair(void *context, double *ret_figures, struct enrg_error *err)
{
	struct limits_bare_pair pair = {0};

	(void)context;
	int rc = limits_measure_bare_pair(&pair, err);
	ret_figures[0] = pair.gb_per_s;
	return rc;
}

static int measure_ring(void *context, double *ret_figures, struct enrg_error *err)
{
	const struct ring *ring = context;
	const struct trial_params params = {
		.payload_bytes = BATCH_BYTES,
		.data_bytes = (uint64_t)ring->data_mib << 20,
		.hot_bytes = (uint64_t)ring->hot_mib << 20,
		.required_count = 1,
		.is_tuned = true,
		.window_records = 64,
		.measure_ns = MEASURE_NS,
	};
	struct trial_result result = {0};

	int rc = trial_run(&params, &result, err);
	ret_figures[0] = result.gb_per_s;
	return rc;
}

int main(int argc, char **argv)
{
	static struct ring rings[] = {
		{4, 0}, {8, 0}, {16, 0}, {64, 0}, {256, 0}, {256, 2}, {256, 4}, {256, 8}, {256, 16}, {256, 32}};
	unsigned rounds = compare_parse(argc, argv, help);
	struct enrg_error err = {0};
	int worst = 0;

	for (unsigned i = 0; i < sizeof(rings) / sizeof(rings[0]) && worst >= 0; i++) {
		char name[60];
		if (rings[i].hot_mib)
			snprintf(name, sizeof(name), "ring of %u MiB, hot window of %u MiB", rings[i].data_mib,
				rings[i].hot_mib);
		else
			snprintf(name, sizeof(name), "ring of %u MiB", rings[i].data_mib);
		const struct compare_metric metric = {name, "GB/s", 0, false};
		const struct compare compare = {.rounds = rounds,
			.metric_count = 1,
			.metrics = &metric,
			.limit = measure_pair,
			.value = measure_ring,
			.context = &rings[i]};
		int code = compare_run(&compare, &err);
		worst = code < 0 || worst == 0 ? code : worst;
	}
	return compare_exit(worst, &err);
}

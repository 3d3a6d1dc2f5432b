/* link.c: how much of the bare pair of processes does one link keep? Batches of 8 MB, copied in, every byte read,
 * blocking waits; checks off and on. */
#include <stdio.h>

#include "benchmark/compare.h"
#include "benchmark/limits.h"
#include "benchmark/trial.h"

#define BATCH_BYTES 8000000u
#define RING_BYTES  (64u << 20)
#define HOT_BYTES   (16u << 20)
#define MEASURE_NS  200000000u

static const char help[] =
	"One link: batches of 8 MB copied into the stream, read byte by byte by one consumer, divided by what\n"
	"two processes reach that hand over two buffers and do nothing else. Then with CRC-32C on both sides,\n"
	"divided by the slower of that and the rate of the CRC alone.";

struct link {
	bool checks;
};

static int measure_limit(void *context, double *ret_figures, struct enrg_error *err)
{
	const struct link *link = context;
	struct limits_bare_pair pair = {0};
	double crc_gb_per_s;

	int rc = limits_measure_bare_pair(&pair, err);
	ret_figures[0] = pair.gb_per_s;
	if (rc < 0 || !link->checks)
		return rc;
	rc = limits_measure_crc(&crc_gb_per_s, err);
	if (rc == 0 && crc_gb_per_s < pair.gb_per_s)
		ret_figures[0] = crc_gb_per_s;
	return rc;
}

static int measure_link(void *context, double *ret_figures, struct enrg_error *err)
{
	const struct link *link = context;
	const struct trial_params params = {
		.payload_bytes = BATCH_BYTES,
		.data_bytes = RING_BYTES,
		.hot_bytes = HOT_BYTES,
		.required_count = 1,
		.checks = link->checks,
		.is_tuned = true,
		.measure_ns = MEASURE_NS,
	};
	struct trial_result result = {0};

	int rc = trial_run(&params, &result, err);
	ret_figures[0] = result.gb_per_s;
	if (rc == 0 && result.rescued > 0)
		printf("%llu sleepers were not rung for\n", (unsigned long long)result.rescued);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct compare_metric plain = {
		"one link, 8 MB, checks off, of the bare pair", "GB/s", 0.90, false};
	static const struct compare_metric checked = {
		"one link, 8 MB, CRC on both sides, of the slower of bare pair and CRC", "GB/s", 0.85, false};
	struct link without = {false}, with = {true};
	struct enrg_error err = {0};
	struct compare compare = {
		.rounds = compare_parse(argc, argv, help),
		.metric_count = 1,
		.metrics = &plain,
		.limit = measure_limit,
		.value = measure_link,
		.context = &without,
	};

	int code = compare_run(&compare, &err);
	if (code >= 0) {
		compare.metrics = &checked;
		compare.context = &with;
		int second = compare_run(&compare, &err);
		code = second < 0 || code == 0 ? second : code;
	}
	return compare_exit(code, &err);
}

/* small_records.c: how many records of 64 bytes pass while one cache line goes there and back? */
#include "benchmark/compare.h"
#include "benchmark/limits.h"
#include "benchmark/regime.h"
#include "benchmark/trial.h"

#define PAYLOAD_BYTES  64u
#define RING_BYTES     (64u << 20)
#define HOT_BYTES      (16u << 20)
#define MEASURE_NS     200000000u
#define WINDOW_RECORDS 20000u

static const char help[] =
	"Records of 64 bytes, published one by one and 256 together, read by one consumer that checks their\n"
	"sequence: their rate times the round trip of one cache line between the two processes. The clock is\n"
	"read once for 64 records. Then rows of 64 bytes that a job appends 256 at a time, all checks on. The\n"
	"physical limit beside them: records of 64 bytes, with and without their headers of 64 bytes, at the rate\n"
	"at which two bare processes hand over buffers of 8 MB and do nothing else.";

struct records {
	uint32_t publish_every;
};

static int measure_trips(void *context, double *ret_figures, struct enrg_error *err)
{
	struct regime_probe probe = {0};

	(void)context;
	int rc = regime_measure(&probe, err);
	ret_figures[0] = rc == 0 ? 1e9 / probe.round_trip_ns : 0;
	return rc;
}

static int measure_records(void *context, double *ret_figures, struct enrg_error *err)
{
	const struct records *records = context;
	const struct trial_params params = {
		.payload_bytes = PAYLOAD_BYTES,
		.data_bytes = RING_BYTES,
		.hot_bytes = HOT_BYTES,
		.required_count = 1,
		.publish_every = records->publish_every,
		.stamp_every = 64,
		.window_records = WINDOW_RECORDS,
		.measure_ns = MEASURE_NS,
	};
	struct trial_result result = {0};

	int rc = trial_run(&params, &result, err);
	ret_figures[0] = result.records_per_s;
	return rc;
}

static int measure_rows(void *context, double *ret_figures, struct enrg_error *err)
{
	(void)context;
	return trial_rows(true, MEASURE_NS, ret_figures, err);
}

static int measure_bare(void *context, double *ret_figures, struct enrg_error *err)
{
	const uint32_t *record_bytes = context;
	struct limits_bare_pair pair = {0};
	int rc = limits_measure_bare_pair(&pair, err);

	ret_figures[0] = pair.gb_per_s * 1e9 / *record_bytes;
	return rc;
}

int main(int argc, char **argv)
{
	static const struct compare_metric single = {
		"64-byte records published one by one, per round trip", "1/s", 3, false};
	static const struct compare_metric batched = {
		"64-byte records published 256 together, per round trip", "1/s", 20, false};
	static const struct compare_metric rows = {
		"64-byte rows appended 256 together by a job, all checks on, per round trip", "1/s", 20, false};
	static const struct compare_metric bare_with = {
		"limit: 64 bytes and a header at the rate of the bare pair, per round trip", "1/s", 0, false};
	static const struct compare_metric bare_without = {
		"limit: 64 bytes alone at the rate of the bare pair, per round trip", "1/s", 0, false};
	struct records one_by_one = {1}, together = {256};
	uint32_t with_header = 2 * PAYLOAD_BYTES, alone = PAYLOAD_BYTES;
	struct {
		const struct compare_metric *metric;
		int (*value)(void *context, double *ret_figures, struct enrg_error *err);
		void *context;
	} more[] = {{&batched, measure_records, &together}, {&rows, measure_rows, NULL},
		{&bare_with, measure_bare, &with_header}, {&bare_without, measure_bare, &alone}};
	struct enrg_error err = {0};
	struct compare compare = {
		.rounds = compare_parse(argc, argv, help),
		.metric_count = 1,
		.metrics = &single,
		.limit = measure_trips,
		.value = measure_records,
		.context = &one_by_one,
	};

	int code = compare_run(&compare, &err);
	for (size_t i = 0; code >= 0 && i < sizeof(more) / sizeof(more[0]); i++) {
		compare.metrics = more[i].metric;
		compare.value = more[i].value;
		compare.context = more[i].context;
		int next = compare_run(&compare, &err);
		code = next < 0 || code == 0 ? next : code;
	}
	return compare_exit(code, &err);
}

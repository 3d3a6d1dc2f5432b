/* saturation.c: does a batch wait longer than the batches in front of it explain? */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "benchmark/compare.h"
#include "benchmark/pair.h"
#include "benchmark/trial.h"

#define RING_BYTES (64u << 20)
#define HOT_BYTES  (16u << 20)
#define MEASURE_NS 400000000u
#define PASSES     4u
#define READS_MAX  65536u

static const char help[] =
	"A consumer that reads each batch four times and so is slower than its producer: the 99th percentile\n"
	"of the time from commit to consumed, divided by what the queue explains: the 99th percentile of the\n"
	"bytes in flight at commit (the batch itself included) over the rate at which the consumer drains\n"
	"them. The rate is a median, and a busy or a virtual machine does not read at one speed: the second line\n"
	"divides by how much longer than its median a process that only reads, alone on that core, takes for as\n"
	"many bytes at its own 99th percentile.";

struct load {
	uint64_t payload_bytes;
	double p99_us;
};

/* --- a process that only reads, as the consumer does */

struct reading {
	uint64_t payload_bytes;
	uint32_t in_flight; /* batches that count together */
	double slowness;    /* 99th percentile of the time for these, of its median */
	uint32_t sum;
	uint64_t ends_ns[READS_MAX];
	double times[READS_MAX];
	uint8_t bytes[HOT_BYTES];
};

static int read_alone(void *context)
{
	struct reading *reading = context;
	uint64_t started_ns = clock_mono_ns(), at = 0;
	uint32_t count = 0, times = 0;

	memset(reading->bytes, 0x5a, HOT_BYTES);
	while (count < READS_MAX && clock_mono_ns() - started_ns < MEASURE_NS) {
		for (uint32_t pass = 0; pass < PASSES; pass++)
			reading->sum ^= crc32c(0, reading->bytes + at, reading->payload_bytes);
		reading->ends_ns[count++] = clock_mono_ns();
		at = at + 2 * reading->payload_bytes <= HOT_BYTES ? at + reading->payload_bytes : 0;
	}
	for (uint32_t i = reading->in_flight; i < count; i++)
		reading->times[times++] = (double)(reading->ends_ns[i] - reading->ends_ns[i - reading->in_flight]);
	if (times == 0)
		return -ETIME;
	reading->slowness = pair_quantile(reading->times, times, 0.99) / pair_quantile(reading->times, times, 0.5);
	return 0;
}

static int measure_slowness(
	const struct load *load, double in_flight_bytes, double *ret_slowness, struct enrg_error *err)
{
	struct reading *reading = pair_map(sizeof(*reading));
	int cpus[2];
	unsigned count = pair_cpus(cpus, 2);

	if (!reading)
		return enrg_error_set(err, -ENOMEM, "no memory to measure in");
	reading->payload_bytes = load->payload_bytes;
	reading->in_flight = (uint32_t)(in_flight_bytes / (double)load->payload_bytes + 0.5);
	const struct pair_side side = {read_alone, reading, cpus[count - 1]};
	int rc = pair_run(&side, 1, UINT64_C(30000000000), err);
	*ret_slowness = reading->slowness;
	pair_unmap(reading, sizeof(*reading));
	return rc;
}

/* --- a stream */

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
		.read_passes = PASSES,
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
	rc = measure_slowness(load, result.in_flight_p99_bytes, &ret_figures[1], err);
	ret_figures[1] *= ret_figures[0];
	return rc;
}

static int get_p99(void *context, double *ret_figures, struct enrg_error *err)
{
	const struct load *load = context;

	(void)err;
	ret_figures[0] = load->p99_us;
	ret_figures[1] = load->p99_us;
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
		const struct compare_metric metrics[] = {
			{name, "µs", 1.2, true}, {"of that at the speed that a reader alone keeps", "µs", 0, true}};
		const struct compare compare = {.rounds = rounds,
			.metric_count = 2,
			.metrics = metrics,
			.limit = measure_ideal,
			.value = get_p99,
			.context = &loads[i]};
		int code = compare_run(&compare, &err);
		worst = code < 0 || worst == 0 ? code : worst;
	}
	return compare_exit(worst, &err);
}

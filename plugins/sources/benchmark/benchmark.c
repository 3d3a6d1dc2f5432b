/* benchmark.c: DAQJobBenchmark: tables of random numbers as fast as the stores take them, or at a fixed rate. Runs in
 * its own job process, on the main thread. The numbers are made in the shared ring itself: nothing is copied.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "enrgdaq/job.h"
#include "generator.h"

#define CHUNK_ROWS 16384u /* 128 KiB: made in the cache, copied while it is there */
#define PIECES_MAX 32u    /* batches of one poll: a stop must not wait for a table of gigabytes */

struct benchmark_options {
	int64_t payload_size;
	bool use_shm;
	double rate_hz;
	int64_t count;
};

struct benchmark {
	const struct benchmark_options *options;
	struct enrg_output *output;
	struct generator generator;
	uint64_t made; /* tables */
	uint64_t done; /* rows of the table at hand that are published */
	uint64_t acquired_ns;
	_Alignas(64) double chunk[CHUNK_ROWS];
};

static const struct enrg_option benchmark_option_list[] = {
	{.key = "payload_size",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct benchmark_options, payload_size),
		.default_value = "1000",
		.min = 1,
		.max = 4294967295.0,
		.unit = "rows",
		.help = "Rows of one table."},
	{.key = "use_shm",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct benchmark_options, use_shm),
		.default_value = "false",
		.help = "Accepted and without effect: use_shm_when_possible decides."},
	{.key = "rate_hz",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct benchmark_options, rate_hz),
		.default_value = "0.0",
		.min = 0,
		.max = 1e6,
		.unit = "Hz",
		.help = "Tables in a second; 0 = as fast as it can."},
	{.key = "count",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct benchmark_options, count),
		.default_value = "0",
		.min = 0,
		.max = 9e15,
		.help = "Ends after so many tables; 0 = never."},
	{.key = NULL},
};

static const struct enrg_column benchmark_columns[] = {
	{.name = "timestamp", .type = ENRG_F64, .unit = "ms"},
	{.name = "value", .type = ENRG_F64},
};

static const struct enrg_schema benchmark_schema = {.column_count = 2, .columns = benchmark_columns};

static int benchmark_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	const struct benchmark_options *chosen = options;
	struct benchmark *benchmark = calloc(1, sizeof(*benchmark));
	uint64_t seed = 0;
	int rc;

	if (!benchmark)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	benchmark->options = chosen;
	rc = enrg_output_open(job, "store_config", NULL, &benchmark_schema, &benchmark->output, err);
	if (rc < 0) {
		free(benchmark);
		return rc;
	}
	/* Two benchmark jobs must not make the same numbers; where the kernel has no seed, 0 is as good. */
	(void)!getrandom(&seed, sizeof(seed), GRND_NONBLOCK);
	generator_init(&benchmark->generator, seed);
	enrg_job_set_interval(job, chosen->rate_hz > 0 ? (uint64_t)(1e9 / chosen->rate_hz) : 0);
	enrg_job_log(
		job, ENRG_DEBUG, "the generator uses %s instructions", generator_instructions(&benchmark->generator));
	*ret_state = benchmark;
	return 0;
}

static int put_timestamps(struct benchmark *benchmark, uint64_t rows, struct enrg_error *err)
{
	double timestamp = (double)(benchmark->acquired_ns / 1000) / 1000.0;
	int rc = 0;

	for (unsigned i = 0; i < CHUNK_ROWS && i < rows; i++)
		benchmark->chunk[i] = timestamp;
	for (uint64_t put = 0; put < rows && rc == 0; put += CHUNK_ROWS)
		rc = enrg_output_put(
			benchmark->output, benchmark->chunk, rows - put < CHUNK_ROWS ? rows - put : CHUNK_ROWS, err);
	return rc;
}

static int put_values(struct benchmark *benchmark, uint64_t rows, struct enrg_error *err)
{
	int rc = 0;

	for (uint64_t put = 0; put < rows && rc == 0; put += CHUNK_ROWS) {
		uint64_t count = rows - put < CHUNK_ROWS ? rows - put : CHUNK_ROWS;
		generator_fill(&benchmark->generator, NULL, benchmark->chunk, count, 0);
		rc = enrg_output_put(benchmark->output, benchmark->chunk, count, err);
	}
	return rc;
}

/* Publishes the next piece of the table at hand. `done` moves only after a commit, so that a refused claim loses
 * nothing. */
static int publish_piece(struct benchmark *benchmark, struct enrg_error *err)
{
	uint64_t rows = (uint64_t)benchmark->options->payload_size - benchmark->done;
	uint64_t rows_max = enrg_output_rows_max(benchmark->output, 0);

	if (rows > rows_max)
		rows = rows_max;
	int rc = enrg_output_begin(benchmark->output, rows, err);
	if (rc == 0)
		rc = put_timestamps(benchmark, rows, err);
	if (rc == 0)
		rc = put_values(benchmark, rows, err);
	if (rc == 0)
		rc = enrg_output_end(benchmark->output, benchmark->acquired_ns, err);
	if (rc < 0)
		return rc;
	benchmark->done += rows;
	return 0;
}

static int benchmark_poll(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct benchmark *benchmark = state;
	const struct benchmark_options *options = benchmark->options;
	struct timespec now;

	(void)job;
	if (benchmark->done == 0) {
		clock_gettime(CLOCK_REALTIME, &now);
		benchmark->acquired_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	}
	for (unsigned piece = 0; piece < PIECES_MAX && benchmark->done < (uint64_t)options->payload_size; piece++) {
		int rc = publish_piece(benchmark, err);

		if (rc < 0)
			return rc;
	}
	if (benchmark->done < (uint64_t)options->payload_size)
		return ENRG_POLL_AGAIN;
	benchmark->done = 0;
	benchmark->made++;
	if (options->count > 0 && benchmark->made >= (uint64_t)options->count)
		return ENRG_POLL_DONE;
	return options->rate_hz > 0 ? ENRG_POLL_IDLE : ENRG_POLL_AGAIN;
}

static void benchmark_destroy(void *state)
{
	free(state);
}

static const struct enrg_job_group benchmark_groups[] = {
	{.key = "store_config", .required = true, .help = "Where the tables go."},
	{.key = NULL},
};

static const struct enrg_job_type benchmark_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobBenchmark",
	.summary = "Makes tables of random numbers as fast as the stores take them, or at a fixed rate.",
	.options = {.size = sizeof(struct benchmark_options), .options = benchmark_option_list},
	.groups = benchmark_groups,
	.start = benchmark_start,
	.poll = benchmark_poll,
	.destroy = benchmark_destroy,
};

static const struct enrg_job_type *const benchmark_jobs[] = {&benchmark_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "benchmark", .jobs = benchmark_jobs};

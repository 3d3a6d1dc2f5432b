/* trial_rows.c: rows of 64 bytes that a job appends 256 at a time, as they come out at a consumer. Producer and
 * consumer are children of the process of a program in bench/. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "benchmark/pair.h"
#include "benchmark/reader.h"
#include "benchmark/trial.h"
#include "job/source/output.h"

#define COLUMNS    8u
#define TOGETHER   256u
#define RING_BYTES (UINT64_C(64) << 20)
#define HOT_BYTES  (UINT64_C(16) << 20)
#define WARM_UP    5u /* a fifth of the time */
#define LOOK_NS    UINT64_C(20000000)
#define TIMEOUT_NS UINT64_C(60000000000)

struct table {
	char path[80];
	uint64_t measure_ns;
	bool checks;
	_Alignas(128) _Atomic uint32_t opened;
	uint64_t rows, sum; /* that the consumer read in the measurement */
	double seconds;
};

static int append_rows(const struct table *table, struct enrg_output *output, struct outputs *outputs)
{
	static uint64_t rows[TOGETHER][COLUMNS]; /* as a driver has them: one struct a row */
	struct enrg_column_rows columns[COLUMNS];
	uint64_t until_ns = clock_mono_ns() + table->measure_ns + table->measure_ns / WARM_UP, number = 0;
	int rc = 0;

	for (unsigned i = 0; i < COLUMNS; i++)
		columns[i] = (struct enrg_column_rows){&rows[0][i], sizeof(rows[0])};
	while (rc == 0 && clock_mono_ns() < until_ns) {
		for (unsigned i = 0; i < TOGETHER; i++)
			for (unsigned k = 0; k < COLUMNS; k++)
				rows[i][k] = number + k;
		number += TOGETHER;
		rc = enrg_output_append_many(output, TOGETHER, columns, NULL);
	}
	return rc < 0 ? rc : outputs_flush(outputs, NULL);
}

static int run_producer(void *context)
{
	static const struct enrg_job_group groups[] = {{"store_config", true, NULL}, {NULL, false, NULL}};
	static struct toml_node store = {.kind = TOML_TABLE, .key = "memory"};
	static struct toml_node group = {.kind = TOML_TABLE, .key = "store_config", .count = 1, .children = &store};
	static const struct toml_node toml = {.kind = TOML_TABLE, .count = 1, .children = &group};
	struct enrg_column columns[COLUMNS];
	char names[COLUMNS][4];
	struct table *table = context;
	struct stream *stream = NULL;
	struct enrg_job job = {0};
	struct enrg_output *output;

	for (unsigned i = 0; i < COLUMNS; i++) {
		snprintf(names[i], sizeof(names[i]), "c%u", i);
		columns[i] = (struct enrg_column){names[i], ENRG_U64, 0, NULL};
	}
	const struct enrg_schema schema = {.column_count = COLUMNS, .columns = columns};
	int rc = stream_open(table->path, HOT_BYTES, &stream, NULL);
	if (rc == 0)
		rc = outputs_create(
			&(struct outputs_params){
				.stream = stream, .source = "bench", .run = "bench", .groups = groups, .toml = &toml},
			&job.outputs, NULL);
	if (rc == 0)
		rc = enrg_output_open(&job, "store_config", NULL, &schema, &output, NULL);
	if (rc == 0) {
		pair_await(&table->opened, 1);
		rc = append_rows(table, output, job.outputs);
	}
	outputs_destroy(job.outputs);
	stream_close(stream, true);
	return rc;
}

/* Every byte is read, by the check or by the sum; every sequence is compared. */
static int read_rows(struct table *table, struct consumer *consumer)
{
	uint64_t begin_ns = 0, now_ns = 0, sequence = 0;
	struct consumer_record record;
	int rc = 0;

	while (rc == 0 && !consumer_is_closed(consumer)) {
		consumer_wait(&consumer, 1, NULL, 0, LOOK_NS); /* a stream that is closed rings no bell */
		while (rc == 0 && consumer_acquire(consumer, &record, NULL) == 1) {
			rc = record.header->sequence == ++sequence ? 0 : ENRG_E_SEQUENCE;
			if (rc == 0 && table->checks)
				rc = consumer_check(consumer, &record, NULL);
			if (!table->checks)
				table->sum += reader_sum(
					record.payload, record.header->meta_bytes + record.header->body_bytes);
			now_ns = clock_mono_ns();
			begin_ns = begin_ns ? begin_ns : now_ns + table->measure_ns / WARM_UP;
			if (now_ns >= begin_ns)
				table->rows += record.header->rows;
			consumer_release(consumer, record.end, 0);
		}
	}
	table->seconds = now_ns > begin_ns ? (double)(now_ns - begin_ns) / 1e9 : 0;
	return rc;
}

static int run_consumer(void *context)
{
	struct table *table = context;
	struct consumer *consumer = NULL;
	int rc = consumer_open(table->path, "reader", UINT64_MAX, &consumer, NULL);

	if (rc < 0)
		return rc;
	atomic_store_explicit(&table->opened, 1, memory_order_release);
	rc = read_rows(table, consumer);
	consumer_close(consumer);
	return rc;
}

static int make_stream(const struct table *table, struct enrg_error *err)
{
	const struct stream_params params = {
		.path = table->path,
		.source = "bench",
		.run = "bench",
		.supervisor = "bench",
		.data_bytes = RING_BYTES,
		.record_bytes_max = 1 << 20,
		.checks = table->checks,
	};
	int rc = stream_create(&params, err);

	return rc == 0 ? stream_add_consumer(table->path, "reader", err) : rc;
}

int trial_rows(bool checks, uint64_t measure_ns, double *ret_rows_per_s, struct enrg_error *err)
{
	struct table *table = pair_map(sizeof(*table));
	int cpus[2];
	unsigned cpu_count = pair_cpus(cpus, 2);
	const struct pair_side sides[] = {{run_producer, table, cpus[0]}, {run_consumer, table, cpus[cpu_count - 1]}};

	if (!table)
		return enrg_error_set(err, -ENOMEM, "no memory to measure in");
	table->checks = checks;
	table->measure_ns = measure_ns;
	snprintf(table->path, sizeof(table->path), "/dev/shm/enrgdaq-bench-%d-rows.stream", (int)getpid());
	pair_hold_signals();
	int rc = make_stream(table, err);
	if (rc == 0)
		rc = pair_run(sides, 2, measure_ns * 2 + TIMEOUT_NS, err);
	unlink(table->path);
	pair_free_signals();
	if (rc == 0)
		*ret_rows_per_s = table->seconds > 0 ? (double)table->rows / table->seconds : 0;
	pair_unmap(table, sizeof(*table));
	return rc;
}

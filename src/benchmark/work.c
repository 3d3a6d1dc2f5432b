/* work.c: generation alone and checking alone. */
#include "benchmark/work.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/sources/benchmark/generator.h"
#include "arrow/ipc.h"
#include "base/clock.h"
#include "base/copy.h"
#include "base/crc32c.h"
#include "benchmark/limits.h"

#define BUFFERS    2u
#define CHUNK_ROWS 16384u

static const struct enrg_column columns[] = {
	{.name = "timestamp", .type = ENRG_F64},
	{.name = "value", .type = ENRG_F64},
};
static const struct enrg_schema schema = {.column_count = 2, .columns = columns};

struct work {
	struct ipc_template *template;
	struct generator generator;
	uint64_t rows, body_bytes, sequence;
	uint32_t meta_bytes;
	struct ipc_column_place places[2];
	uint8_t *messages[BUFFERS];
	uint32_t meta_crcs[BUFFERS], body_crcs[BUFFERS]; /* as in the record headers */
	uint64_t failures;
	_Alignas(64) double chunk[CHUNK_ROWS];
};

static void work_fini(struct work *work)
{
	for (unsigned i = 0; i < BUFFERS; i++)
		free(work->messages[i]);
	ipc_template_destroy(work->template);
}

/* As the benchmark job and enrg_output_put do it: made in the cache, copied with the CRC on the way. */
static uint32_t fill_column(struct work *work, uint8_t *at, bool is_random, uint32_t crc)
{
	for (uint64_t row = 0; row < work->rows; row += CHUNK_ROWS) {
		uint64_t count = work->rows - row < CHUNK_ROWS ? work->rows - row : CHUNK_ROWS;
		if (is_random)
			generator_fill(&work->generator, NULL, work->chunk, count, 0);
		crc = copy_bytes_crc(at + row * sizeof(double), work->chunk, count * sizeof(double), crc);
	}
	return crc;
}

static uint64_t generate(void *context)
{
	struct work *work = context;
	unsigned which = ++work->sequence % BUFFERS;
	uint8_t *message = work->messages[which], *body = message + work->meta_bytes;
	struct ipc_stamp stamp = {.sequence = work->sequence, .epoch = 1, .acquired_ns = clock_wall_ns()};
	uint64_t column = work->places[0].values_bytes, second = work->places[1].values_offset;

	for (unsigned i = 0; i < CHUNK_ROWS; i++)
		work->chunk[i] = (double)work->sequence;
	stamp.body_crc = fill_column(work, body, false, 0);
	stamp.body_crc = crc32c(stamp.body_crc, body + column, second - column);
	stamp.body_crc = fill_column(work, body + second, true, stamp.body_crc);
	stamp.body_crc = crc32c(stamp.body_crc, body + second + column, work->body_bytes - second - column);
	ipc_write_meta(work->template, message, work->rows, NULL, &stamp);
	work->body_crcs[which] = stamp.body_crc;
	work->meta_crcs[which] = crc32c(0, message, work->meta_bytes);
	return work->rows * 16;
}

static uint64_t check(void *context)
{
	struct work *work = context;
	unsigned which = ++work->sequence % BUFFERS;
	const uint8_t *message = work->messages[which];
	struct enrg_column_view views[2];
	struct enrg_batch batch;

	work->failures += crc32c(0, message, work->meta_bytes) != work->meta_crcs[which];
	work->failures += crc32c(0, message + work->meta_bytes, work->body_bytes) != work->body_crcs[which];
	work->failures +=
		ipc_decode_batch(&schema, message, work->meta_bytes + work->body_bytes, views, &batch, NULL) < 0;
	return work->failures ? 0 : work->rows * 16;
}

static int work_init(struct work *work, uint64_t rows, struct enrg_error *err)
{
	int rc = ipc_template_create(&schema, &(struct ipc_origin){"bench", "bench", ""}, &work->template, err);

	if (rc < 0)
		return rc;
	generator_init(&work->generator, 1);
	work->rows = rows;
	work->meta_bytes = ipc_meta_bytes(work->template);
	work->body_bytes = ipc_place_columns(work->template, rows, NULL, work->places);
	for (unsigned i = 0; i < BUFFERS; i++) {
		size_t bytes = (work->meta_bytes + work->body_bytes + 4095u) & ~(size_t)4095u;
		work->messages[i] = aligned_alloc(4096, bytes);
		if (!work->messages[i])
			return enrg_error_set(err, -ENOMEM, "no memory for %zu bytes", bytes);
		memset(work->messages[i], 0, bytes);
	}
	for (unsigned i = 0; i < BUFFERS; i++)
		generate(work);
	return 0;
}

static int measure(uint64_t (*function)(void *), uint64_t rows, double *ret_gb_per_s, struct enrg_error *err)
{
	struct work work = {0};
	int rc = work_init(&work, rows, err);

	if (rc == 0)
		rc = limits_measure_work(function, &work, ret_gb_per_s, err);
	work_fini(&work);
	return rc;
}

/* By the way of copying that is the fastest where nobody reads. */
int work_measure_generation(uint64_t rows, double *ret_gb_per_s, struct enrg_error *err)
{
	enum copy_method before = copy_method_now();
	int rc = 0;

	*ret_gb_per_s = 0;
	for (int method = COPY_MEMCPY; method <= COPY_NON_TEMPORAL && rc == 0; method++) {
		double gb_per_s = 0;
		copy_set_method((enum copy_method)method);
		rc = measure(generate, rows, &gb_per_s, err);
		*ret_gb_per_s = gb_per_s > *ret_gb_per_s ? gb_per_s : *ret_gb_per_s;
	}
	copy_set_method(before);
	return rc;
}

int work_measure_checking(uint64_t rows, double *ret_gb_per_s, struct enrg_error *err)
{
	return measure(check, rows, ret_gb_per_s, err);
}

/* work.c: generation alone and checking alone. */
#include "bench/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/sources/benchmark/generator.h"
#include "arrow/ipc.h"
#include "base/clock.h"
#include "base/crc32c.h"
#include "bench/limits.h"

#define BUFFERS 2u

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
};

static void work_fini(struct work *work)
{
	for (unsigned i = 0; i < BUFFERS; i++)
		free(work->messages[i]);
	ipc_template_destroy(work->template);
}

static uint64_t generate(void *context)
{
	struct work *work = context;
	unsigned which = ++work->sequence % BUFFERS;
	uint8_t *message = work->messages[which], *body = message + work->meta_bytes;
	struct ipc_stamp stamp = {.sequence = work->sequence, .epoch = 1, .acquired_ns = clock_wall_ns()};

	generator_fill(&work->generator, (double *)(void *)(body + work->places[0].values_offset),
		(double *)(void *)(body + work->places[1].values_offset), work->rows, 1.0);
	stamp.body_crc = crc32c(0, body, work->body_bytes);
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
	work->failures += ipc_decode_batch(&schema, message, work->meta_bytes + work->body_bytes, views, &batch, NULL) < 0;
	return work->failures ? 0 : work->rows * 16;
}

static int work_init(struct work *work, uint64_t rows, struct enrg_error *err)
{
	int result = ipc_template_create(&schema, &(struct ipc_origin){"bench", "bench", ""}, &work->template, err);

	if (result < 0)
		return result;
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
	int result = work_init(&work, rows, err);

	if (result == 0)
		result = limits_measure_work(function, &work, ret_gb_per_s, err);
	work_fini(&work);
	return result;
}

int work_measure_generation(uint64_t rows, double *ret_gb_per_s, struct enrg_error *err)
{
	return measure(generate, rows, ret_gb_per_s, err);
}

int work_measure_checking(uint64_t rows, double *ret_gb_per_s, struct enrg_error *err)
{
	return measure(check, rows, ret_gb_per_s, err);
}

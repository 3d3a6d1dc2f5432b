/* output_test.c: what a job puts into its outputs is what a consumer reads, value for value, with true CRCs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "job/source/body.h"
#include "job/source/output.h"

#define RECORD_BYTES (1u << 20)

static const struct enrg_job_group groups[] = {
	{"store_config", true, "where the data goes"},
	{"stats_store_config", false, "where nothing goes"},
	{NULL, false, NULL},
};

/* [store_config.csv] and an empty [stats_store_config] with a key of its own */
static struct toml_node csv_node = {.kind = TOML_TABLE, .key = "csv"};
static struct toml_node local_node = {.kind = TOML_BOOLEAN, .key = "target_local_supervisor", .boolean = true};
static struct toml_node group_nodes[] = {
	{.kind = TOML_TABLE, .key = "store_config", .count = 1, .children = &csv_node},
	{.kind = TOML_TABLE, .key = "stats_store_config", .count = 1, .children = &local_node},
};
static const struct toml_node toml = {.kind = TOML_TABLE, .count = 2, .children = group_nodes};

struct fixture {
	char folder[64], path[96], page_path[96];
	struct plan plan;
	struct process process;
	struct stream *stream;
	struct consumer *consumer;
	struct enrg_job job;
	struct enrg_error err;
	/* the batch read last */
	struct enrg_schema *schema;
	struct enrg_column_view *views;
	struct enrg_batch batch;
	struct ipc_message message;
	char tag[208];
	uint16_t group;
	uint64_t end;
};

static void open_outputs(struct fixture *f)
{
	const struct outputs_params params = {
		.stream = f->stream,
		.source = "camera",
		.run = "run7",
		.groups = groups,
		.toml = &toml,
		.process = &f->process,
	};
	assert_int_equal(outputs_create(&params, &f->job.outputs, &f->err), 0);
}

static int set_up_sized(void **state, uint64_t data_bytes, bool checks)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->folder, "/dev/shm/output_test.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/camera.stream", f->folder);
	snprintf(f->page_path, sizeof(f->page_path), "%s/camera.page", f->folder);
	const struct stream_params params = {
		.path = f->path,
		.source = "camera",
		.run = "run7",
		.supervisor = "lab1",
		.data_bytes = data_bytes,
		.record_bytes_max = RECORD_BYTES,
		.checks = checks,
	};
	assert_int_equal(stream_create(&params, &f->err), 0);
	assert_int_equal(stream_add_consumer(f->path, "store", &f->err), 0);
	assert_int_equal(stream_open(f->path, 0, &f->stream, &f->err), 0);
	assert_int_equal(consumer_open(f->path, "store", UINT64_MAX, &f->consumer, &f->err), 0);
	assert_int_equal(page_create(f->page_path, &f->process.page, &f->err), 0);
	f->plan.name = "camera";
	f->plan.supervisor = "lab1";
	f->process.plan = &f->plan;
	f->job.process = &f->process;
	open_outputs(f);
	*state = f;
	return 0;
}

static int set_up(void **state)
{
	return set_up_sized(state, 8 * RECORD_BYTES, true);
}

static int set_up_unchecked(void **state)
{
	return set_up_sized(state, 8 * RECORD_BYTES, false);
}

static int set_up_small(void **state)
{
	return set_up_sized(state, 2 * RECORD_BYTES, true);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	outputs_destroy(f->job.outputs);
	consumer_close(f->consumer);
	stream_close(f->stream, true);
	page_close(f->process.page);
	unlink(f->path);
	unlink(f->page_path);
	rmdir(f->folder);
	free(f->schema);
	free(f->views);
	free(f);
	return 0;
}

/* Reads the next batch; false: there is none. */
static bool read_batch(struct fixture *f)
{
	struct consumer_record record;
	struct consumer_route route;
	size_t wanted;
	int result = consumer_acquire(f->consumer, &record, &f->err);

	assert_true(result >= 0);
	if (result == 0)
		return false;
	assert_int_equal(consumer_check(f->consumer, &record, &f->err), 0);
	assert_int_equal(consumer_route(f->consumer, record.header->route, &route), 0);
	free(f->schema);
	free(f->views);
	assert_int_equal(ipc_decode_schema(route.schema_ipc, route.schema_bytes, &f->schema, &f->err), 0);
	f->views = calloc(f->schema->column_count, sizeof(*f->views));
	size_t bytes = record.header->meta_bytes + record.header->body_bytes;
	int decoded = ipc_decode_batch(f->schema, record.payload, bytes, f->views, &f->batch, &f->err);
	if (decoded < 0)
		fail_msg("%s", f->err.text);
	assert_int_equal(ipc_read_message(record.payload, bytes, &f->message, &wanted, &f->err), 0);
	assert_true(f->message.meta_crc_ok);
	assert_int_equal(f->message.meta_bytes, record.header->meta_bytes);
	assert_int_equal(f->message.body_bytes, record.header->body_bytes);
	const uint8_t *body = record.payload + record.header->meta_bytes;
	if (record.header->body_crc)
		assert_int_equal(f->message.stamp.body_crc, crc32c(0, body, record.header->body_bytes));
	assert_int_equal(f->message.stamp.body_crc, record.header->body_crc);
	assert_string_equal(f->message.source, "camera");
	assert_string_equal(f->message.run, "run7");
	assert_string_equal(f->message.tag, route.tag);
	assert_int_equal(f->batch.rows, record.header->rows);
	assert_int_equal(record.header->type, f->batch.is_gap ? RECORD_GAP : RECORD_DATA);
	snprintf(f->tag, sizeof(f->tag), "%s", route.tag);
	f->group = route.group;
	f->end = record.end;
	return true;
}

static void release(struct fixture *f)
{
	consumer_release(f->consumer, f->end, 0);
}

static const struct enrg_column number_columns[] = {
	{"flag", ENRG_BOOL, 0, NULL},
	{"i8", ENRG_I8, 0, NULL},
	{"i16", ENRG_I16, 0, "mV"},
	{"i32", ENRG_I32, 0, NULL},
	{"i64", ENRG_I64, 0, NULL},
	{"u8", ENRG_U8, 0, NULL},
	{"u16", ENRG_U16, 0, NULL},
	{"u32", ENRG_U32, 0, NULL},
	{"u64", ENRG_U64, 0, "ns"},
	{"f32", ENRG_F32, 0, NULL},
	{"f64", ENRG_F64, 0, NULL},
};
static const struct enrg_schema numbers = {11, number_columns, false};

static const struct enrg_column mixed_columns[] = {
	{"channel", ENRG_U16, 0, NULL},
	{"name", ENRG_STRING, 0, NULL},
	{"waveform", ENRG_LIST, ENRG_I16, "mV"},
	{"raw", ENRG_BINARY, 0, NULL},
	{"good", ENRG_BOOL, 0, NULL},
};
static const struct enrg_schema mixed = {5, mixed_columns, false};

static int bit(const void *bits, uint64_t row)
{
	return (((const uint8_t *)bits)[row / 8] >> (row % 8)) & 1;
}

static void check_numbers(const struct fixture *f, uint64_t rows)
{
	assert_int_equal(f->batch.rows, rows);
	for (uint64_t r = 0; r < rows; r++) {
		assert_int_equal(bit(f->views[0].values, r), r % 3 == 0);
		assert_int_equal(((const int8_t *)f->views[1].values)[r], (int8_t)-r);
		assert_int_equal(((const int16_t *)f->views[2].values)[r], (int16_t)(-300 * (int)r));
		assert_int_equal(((const int32_t *)f->views[3].values)[r], (int32_t)(-70000 * (int64_t)r));
		assert_true(((const int64_t *)f->views[4].values)[r] == -(INT64_C(1) << 40) * (int64_t)r);
		assert_int_equal(((const uint8_t *)f->views[5].values)[r], (uint8_t)(r + 200));
		assert_int_equal(((const uint16_t *)f->views[6].values)[r], (uint16_t)(r + 60000));
		assert_int_equal(((const uint32_t *)f->views[7].values)[r], 4000000000u + (uint32_t)r);
		assert_true(((const uint64_t *)f->views[8].values)[r] == UINT64_MAX - r);
		assert_true(((const float *)f->views[9].values)[r] == 0.5f * (float)r);
		assert_true(((const double *)f->views[10].values)[r] == 0.1 * (double)r);
	}
}

static void fill_numbers(const struct enrg_claim *claim)
{
	for (uint64_t r = 0; r < claim->rows; r++) {
		struct enrg_column_buffer *c = claim->columns;
		if (r % 3 == 0)
			((uint8_t *)c[0].values)[r / 8] |= (uint8_t)(1u << (r % 8));
		((int8_t *)c[1].values)[r] = (int8_t)-r;
		((int16_t *)c[2].values)[r] = (int16_t)(-300 * (int)r);
		((int32_t *)c[3].values)[r] = (int32_t)(-70000 * (int64_t)r);
		((int64_t *)c[4].values)[r] = -(INT64_C(1) << 40) * (int64_t)r;
		((uint8_t *)c[5].values)[r] = (uint8_t)(r + 200);
		((uint16_t *)c[6].values)[r] = (uint16_t)(r + 60000);
		((uint32_t *)c[7].values)[r] = 4000000000u + (uint32_t)r;
		((uint64_t *)c[8].values)[r] = UINT64_MAX - r;
		((float *)c[9].values)[r] = 0.5f * (float)r;
		((double *)c[10].values)[r] = 0.1 * (double)r;
	}
}

static void test_numbers(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output, *again;
	struct enrg_claim claim;
	const uint64_t commits[] = {100, 37, 1, 0, 99};

	assert_int_equal(enrg_output_open(&f->job, "store_config", "x", &numbers, &output, &f->err), 0);
	assert_int_equal(enrg_output_open(&f->job, "store_config", "x", &numbers, &again, &f->err), 0);
	assert_ptr_equal(output, again);
	assert_true(enrg_output_wanted(output));
	for (int i = 0; i < 5; i++) {
		assert_int_equal(enrg_output_claim(output, 100, NULL, &claim, &f->err), 0);
		assert_int_equal(claim.rows, 100);
		assert_int_equal(claim.columns[10].value_capacity, 100);
		fill_numbers(&claim);
		assert_int_equal(enrg_output_commit(output, commits[i], 1000 + (uint64_t)i, &f->err), 0);
		assert_true(read_batch(f));
		check_numbers(f, commits[i]);
		assert_int_equal(f->batch.sequence, i + 1);
		assert_int_equal(f->batch.acquired_ns, 1000 + i);
		assert_string_equal(f->tag, "x");
		assert_int_equal(f->group, 0);
		assert_true(ipc_schema_equal(f->schema, &numbers));
		release(f);
	}
	assert_int_equal(atomic_load(&f->process.page->out_batches), 5);
	assert_int_equal(atomic_load(&f->process.page->out_rows), 237);
	assert_false(read_batch(f));
	/* an aborted claim leaves nothing, a claim of no rows is a batch */
	assert_int_equal(enrg_output_claim(output, 100, NULL, &claim, &f->err), 0);
	enrg_output_abort(output);
	assert_false(read_batch(f));
	assert_int_equal(enrg_output_claim(output, 0, NULL, &claim, &f->err), 0);
	assert_int_equal(enrg_output_commit(output, 0, 0, &f->err), 0);
	assert_true(read_batch(f));
	assert_int_equal(f->batch.rows, 0);
	assert_true(clock_wall_ns() - f->batch.acquired_ns < 10000000000ull);
}

static void check_mixed(const struct fixture *f, uint64_t first, uint64_t rows)
{
	assert_int_equal(f->batch.rows, rows);
	for (uint64_t r = 0; r < rows; r++) {
		uint64_t id = first + r;
		char name[32];
		int name_bytes = snprintf(name, sizeof(name), "event %d", (int)id);
		assert_int_equal(((const uint16_t *)f->views[0].values)[r], id);
		const int32_t *o = f->views[1].offsets;
		assert_int_equal(o[r + 1] - o[r], name_bytes);
		assert_memory_equal((const char *)f->views[1].values + o[r], name, (size_t)name_bytes);
		o = f->views[2].offsets;
		assert_int_equal(o[r + 1] - o[r], id % 5);
		for (int k = 0; k < (int)(id % 5); k++)
			assert_int_equal(((const int16_t *)f->views[2].values)[o[r] + k], -(int)id - k);
		o = f->views[3].offsets;
		assert_int_equal(o[r + 1] - o[r], id % 2);
		assert_int_equal(bit(f->views[4].values, r), id % 3 == 1);
	}
}

static void fill_mixed(const struct enrg_claim *claim, uint64_t rows)
{
	struct enrg_column_buffer *c = claim->columns;

	for (uint64_t r = 0; r < rows; r++) {
		char name[32];
		int name_bytes = snprintf(name, sizeof(name), "event %d", (int)r);
		((uint16_t *)c[0].values)[r] = (uint16_t)r;
		memcpy((char *)c[1].values + c[1].offsets[r], name, (size_t)name_bytes);
		c[1].offsets[r + 1] = c[1].offsets[r] + name_bytes;
		for (int k = 0; k < (int)(r % 5); k++)
			((int16_t *)c[2].values)[c[2].offsets[r] + k] = (int16_t)(-(int)r - k);
		c[2].offsets[r + 1] = c[2].offsets[r] + (int32_t)(r % 5);
		c[3].offsets[r + 1] = c[3].offsets[r] + (int32_t)(r % 2);
		if (r % 2)
			((uint8_t *)c[3].values)[c[3].offsets[r]] = 7;
		if (r % 3 == 1)
			((uint8_t *)c[4].values)[r / 8] |= (uint8_t)(1u << (r % 8));
	}
}

static void test_variable_columns(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	struct enrg_claim claim;
	const uint64_t variable[] = {0, 200 * 12, 200 * 5, 200, 0};
	const uint64_t commits[] = {200, 61, 0};

	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &mixed, &output, &f->err), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(enrg_output_claim(output, 200, variable, &claim, &f->err), 0);
		assert_int_equal(claim.columns[2].value_capacity, 1000);
		assert_null(claim.columns[0].offsets);
		fill_mixed(&claim, commits[i]);
		assert_int_equal(enrg_output_commit(output, commits[i], 0, &f->err), 0);
		assert_true(read_batch(f));
		check_mixed(f, 0, commits[i]);
		release(f);
	}
	/* what would be corrupt for every store is refused, and nothing is published */
	assert_int_equal(enrg_output_claim(output, 3, variable, &claim, &f->err), 0);
	fill_mixed(&claim, 3);
	claim.columns[1].offsets[2] = 1;
	assert_int_equal(enrg_output_commit(output, 3, 0, &f->err), -EINVAL);
	assert_non_null(strstr(f->err.text, "column name"));
	assert_int_equal(enrg_output_claim(output, 1, variable, &claim, &f->err), 0);
	claim.columns[1].offsets[1] = claim.columns[2].offsets[1] = 0;
	claim.columns[3].offsets[1] = 201;
	assert_int_equal(enrg_output_commit(output, 1, 0, &f->err), -EINVAL);
	assert_false(read_batch(f));
}

static void test_too_large(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	struct enrg_claim claim;
	const uint64_t variable[] = {0, RECORD_BYTES, 0, 0, 0}, huge[] = {0, 1ull << 33, 0, 0, 0};

	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &mixed, &output, &f->err), 0);
	assert_int_equal(enrg_output_claim(output, 1, variable, &claim, &f->err), -EMSGSIZE);
	assert_non_null(strstr(f->err.text, "ring_buffer_slot_size_kb"));
	assert_int_equal(enrg_output_claim(output, 1, huge, &claim, &f->err), -EMSGSIZE);
	assert_int_equal(enrg_output_claim(output, UINT64_MAX, NULL, &claim, &f->err), -EMSGSIZE);

	/* rows_max is a promise, and a tight one */
	for (uint64_t per_row = 0; per_row < 3000; per_row += 999) {
		uint64_t rows = enrg_output_rows_max(output, per_row);
		uint64_t third = rows * (per_row / 3);
		const uint64_t spread[] = {0, third, third / 2, third, 0};
		assert_true(rows > 0);
		assert_int_equal(enrg_output_claim(output, rows, spread, &claim, &f->err), 0);
		enrg_output_abort(output);
		const uint64_t more[] = {0, (rows + 200) * per_row, 0, 0, 0};
		assert_int_equal(enrg_output_claim(output, rows + 200, more, &claim, &f->err), -EMSGSIZE);
	}
	assert_int_equal(enrg_output_rows_max(output, 1ull << 40), 0);
	assert_false(read_batch(f));
}

static void check_write(struct fixture *f)
{
	static const struct enrg_column columns[] = {{"t", ENRG_F64, 0, "s"}, {"n", ENRG_U16, 0, NULL}};
	static const struct enrg_schema pair = {2, columns, false};
	enum { ROWS = 300001 };
	struct enrg_output *output;
	double *t = malloc(ROWS * sizeof(*t));
	uint16_t *n = malloc(ROWS * sizeof(*n));
	const void *pointers[] = {t, n};
	uint64_t seen = 0;

	for (int i = 0; i < ROWS; i++) {
		t[i] = i * 0.25;
		n[i] = (uint16_t)(i * 7);
	}
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &pair, &output, &f->err), 0);
	assert_int_equal(enrg_output_write(output, ROWS, pointers, 42, &f->err), 0);
	while (read_batch(f)) {
		assert_int_equal(f->batch.acquired_ns, 42);
		assert_memory_equal(f->views[0].values, t + seen, f->batch.rows * sizeof(*t));
		assert_memory_equal(f->views[1].values, n + seen, f->batch.rows * sizeof(*n));
		seen += f->batch.rows;
		release(f);
	}
	assert_int_equal(seen, ROWS);
	assert_int_equal(atomic_load(&f->process.page->out_batches), 3);
	/* odd lengths: padding is part of the CRC */
	for (uint64_t rows = 0; rows < 70; rows += 23) {
		assert_int_equal(enrg_output_write(output, rows, pointers, 0, &f->err), 0);
		assert_true(read_batch(f));
		assert_int_equal(f->batch.rows, rows);
		assert_memory_equal(f->views[1].values, n, rows * sizeof(*n));
		release(f);
	}
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &mixed, &output, &f->err), 0);
	assert_int_equal(enrg_output_write(output, 1, pointers, 0, &f->err), -EINVAL);
	free(t);
	free(n);
}

static void test_write(void **state)
{
	check_write(*state);
}

/* Pieces of odd lengths give the batch that one write would; a table that is not whole is none. */
static void check_pieces(struct fixture *f)
{
	static const struct enrg_column columns[] = {{"t", ENRG_F64, 0, "s"}, {"n", ENRG_U16, 0, NULL}};
	static const struct enrg_schema pair = {2, columns, false};
	enum { ROWS = 20011 };
	struct enrg_output *output;
	static double t[ROWS];
	static uint16_t n[ROWS];

	for (int i = 0; i < ROWS; i++) {
		t[i] = i * 0.25;
		n[i] = (uint16_t)(i * 7);
	}
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &pair, &output, &f->err), 0);
	for (uint64_t piece = 1; piece <= ROWS; piece = piece * 9 + 1) {
		assert_int_equal(enrg_output_begin(output, ROWS, &f->err), 0);
		for (uint64_t at = 0; at < ROWS; at += piece)
			assert_int_equal(
				enrg_output_put(output, t + at, at + piece < ROWS ? piece : ROWS - at, &f->err), 0);
		for (uint64_t at = 0; at < ROWS; at += piece)
			assert_int_equal(
				enrg_output_put(output, n + at, at + piece < ROWS ? piece : ROWS - at, &f->err), 0);
		assert_int_equal(enrg_output_end(output, 42, &f->err), 0);
		assert_true(read_batch(f));
		assert_int_equal(f->batch.rows, ROWS);
		assert_memory_equal(f->views[0].values, t, sizeof(t));
		assert_memory_equal(f->views[1].values, n, sizeof(n));
		release(f);
	}
	assert_int_equal(enrg_output_begin(output, 10, &f->err), 0);
	assert_int_equal(enrg_output_put(output, t, 10, &f->err), 0);
	assert_int_equal(enrg_output_end(output, 0, &f->err), -EINVAL);
	assert_int_equal(enrg_output_begin(output, 10, &f->err), 0);
	assert_int_equal(enrg_output_put(output, t, 11, &f->err), -EINVAL);
	assert_int_equal(enrg_output_put(output, t, 1, &f->err), -EINVAL);
	assert_false(read_batch(f));
	assert_int_equal(enrg_output_begin(output, 0, &f->err), 0);
	assert_int_equal(enrg_output_end(output, 0, &f->err), 0);
	assert_true(read_batch(f));
	assert_int_equal(f->batch.rows, 0);
	release(f);
}

static void test_pieces(void **state)
{
	check_pieces(*state);
}

static void test_blob(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	const size_t sizes[] = {0, 1, 63, 64, 65, 500000};
	uint8_t *bytes = malloc(2 * RECORD_BYTES);

	for (size_t i = 0; i < 2 * RECORD_BYTES; i++)
		bytes[i] = (uint8_t)(i * 31 + 5);
	assert_int_equal(enrg_output_open(&f->job, "store_config", "jpeg", enrg_schema_blob(), &output, &f->err), 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(enrg_output_write_blob(output, bytes, sizes[i], 9, &f->err), 0);
		assert_true(read_batch(f));
		assert_true(f->schema->is_blob);
		assert_int_equal(f->batch.rows, 1);
		assert_int_equal(f->views[0].value_count, sizes[i]);
		assert_memory_equal(f->views[0].values, bytes, sizes[i]);
		release(f);
	}
	assert_int_equal(enrg_output_write_blob(output, bytes, 2 * RECORD_BYTES, 0, &f->err), -EMSGSIZE);
	assert_non_null(strstr(f->err.text, "ring_buffer_slot_size_kb"));
	assert_false(read_batch(f));
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &numbers, &output, &f->err), 0);
	assert_int_equal(enrg_output_write_blob(output, bytes, 1, 0, &f->err), -EINVAL);
	free(bytes);
}

static void append_mixed(struct fixture *f, struct enrg_output *output, int id)
{
	char name[32];
	int16_t waveform[5];

	snprintf(name, sizeof(name), "event %d", id);
	for (int k = 0; k < 5; k++)
		waveform[k] = (int16_t)(-id - k);
	const struct enrg_value row[] = {
		{.u = (uint64_t)id},
		{.data = name, .count = strlen(name)},
		{.data = waveform, .count = (uint64_t)(id % 5)},
		{.data = id % 2 ? "\7" : NULL, .count = (uint64_t)(id % 2)},
		{.i = id % 3 == 1},
	};
	assert_int_equal(enrg_output_append(output, row, &f->err), 0);
}

static void test_append_lingers(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;

	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &mixed, &output, &f->err), 0);
	assert_true(outputs_deadline(f->job.outputs) == UINT64_MAX);
	for (int round = 0; round < 2; round++) {
		output->stage.due_ns = UINT64_MAX;
		append_mixed(f, output, round * 9);
		uint64_t deadline = outputs_deadline(f->job.outputs);
		uint64_t now = clock_mono_ns();
		assert_true(deadline <= now + STAGE_LINGER_NS && deadline > now - 5000000000ull);
		output->stage.due_ns = now + 3600000000000ull; /* a slow machine must not flush by itself */
		for (int id = 1; id < 9; id++)
			append_mixed(f, output, round * 9 + id);
		assert_int_equal(outputs_flush_due(f->job.outputs, output->stage.due_ns - 1, &f->err), 0);
		assert_false(read_batch(f));
		assert_int_equal(outputs_flush_due(f->job.outputs, output->stage.due_ns, &f->err), 0);
		assert_true(read_batch(f));
		check_mixed(f, (uint64_t)round * 9, 9);
		release(f);
		assert_true(outputs_deadline(f->job.outputs) == UINT64_MAX);
	}
	/* a row beyond its time takes the earlier ones with it */
	append_mixed(f, output, 18);
	output->stage.due_ns = 1;
	append_mixed(f, output, 19);
	assert_true(read_batch(f));
	check_mixed(f, 18, 1);
}

static void test_append_fills_batches(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	uint64_t seen = 0;
	const int rows = 20000;

	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &mixed, &output, &f->err), 0);
	for (int id = 0; id < rows; id++)
		append_mixed(f, output, id);
	assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
	while (read_batch(f)) {
		assert_true(f->batch.body_bytes < 4 * STAGE_BYTES);
		check_mixed(f, seen, f->batch.rows);
		seen += f->batch.rows;
		release(f);
	}
	assert_int_equal(seen, rows);
}

static void test_append_numbers(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;

	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &numbers, &output, &f->err), 0);
	for (int pass = 0; pass < 2; pass++) { /* the second finds what the first left in the staging area */
		for (int64_t r = 0; r < 50; r++) {
			const struct enrg_value row[] = {
				{.i = pass == 0 || r % 3 == 0},
				{.i = -r},
				{.i = -300 * r},
				{.i = -70000 * r},
				{.i = -(INT64_C(1) << 40) * r},
				{.u = (uint64_t)r + 200},
				{.u = (uint64_t)r + 60000},
				{.u = 4000000000u + (uint64_t)r},
				{.u = UINT64_MAX - (uint64_t)r},
				{.f = 0.5 * (double)r},
				{.f = 0.1 * (double)r},
			};
			assert_int_equal(enrg_output_append(output, row, &f->err), 0);
			output->stage.due_ns = UINT64_MAX;
		}
		assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
		assert_true(read_batch(f));
		assert_int_equal(bit(f->views[0].values, 1), pass == 0);
		if (pass)
			check_numbers(f, 50);
		release(f);
	}
}

/* Rows of C structs and columns without gaps, in calls of any size, are the rows that append would have made. */
static void test_append_many(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	struct row {
		uint8_t b;
		int8_t i8;
		int16_t i16;
		int32_t i32;
		int64_t i64;
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
		float f32;
		double f64;
	} *rows = calloc(4000, sizeof(*rows));
	const struct enrg_column_rows columns[] = {
		{&rows->b, sizeof(*rows)},
		{&rows->i8, sizeof(*rows)},
		{&rows->i16, sizeof(*rows)},
		{&rows->i32, sizeof(*rows)},
		{&rows->i64, sizeof(*rows)},
		{&rows->u8, sizeof(*rows)},
		{&rows->u16, sizeof(*rows)},
		{&rows->u32, sizeof(*rows)},
		{&rows->u64, sizeof(*rows)},
		{&rows->f32, sizeof(*rows)},
		{&rows->f64, sizeof(*rows)},
	};

	for (int64_t r = 0; r < 4000; r++)
		rows[r] = (struct row){r % 3 == 0, (int8_t)-r, (int16_t)(-300 * r), (int32_t)(-70000 * r),
			-(INT64_C(1) << 40) * r, (uint8_t)(r + 200), (uint16_t)(r + 60000), (uint32_t)(4000000000u + r),
			UINT64_MAX - (uint64_t)r, (float)(0.5 * (double)r), 0.1 * (double)r};
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &numbers, &output, &f->err), 0);
	for (uint64_t count = 1; count < 30; count += 7) { /* also where the bits of booleans begin within a byte */
		assert_int_equal(enrg_output_append_many(output, count, columns, &f->err), 0);
		output->stage.due_ns = UINT64_MAX;
		assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
		assert_true(read_batch(f));
		check_numbers(f, count);
		release(f);
	}
	/* more than a batch holds: several, none larger than it should be, every row once */
	uint64_t seen = 0, sum = 0;
	assert_int_equal(enrg_output_append_many(output, 4000, columns, &f->err), 0);
	assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
	while (read_batch(f)) {
		for (uint64_t r = 0; r < f->batch.rows; r++)
			sum += UINT64_MAX - ((const uint64_t *)f->views[8].values)[r];
		assert_true(f->batch.body_bytes < 4 * STAGE_BYTES);
		seen += f->batch.rows;
		release(f);
	}
	assert_int_equal(seen, 4000);
	assert_int_equal(sum, 4000 * 3999 / 2);
	free(rows);
}

static void test_append_many_without_gaps(void **state)
{
	static const struct enrg_column pair_columns[] = {{"t", ENRG_U64, 0, NULL}, {"ok", ENRG_BOOL, 0, NULL}};
	static const struct enrg_schema pair = {2, pair_columns, false};
	struct fixture *f = *state;
	struct enrg_output *output, *wordy;
	uint64_t times[100];
	uint8_t oks[100];
	const struct enrg_column_rows columns[] = {{times, 0}, {oks, 0}};

	for (int i = 0; i < 100; i++) {
		times[i] = (uint64_t)i;
		oks[i] = i % 3 == 0 ? 7 : 0;
	}
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &pair, &output, &f->err), 0);
	assert_int_equal(enrg_output_append(output, (struct enrg_value[]){{.u = 99}, {.i = 1}}, &f->err), 0);
	output->stage.due_ns = UINT64_MAX;
	assert_int_equal(enrg_output_append_many(output, 100, columns, &f->err), 0);
	assert_int_equal(enrg_output_append_many(output, 0, columns, &f->err), 0);
	assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
	assert_true(read_batch(f));
	assert_int_equal(f->batch.rows, 101);
	for (uint64_t i = 0; i < 100; i++) {
		assert_int_equal(((const uint64_t *)f->views[0].values)[i + 1], i);
		assert_int_equal(bit(f->views[1].values, i + 1), i % 3 == 0);
	}
	release(f);
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &mixed, &wordy, &f->err), 0);
	assert_int_equal(enrg_output_append_many(wordy, 1, columns, &f->err), -EINVAL);
}

/* Puts stderr into a file from here on. */
static int catch_log(FILE **ret_log)
{
	int saved = dup(STDERR_FILENO);

	*ret_log = tmpfile();
	assert_non_null(*ret_log);
	assert_true(dup2(fileno(*ret_log), STDERR_FILENO) >= 0);
	return saved;
}

/* Stderr is what it was; true: that text was logged since. */
static bool end_log(FILE *log, int saved, const char *wanted)
{
	char text[4096];
	size_t count;

	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(log);
	count = fread(text, 1, sizeof(text) - 1, log);
	text[count] = '\0';
	fclose(log);
	return strstr(text, wanted) != NULL;
}

/* Rows that can't be kept are counted, and the alert names what was in the way: another claim, or the error. */
static void test_dropped_rows_name_their_cause(void **state)
{
	static const struct enrg_column single_column[] = {{"t", ENRG_U64, 0, NULL}};
	static const struct enrg_schema single = {1, single_column, false};
	struct fixture *f = *state;
	struct enrg_output *output, *other;
	struct stream_status status;
	struct enrg_claim claim;
	static uint64_t times[100000];
	const struct enrg_column_rows columns[] = {{times, 0}};
	FILE *log;

	assert_int_equal(enrg_output_open(&f->job, "store_config", "a", &single, &output, &f->err), 0);
	assert_int_equal(enrg_output_open(&f->job, "store_config", "b", &numbers, &other, &f->err), 0);
	assert_int_equal(enrg_output_claim(other, 1, NULL, &claim, &f->err), 0);
	int saved = catch_log(&log);
	int rc = enrg_output_append_many(output, 100000, columns, &f->err);
	assert_true(
		end_log(log, saved, "rows were dropped: the open batch is full and another claim of this job is open"));
	assert_int_equal(rc, -EBUSY);
	uint64_t kept = output->stage.rows;
	assert_in_range(kept, 1, 99999);
	enrg_output_abort(other);
	assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
	assert_int_equal(stream_read_status(f->path, &status, &f->err), 0);
	assert_int_equal(status.dropped_rows, 100000 - kept);
	saved = catch_log(&log);
	output_count_abandoned(output, 3, -ENOMEM);
	assert_true(end_log(log, saved, "3 rows were dropped: they could not be written: "));
	assert_int_equal(atomic_load(&f->process.page->alerts), 2);
}

static void test_append_too_large(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	char *text = calloc(1, RECORD_BYTES);
	struct enrg_value row[] = {
		{.u = 1},
		{.data = text, .count = RECORD_BYTES},
		{.u = 0},
		{.u = 0},
		{.i = 0},
	};

	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &mixed, &output, &f->err), 0);
	append_mixed(f, output, 0);
	assert_int_equal(enrg_output_append(output, row, &f->err), -EMSGSIZE);
	assert_non_null(strstr(f->err.text, "ring_buffer_slot_size_kb"));
	/* a large row that fits goes out in a batch of its own */
	output->stage.due_ns = UINT64_MAX;
	row[1].count = RECORD_BYTES - 10000;
	assert_int_equal(enrg_output_append(output, row, &f->err), 0);
	assert_true(read_batch(f));
	check_mixed(f, 0, 1);
	assert_true(read_batch(f));
	assert_int_equal(f->views[1].value_count, RECORD_BYTES - 10000);
	free(text);
}

static void test_order_of_append_and_claim(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *first, *second;
	struct enrg_claim claim;

	assert_int_equal(enrg_output_open(&f->job, "store_config", "a", &mixed, &first, &f->err), 0);
	assert_int_equal(enrg_output_open(&f->job, "store_config", "b", &numbers, &second, &f->err), 0);
	append_mixed(f, first, 0);
	assert_int_equal(enrg_output_claim(second, 1, NULL, &claim, &f->err), 0);
	fill_numbers(&claim);
	append_mixed(f, first, 1); /* allowed beside an open claim; committed later */
	assert_int_equal(enrg_output_claim(second, 1, NULL, &claim, &f->err), -EBUSY);
	assert_int_equal(enrg_output_commit(first, 0, 0, &f->err), -EINVAL);
	assert_int_equal(enrg_output_commit(second, 1, 0, &f->err), 0);
	assert_int_equal(enrg_output_commit(second, 1, 0, &f->err), -EINVAL);
	assert_true(read_batch(f));
	assert_string_equal(f->tag, "a");
	assert_true(read_batch(f));
	assert_string_equal(f->tag, "b");
	check_numbers(f, 1);
	assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
	assert_true(read_batch(f));
	check_mixed(f, 1, 1);
}

static void test_swallows(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output, *blob;
	struct enrg_claim claim;
	const double value = 1;
	const void *pointers[] = {&value};
	static const struct enrg_column column = {"v", ENRG_F64, 0, NULL};
	static const struct enrg_schema one = {1, &column, false};

	assert_int_equal(enrg_output_open(&f->job, "stats_store_config", NULL, &one, &output, &f->err), 0);
	assert_int_equal(enrg_output_open(&f->job, "stats_store_config", NULL, enrg_schema_blob(), &blob, &f->err), 0);
	assert_false(enrg_output_wanted(output));
	assert_int_equal(enrg_output_claim(output, 1000, NULL, &claim, &f->err), 0);
	memset(claim.columns[0].values, 1, 1000 * sizeof(double));
	assert_int_equal(enrg_output_commit(output, 1000, 0, &f->err), 0);
	assert_int_equal(enrg_output_write(output, 1, pointers, 0, &f->err), 0);
	assert_int_equal(enrg_output_append(output, &(struct enrg_value){.f = 1}, &f->err), 0);
	assert_int_equal(enrg_output_write_blob(blob, "x", 1, 0, &f->err), 0);
	enrg_output_count_dropped(output, 5, "none");
	assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
	assert_false(read_batch(f));
	assert_int_equal(enrg_output_open(&f->job, "no_config", NULL, &one, &output, &f->err), -EINVAL);
	assert_non_null(strstr(f->err.text, "no_config"));
	assert_int_equal(enrg_output_open(&f->job, NULL, NULL, &one, &output, &f->err), -EINVAL);
}

static void test_no_stream(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	struct enrg_claim claim;

	outputs_destroy(f->job.outputs);
	const struct outputs_params params = {.source = "a", .run = "r", .groups = groups, .toml = &toml};
	assert_int_equal(outputs_create(&params, &f->job.outputs, &f->err), 0);
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &numbers, &output, &f->err), 0);
	assert_false(enrg_output_wanted(output));
	assert_true(enrg_output_rows_max(output, 8) > 100000);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(enrg_output_claim(output, 1000u << (4 * i), NULL, &claim, &f->err), 0);
		fill_numbers(&claim);
		assert_int_equal(enrg_output_commit(output, claim.rows, 0, &f->err), 0);
	}
	static const struct enrg_schema one = {1, number_columns + 1, false};
	const uint8_t bytes[3] = {1, 2, 3};
	assert_int_equal(enrg_output_open(&f->job, "store_config", "pieces", &one, &output, &f->err), 0);
	assert_int_equal(enrg_output_begin(output, sizeof(bytes), &f->err), 0);
	assert_int_equal(enrg_output_put(output, bytes, sizeof(bytes), &f->err), 0);
	assert_int_equal(enrg_output_end(output, 0, &f->err), 0);
}

static void test_gap_of_successor(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;

	for (int life = 0; life < 2; life++) {
		assert_int_equal(enrg_output_open(&f->job, "store_config", "t", &mixed, &output, &f->err), 0);
		assert_false(read_batch(f)); /* no gap before there is data behind it */
		append_mixed(f, output, life);
		assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
		append_mixed(f, output, life);
		assert_int_equal(outputs_flush(f->job.outputs, &f->err), 0);
		if (life == 0) {
			assert_true(read_batch(f) && read_batch(f));
			assert_int_equal(f->batch.epoch, 1);
			outputs_destroy(f->job.outputs);
			stream_close(f->stream, false);
			assert_int_equal(stream_open(f->path, 0, &f->stream, &f->err), 0);
			open_outputs(f);
		}
	}
	assert_true(read_batch(f));
	assert_true(f->batch.is_gap);
	assert_int_equal(f->batch.rows, 0);
	assert_int_equal(f->batch.sequence, 3);
	assert_int_equal(f->batch.epoch, 2);
	for (uint64_t sequence = 4; sequence < 6; sequence++) {
		assert_true(read_batch(f));
		check_mixed(f, 1, 1);
		assert_false(f->batch.is_gap);
		assert_int_equal(f->batch.sequence, sequence);
	}
	assert_false(read_batch(f));
}

static void fill_ring(struct fixture *f, struct enrg_output *output)
{
	struct enrg_claim claim;

	/* as many as surely fit: the ring has room for two records of the largest size */
	assert_int_equal(enrg_output_claim(output, enrg_output_rows_max(output, 0), NULL, &claim, &f->err), 0);
	assert_int_equal(enrg_output_commit(output, claim.rows, 0, &f->err), 0);
}

/* Takes a batch each 100 ms until the ring is empty for as long. */
static void *take_slowly(void *context)
{
	struct consumer *consumer = context;
	struct consumer_record record;

	while (consumer_wait(&consumer, 1, NULL, 0, 500000000u) > 0 && consumer_acquire(consumer, &record, NULL) == 1) {
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
		consumer_release(consumer, record.end, 0);
	}
	return NULL;
}

/* A table of many batches that a store takes slowly: signs of life and a look for a hurried stop between them, though
 * no batch alone waits for long. */
static void test_large_table(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	struct stream_status status;
	pthread_t store;
	static const struct enrg_schema one = {1, number_columns + 1, false};
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &one, &output, &f->err), 0);
	uint64_t rows = 20 * enrg_output_rows_max(output, 0);
	void *zeros = calloc(1, rows);

	atomic_store(&f->process.page->heartbeat_mono_ns, 0);
	atomic_store(&f->process.stop, PROCESS_HURRY);
	assert_int_equal(pthread_create(&store, NULL, take_slowly, f->consumer), 0);
	assert_int_equal(enrg_output_write(output, rows, (const void *[]){zeros}, 0, &f->err), ENRG_E_STOPPED);
	pthread_join(store, NULL);
	assert_int_not_equal(atomic_load(&f->process.page->heartbeat_mono_ns), 0);
	assert_int_equal(stream_read_status(f->path, &status, &f->err), 0);
	assert_int_equal(status.rows + status.dropped_rows, rows);
	assert_true(status.rows >= 8 * (rows / 20));
	free(zeros);
}

static void test_gives_up_when_hurried(void **state)
{
	struct fixture *f = *state;
	struct enrg_output *output;
	struct stream_status status;
	const void *pointers[11];
	char *zeros = calloc(1, RECORD_BYTES);
	uint64_t written = 0;

	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &numbers, &output, &f->err), 0);
	fill_ring(f, output);
	/* `write` takes no table with bits: the same without the first column */
	static const struct enrg_schema rest = {10, number_columns + 1, false};
	assert_int_equal(enrg_output_open(&f->job, "store_config", NULL, &rest, &output, &f->err), 0);
	for (int i = 0; i < 11; i++)
		pointers[i] = zeros;
	/* a drain does not disturb what has room */
	atomic_store(&f->process.stop, PROCESS_DRAIN);
	assert_int_equal(enrg_output_write(output, 10, pointers, 0, &f->err), 0);
	written += 10;
	atomic_store(&f->process.stop, PROCESS_HURRY);
	int result = 0;
	uint64_t rows = enrg_output_rows_max(output, 0), lost = 0;
	while (result == 0) {
		result = enrg_output_write(output, rows, pointers, 0, &f->err);
		written += result == 0 ? rows : 0;
		lost += result == 0 ? 0 : rows;
	}
	assert_int_equal(result, ENRG_E_STOPPED);
	/* each row is accounted for */
	assert_int_equal(stream_read_status(f->path, &status, &f->err), 0);
	assert_int_equal(status.dropped_rows, lost);
	assert_true(status.rows >= written);
	assert_int_equal(atomic_load(&f->process.page->alerts), 1);
	free(zeros);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_numbers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_variable_columns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_large, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_write, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_write, set_up_unchecked, tear_down),
		cmocka_unit_test_setup_teardown(test_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pieces, set_up_unchecked, tear_down),
		cmocka_unit_test_setup_teardown(test_blob, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_append_lingers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_append_fills_batches, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_append_numbers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_append_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_append_many_without_gaps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_dropped_rows_name_their_cause, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_append_too_large, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_order_of_append_and_claim, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_swallows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_stream, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gap_of_successor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_large_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gives_up_when_hurried, set_up_small, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Unit tests: rows of every type of column on their way through a filter. */
#include "fixtures/stream.h"

#include <string.h>

#include "arrow/ipc.h"
#include "job/source/output.h"
#include "rows.h"

#define ROWS 40u

static const struct enrg_job_group groups[] = {{"store_config", false, ""}, {NULL, false, NULL}};
static const struct enrg_column columns[] = {{"i8", ENRG_I8, 0, NULL}, {"u16", ENRG_U16, 0, NULL},
	{"f32", ENRG_F32, 0, NULL}, {"i64", ENRG_I64, 0, NULL}, {"bit", ENRG_BOOL, 0, NULL},
	{"text", ENRG_STRING, 0, NULL}, {"wave", ENRG_LIST, ENRG_I16, NULL}};
static const struct enrg_schema schema = {.column_count = 7, .columns = columns},
				plain_schema = {.column_count = 4, .columns = columns};

static struct {
	int8_t i8[ROWS];
	uint16_t u16[ROWS];
	float f32[ROWS];
	int64_t i64[ROWS];
	uint8_t bits[ROWS / 8];
	int32_t text_ends[ROWS + 1], wave_ends[ROWS + 1];
	char text[ROWS * 8];
	int16_t wave[ROWS * 5];
	uint8_t validity[ROWS / 8];
} data;

static struct enrg_column_view views[7];

static void fill(void)
{
	memset(data.validity, 0xff, sizeof(data.validity));
	for (uint32_t i = 0; i < ROWS; i++) {
		data.i8[i] = (int8_t)(i - 20);
		data.u16[i] = (uint16_t)(i * 1000);
		data.f32[i] = (float)i / 3;
		data.i64[i] = (int64_t)i * 1000000007;
		data.bits[i / 8] = (uint8_t)(data.bits[i / 8] | (i % 3 == 0) << (i % 8));
		data.text_ends[i + 1] =
			data.text_ends[i] + snprintf(data.text + data.text_ends[i], 8, "%.*s", (int)(i % 5), "abcd");
		data.wave_ends[i + 1] = data.wave_ends[i] + (int32_t)(i * 7 % 5);
		for (int32_t k = data.wave_ends[i]; k < data.wave_ends[i + 1]; k++)
			data.wave[k] = (int16_t)k;
	}
	views[0] = (struct enrg_column_view){.values = data.i8};
	views[1] = (struct enrg_column_view){.values = data.u16};
	views[2] = (struct enrg_column_view){.values = data.f32};
	views[3] = (struct enrg_column_view){.values = data.i64};
	views[4] = (struct enrg_column_view){.values = data.bits};
	views[5] = (struct enrg_column_view){.values = data.text, .offsets = data.text_ends};
	views[6] = (struct enrg_column_view){.values = data.wave, .offsets = data.wave_ends};
}

/* What one commit of these rows gives, against each row by itself. */
static void expect_rows(const struct enrg_schema *of, const uint32_t *kept, uint32_t count)
{
	const struct stream_params params = {.path = path,
		.source = "p",
		.run = "r",
		.supervisor = "s",
		.data_bytes = 1 << 20,
		.record_bytes_max = 1 << 16};
	const struct enrg_batch batch = {.schema = of, .rows = ROWS, .columns = views, .acquired_ns = 77};
	struct enrg_column_view got[7];
	struct enrg_batch read = {0};
	struct enrg_job job = {0};
	struct enrg_output *output;
	struct consumer *consumer;
	struct consumer_record record;
	struct stream *stream;

	assert_int_equal(stream_create(&params, NULL), 0);
	assert_int_equal(stream_add_consumer(path, "store", NULL), 0);
	assert_int_equal(stream_open(path, 0, &stream, NULL), 0);
	const struct outputs_params outputs = {.stream = stream,
		.producers = 1,
		.source = "p",
		.run = "r",
		.groups = groups,
		.read_groups = "store_config "};
	assert_int_equal(outputs_create(&outputs, &job.outputs, NULL), 0);
	assert_int_equal(enrg_output_open(&job, "store_config", NULL, of, &output, NULL), 0);
	assert_int_equal(rows_commit(output, &batch, kept, count, NULL), 0);
	assert_int_equal(consumer_open(path, "store", UINT64_MAX, &consumer, NULL), 0);
	assert_int_equal(consumer_acquire(consumer, &record, NULL), 1);
	assert_int_equal(record.header->acquired_ns, 77);
	assert_int_equal(ipc_decode_batch(of, record.payload, record.header->meta_bytes + record.header->body_bytes,
				 got, &read, NULL),
		0);
	assert_int_equal(read.rows, count);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t row = kept[i];
		assert_int_equal(((const int8_t *)got[0].values)[i], data.i8[row]);
		assert_int_equal(((const uint16_t *)got[1].values)[i], data.u16[row]);
		assert_true(((const float *)got[2].values)[i] == data.f32[row]);
		assert_int_equal(((const int64_t *)got[3].values)[i],
			views[3].validity && !enrg_column_present(&views[3], row) ? 0 : data.i64[row]);
		if (of->column_count < 7)
			continue;
		assert_int_equal(((const uint8_t *)got[4].values)[i / 8] >> (i % 8) & 1, row % 3 == 0);
		int32_t length = data.text_ends[row + 1] - data.text_ends[row];
		assert_int_equal(got[5].offsets[i + 1] - got[5].offsets[i], length);
		assert_memory_equal((const char *)got[5].values + got[5].offsets[i], data.text + data.text_ends[row],
			(size_t)length);
		length = data.wave_ends[row + 1] - data.wave_ends[row];
		assert_int_equal(got[6].offsets[i + 1] - got[6].offsets[i], length);
		assert_memory_equal((const int16_t *)got[6].values + got[6].offsets[i], data.wave + data.wave_ends[row],
			(size_t)length * sizeof(int16_t));
	}
	consumer_close(consumer);
	outputs_destroy(job.outputs);
	stream_close(stream, true);
	unlink(path);
}

static void every_type_of_column(void **state)
{
	uint32_t all[ROWS], some[] = {0, 3, 4, 5, 11, 12, 38, 39}, run[] = {9, 10, 11, 12, 13, 14, 15, 16, 17},
			    one[] = {17};

	(void)state;
	fill();
	for (uint32_t i = 0; i < ROWS; i++)
		all[i] = i;
	for (int nulls = 0; nulls < 2; nulls++) {
		views[3].validity = nulls ? data.validity : NULL;
		views[3].null_count = nulls ? 2 : 0;
		data.validity[1] = nulls ? 0xf7 : 0xff; /* row 11 */
		data.validity[4] = nulls ? 0x7f : 0xff; /* row 39 */
		for (int plain = 0; plain < 2; plain++) {
			const struct enrg_schema *of = plain ? &plain_schema : &schema;
			expect_rows(of, all, ROWS);
			expect_rows(of, some, 8);
			expect_rows(of, run, 9);
			expect_rows(of, one, 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(every_type_of_column, setup, teardown)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* arrow_record_test.c: an .arrows file that has grown large goes on. In the test process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "arrow/ipc.h"
#include "base/crc32c.h"
#include "job/file/handle.h"
#include "record.h"

#define LARGE_ROWS 700000000ull /* 5.6 GB in one column of int64 */
#define ROWS       4u

static const struct enrg_column columns[] = {{.name = "n", .type = ENRG_I64}};
static const struct enrg_schema schema = {.column_count = 1, .columns = columns};
static char folder[] = "/tmp/enrg-arrow-XXXXXX", journal_path[64], path[64];
static struct enrg_store *store;
static struct ipc_template *template;

static void open_store(void)
{
	assert_int_equal(store_create_alone("arrow", journal_path, &store, NULL), 0);
}

static int set_up(void **state)
{
	const struct ipc_origin origin = {"source", "run", ""};

	(void)state;
	strcpy(folder, "/tmp/enrg-arrow-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
	snprintf(path, sizeof(path), "%s/file.arrows", folder);
	open_store();
	return ipc_template_create(&schema, &origin, &template, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	store_destroy_alone(store);
	ipc_template_destroy(template);
	unlink(journal_path);
	unlink(path);
	return rmdir(folder);
}

static struct record *open_record(void)
{
	struct record *record = NULL;

	assert_int_equal(record_open(store, &(struct record_params){path, "source", "", &schema}, &record, NULL), 0);
	return record;
}

/* Returns the bytes of the message. */
static uint64_t write_batch(struct record *record, uint64_t sequence)
{
	const uint64_t variable = 0;
	struct ipc_stamp stamp = {.sequence = sequence, .epoch = 1, .acquired_ns = 1};
	struct ipc_column_place place;
	uint64_t body_bytes = ipc_place_columns(template, ROWS, &variable, &place);
	uint32_t meta_bytes = ipc_meta_bytes(template);
	uint8_t *message = calloc(1, meta_bytes + body_bytes);

	assert_non_null(message);
	for (uint64_t i = 0, value = sequence * 100; i < ROWS; i++, value++)
		memcpy(message + meta_bytes + place.values_offset + i * sizeof(value), &value, sizeof(value));
	stamp.body_crc = crc32c(0, message + meta_bytes, body_bytes);
	ipc_write_meta(template, message, ROWS, &variable, &stamp);
	assert_int_equal(record_write(record, message, meta_bytes + body_bytes, NULL), 0);
	free(message);
	return meta_bytes + body_bytes;
}

static void commit(struct record *record)
{
	assert_int_equal(record_commit(record, NULL), 0);
	store_commit_alone(store);
}

/* A message whose body is a hole. Only the check sum of the last body of a file is computed when it is opened. */
static void write_large(struct record *record, uint64_t sequence)
{
	const uint64_t variable = 0;
	const struct ipc_stamp stamp = {.sequence = sequence, .epoch = 1, .acquired_ns = 1};
	struct ipc_column_place place;
	uint64_t body_bytes = ipc_place_columns(template, LARGE_ROWS, &variable, &place);
	uint32_t meta_bytes = ipc_meta_bytes(template);
	uint8_t *meta = calloc(1, meta_bytes);

	assert_non_null(meta);
	ipc_write_meta(template, meta, LARGE_ROWS, &variable, &stamp);
	assert_int_equal(record_write(record, meta, meta_bytes, NULL), 0);
	assert_int_equal(record_commit(record, NULL), 0); /* out of the buffer */
	free(meta);
	record->file->size += body_bytes;
	assert_int_equal(ftruncate(enrg_file_descriptor(record->file), (off_t)record->file->size), 0);
}

static void check_last(const struct record *record, uint64_t bytes, uint64_t sequence)
{
	uint8_t *message = aligned_alloc(64, (bytes + 63) / 64 * 64);
	struct enrg_column_view view;
	struct enrg_batch batch = {.columns = &view};
	int64_t first;

	assert_non_null(message);
	assert_int_equal(pread(enrg_file_descriptor(record->file), message, bytes,
				 (off_t)(enrg_file_size(record->file) - bytes)),
		bytes);
	assert_int_equal(ipc_decode_batch(&schema, message, bytes, &view, &batch, NULL), 0);
	assert_int_equal(batch.sequence, sequence);
	assert_int_equal(batch.rows, ROWS);
	memcpy(&first, view.values, sizeof(first));
	assert_int_equal(first, sequence * 100);
	free(message);
}

static void a_file_goes_on_beyond_4_gb(void **state)
{
	struct record *record = open_record();
	uint64_t bytes, size;

	(void)state;
	write_batch(record, 1);
	write_large(record, 2);
	bytes = write_batch(record, 3);
	commit(record);
	size = enrg_file_size(record->file);
	assert_true(size > 5ull << 30);
	write_batch(record, 4); /* lost by the kill */
	record_close(record);
	store_destroy_alone(store);
	open_store();
	record = open_record();
	assert_int_equal(enrg_file_size(record->file), size);
	check_last(record, bytes, 3);
	write_batch(record, 4);
	commit(record);
	check_last(record, bytes, 4);
	record_close(record);
	store_destroy_alone(store);
	/* A power cut: no journal, and the last batch is not whole. */
	unlink(journal_path);
	assert_int_equal(truncate(path, (off_t)(size + bytes - 1)), 0);
	open_store();
	record = open_record();
	assert_int_equal(enrg_file_size(record->file), size);
	check_last(record, bytes, 3);
	record_close(record);
}

/* Files of before, whose metadata is laid out otherwise, are continued. */
static void an_earlier_file_goes_on(void **state)
{
	static const char earlier[] = ENRG_SOURCE_DIR "/tests/fuzz/corpus/arrow_file/whole";
	struct enrg_schema *found = NULL;
	struct record *record = NULL;
	uint8_t bytes[8192];
	FILE *stream = fopen(earlier, "rbe");

	(void)state;
	assert_non_null(stream);
	size_t count = fread(bytes, 1, sizeof(bytes), stream);
	fclose(stream);
	assert_int_equal(ipc_decode_schema(bytes, count, &found, NULL), 0);
	stream = fopen(path, "wbe");
	assert_non_null(stream);
	assert_int_equal(fwrite(bytes, 1, count, stream), count);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(record_open(store, &(struct record_params){path, "source", "", found}, &record, NULL), 0);
	assert_int_equal(enrg_file_size(record->file), count - 8); /* without its end mark */
	record_close(record);
	free(found);
}

/* A hundred files that are closed at once do not hold up a stop for a minute; those of tomorrow are merged again. */
static void merging_takes_10_seconds_a_minute(void **state)
{
	struct record_budget budget = {0};
	uint64_t now = 5, merged = 0;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		if (!record_budget_has(&budget, now))
			continue;
		budget.spent_ns += 1000000000;
		now += 1000000000;
		merged++;
	}
	assert_int_equal(merged, 10);
	assert_false(record_budget_has(&budget, now));
	now += RECORD_BUDGET_PERIOD_NS;
	assert_true(record_budget_has(&budget, now));
	assert_int_equal(budget.spent_ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_goes_on_beyond_4_gb, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_earlier_file_goes_on, set_up, tear_down),
		cmocka_unit_test(merging_takes_10_seconds_a_minute),
	};

	return cmocka_run_group_tests_name("plugin.arrow_record", tests, NULL, NULL);
}

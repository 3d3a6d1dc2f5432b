/* raw_output_test.c: what stands in the files of the raw store. In the test process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "job/file/handle.h"
#include "output.h"

static char folder[] = "/tmp/enrg-raw-XXXXXX", journal_path[64], path[64];
static struct enrg_store *store;

static void open_store(void)
{
	struct enrg_error err;

	assert_int_equal(store_create_alone("raw", journal_path, &store, &err), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/enrg-raw-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
	snprintf(path, sizeof(path), "%s/file.bin", folder);
	open_store();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_destroy_alone(store);
	unlink(journal_path);
	unlink(path);
	return rmdir(folder);
}

static struct output *open_output(enum output_mode mode)
{
	const struct output_params params = {
		.path = path, .source = "camera", .mode = mode, .schema = enrg_schema_blob()};
	struct output *output = NULL;
	struct enrg_error err;

	assert_int_equal(output_open(store, &params, &output, &err), 0);
	return output;
}

static void write_text(struct output *output, const char *text)
{
	const int32_t offsets[] = {0, (int32_t)strlen(text)};
	const struct enrg_column_view view = {.offsets = offsets, .values = text, .value_count = strlen(text)};
	const struct enrg_batch batch = {.schema = enrg_schema_blob(), .rows = 1, .columns = &view};
	struct enrg_error err;

	assert_int_equal(output_write(output, &batch, &err), 0);
}

static void commit(struct output *output)
{
	struct enrg_error err;

	assert_int_equal(output_commit(store, output, &err), 0);
	store_commit_alone(store);
}

static void check_content(const char *expected)
{
	char found[100] = "";
	FILE *stream = fopen(path, "r");

	assert_non_null(stream);
	assert_int_equal(fread(found, 1, sizeof(found) - 1, stream), strlen(expected));
	fclose(stream);
	assert_string_equal(found, expected);
}

static void appended_messages_stand_in_order(void **state)
{
	struct output *output = open_output(OUTPUT_APPEND);

	(void)state;
	write_text(output, "one");
	write_text(output, "");
	write_text(output, "two");
	commit(output);
	check_content("onetwo");
	write_text(output, "lost by the kill");
	output_close(output);
	store_destroy_alone(store);
	open_store();
	output = open_output(OUTPUT_APPEND);
	write_text(output, "three");
	commit(output);
	output_close(output);
	check_content("onetwothree");
}

static void newest_replaces_with_a_commit_alone(void **state)
{
	struct output *output = open_output(OUTPUT_NEWEST);
	struct stat before, after;

	(void)state;
	write_text(output, "a long first message");
	assert_int_equal(access(path, F_OK), -1);
	write_text(output, "second");
	commit(output);
	check_content("second");
	assert_int_equal(stat(path, &before), 0);
	commit(output);
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino == after.st_ino); /* nothing new: not touched */
	/* A reader that has the old one open keeps the old one. */
	FILE *reader = fopen(path, "r");
	char found[20] = "";
	write_text(output, "third");
	commit(output);
	assert_int_equal(fread(found, 1, sizeof(found), reader), 6);
	assert_string_equal(found, "second");
	fclose(reader);
	check_content("third");
	write_text(output, "");
	commit(output);
	check_content("");
	output_close(output);
}

static void gaps_write_nothing(void **state)
{
	struct output *output = open_output(OUTPUT_NEWEST);
	const struct enrg_column_view view = {0};
	const struct enrg_batch gap = {.schema = enrg_schema_blob(), .columns = &view, .is_gap = true};

	(void)state;
	write_text(output, "image");
	assert_int_equal(output_write(output, &gap, NULL), 0);
	commit(output);
	check_content("image");
	output_close(output);
}

static void one_path_has_one_mode(void **state)
{
	struct output *output = open_output(OUTPUT_APPEND);
	struct output_params params = {.path = path, .mode = OUTPUT_NEWEST, .schema = enrg_schema_blob()};

	(void)state;
	assert_int_equal(output_fits(output, &params, NULL), ENRG_FILE_IS_OTHER);
	params.mode = OUTPUT_APPEND;
	assert_int_equal(output_fits(output, &params, NULL), 0);
	output_close(output);
}

/* A hole stands for what was written before. */
static void a_file_goes_on_beyond_4_gb(void **state)
{
	const uint64_t hole = 5ull << 30;
	struct output *output = open_output(OUTPUT_APPEND);
	struct stat status;
	char found[9] = "";

	(void)state;
	write_text(output, "one");
	commit(output);
	output->file->size += hole;
	assert_int_equal(ftruncate(enrg_file_descriptor(output->file), (off_t)output->file->size), 0);
	write_text(output, "two");
	commit(output);
	write_text(output, "lost by the kill");
	output_close(output);
	store_destroy_alone(store);
	open_store();
	output = open_output(OUTPUT_APPEND);
	assert_int_equal(enrg_file_size(output->file), hole + 6);
	write_text(output, "three");
	commit(output);
	assert_int_equal(pread(enrg_file_descriptor(output->file), found, 8, (off_t)hole + 3), 8);
	assert_string_equal(found, "twothree");
	output_close(output);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, hole + 11);
}

/* Past the page cache, in pieces: no byte is lost, doubled or moved. */
static void large_messages_lie_anywhere(void **state)
{
	static const uint32_t sizes[] = {
		7, (2u << 20) + 5, 3, 5u << 20, (5u << 20) + 1, 4096, 13000001, (2u << 20) - 1, 10u << 20, 16000000};
	static const struct enrg_file_options options = {.rules = {.direct_io = true}};
	uint8_t *bytes = malloc(17000000);
	struct output *output;
	struct enrg_error err;
	FILE *stream;

	(void)state;
	assert_non_null(bytes);
	for (uint32_t i = 0; i < 17000000; i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 11 ^ i >> 19);
	enrg_store_set_files(store, &options);
	output = open_output(OUTPUT_APPEND);
	for (uint32_t i = 0; i < 10; i++) {
		const int32_t offsets[] = {(int32_t)i * 100, (int32_t)(i * 100 + sizes[i])};
		const struct enrg_column_view view = {.offsets = offsets, .values = bytes};
		const struct enrg_batch batch = {.schema = enrg_schema_blob(), .rows = 1, .columns = &view};

		assert_int_equal(output_write(output, &batch, &err), 0);
		commit(output);
	}
	output_close(output);
	stream = fopen(path, "r");
	assert_non_null(stream);
	for (uint32_t i = 0; i < 10; i++) {
		uint8_t *found = malloc(sizes[i]);

		assert_int_equal(fread(found, 1, sizes[i], stream), sizes[i]);
		assert_memory_equal(found, bytes + i * 100, sizes[i]);
		free(found);
	}
	assert_int_equal(fgetc(stream), EOF);
	fclose(stream);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(appended_messages_stand_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(newest_replaces_with_a_commit_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(gaps_write_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_path_has_one_mode, set_up, tear_down),
		cmocka_unit_test_setup_teardown(large_messages_lie_anywhere, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_goes_on_beyond_4_gb, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("plugin.raw_output", tests, NULL, NULL);
}

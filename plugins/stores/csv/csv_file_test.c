/* csv_file_test.c: a CSV file that has grown large goes on. In the test process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "job/file/handle.h"
#include "number/number.h"
#include "csv_file.h"

#define HOLE_BYTES ((1ull << 31) + 12345) /* the file is read through when it is opened again */

static const struct enrg_column columns[] = {{.name = "n", .type = ENRG_I64}, {.name = "m", .type = ENRG_I64}};
static const struct enrg_schema schema = {.column_count = 2, .columns = columns};
static char folder[] = "/tmp/enrg-csv-XXXXXX", journal_path[64], path[64];
static struct enrg_store *store;

static void open_store(void)
{
	assert_int_equal(store_create_alone("csv", journal_path, &store, NULL), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/enrg-csv-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
	snprintf(path, sizeof(path), "%s/file.csv", folder);
	number_init();
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

static struct csv_file *open_table(void)
{
	const struct csv_file_params params = {.path = path, .schema = &schema};
	struct csv_file *table = NULL;

	assert_int_equal(csv_file_open(store, &params, &table, NULL), 0);
	return table;
}

static void write_row(struct csv_file *table, int64_t value)
{
	const struct enrg_column_view views[] = {
		{.values = &value, .value_count = 1}, {.values = &value, .value_count = 1}};
	const struct enrg_batch batch = {.schema = &schema, .rows = 1, .columns = views};

	assert_int_equal(csv_file_write(table, &batch, NULL), 0);
}

static void commit(struct csv_file *table)
{
	assert_int_equal(csv_file_commit(store, table, NULL), 0);
	store_commit_alone(store);
}

/* A hole stands for a long first cell of the second row. */
static void a_file_goes_on_beyond_2_gb(void **state)
{
	const char head[] = "n,m\n1,1\n", tail[] = "2,2\n3,3\n";
	struct csv_file *table = open_table();
	char found[sizeof(tail)] = "";

	(void)state;
	write_row(table, 1);
	commit(table);
	table->file->size += HOLE_BYTES;
	assert_int_equal(ftruncate(enrg_file_descriptor(table->file), (off_t)table->file->size), 0);
	write_row(table, 2);
	commit(table);
	write_row(table, 77); /* lost by the kill */
	csv_file_close(table);
	store_destroy_alone(store);
	open_store();
	table = open_table();
	assert_int_equal(enrg_file_size(table->file), strlen(head) + HOLE_BYTES + 4);
	write_row(table, 3);
	commit(table);
	assert_int_equal(
		pread(enrg_file_descriptor(table->file), found, sizeof(found), (off_t)(strlen(head) + HOLE_BYTES)),
		strlen(tail));
	assert_string_equal(found, tail);
	csv_file_close(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_goes_on_beyond_2_gb, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("plugin.csv_table", tests, NULL, NULL);
}

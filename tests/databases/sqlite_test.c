/* sqlite_test.c: DAQJobStoreSQLite, what the conformance suite does not ask. Read back with the program sqlite3. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../conformance/data.h"
#include "../conformance/harness.h"
#include "databases.h"
#include "reading.h"

static char folder[300], journal_path[400], store_keys[100];
static struct store_kind kind = {.name = "sqlite",
	.module = "sqlite",
	.type = "DAQJobStoreSQLite",
	.store_keys = store_keys,
	.section_keys = "file_path = \"t.sqlite\"",
	.has_out_dir = true,
	.is_database = true};
static struct harness *life;
static struct enrg_error err;

#define GOOD(call) \
	do { \
		if ((call) < 0) \
			fail_msg("line %d: %s", __LINE__, err.text); \
	} while (0)

static int new_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "%s/XXXXXX", getenv("SQLITE_FOLDER"));
	if (!mkdtemp(folder))
		return -1;
	snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
	store_keys[0] = '\0';
	return 0;
}

static char *query(const char *sql)
{
	char command[1024];

	snprintf(command, sizeof(command), "sqlite3 %s/t.sqlite \"%s\"", folder, sql);
	return reading_run(command, NULL);
}

static void expect(const char *sql, const char *wanted)
{
	char *text = query(sql);

	assert_string_equal(text, wanted);
	free(text);
}

static void open_life(void)
{
	if (harness_open(&kind, journal_path, folder, &life, &err) < 0)
		fail_msg("%s", err.text);
}

static const struct harness_table plain = {
	.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "table_name = \"plain\""};

static void missing_columns_are_named(void **state)
{
	(void)state;
	free(query("CREATE TABLE plain (N INTEGER, comment TEXT)"));
	open_life();
	assert_true(harness_write(life, &plain, 0, 5, 0, &err) < 0);
	assert_non_null(strstr(err.text, "plain has no column flag"));
	assert_non_null(strstr(err.text, "add_columns"));
	harness_kill(life);
	expect("SELECT COUNT(*) FROM pragma_table_info('plain')", "2\n");
	strcpy(store_keys, "add_columns = true");
	open_life();
	GOOD(harness_write(life, &plain, 0, 5, 0, &err));
	GOOD(harness_close(life, &err));
	expect("SELECT COUNT(*), COUNT(flag), COUNT(comment) FROM plain", "5|5|0\n");
}

static void missing_tables_may_stay_missing(void **state)
{
	(void)state;
	strcpy(store_keys, "create_tables = false");
	open_life();
	assert_true(harness_write(life, &plain, 0, 5, 0, &err) < 0);
	assert_non_null(strstr(err.text, "no table plain"));
	assert_non_null(strstr(err.text, "create_tables"));
	harness_kill(life);
}

static void other_files_are_left_alone(void **state)
{
	char command[500];

	(void)state;
	snprintf(command, sizeof(command), "yes 'notes of somebody' | head -c 10000 > %s/t.sqlite", folder);
	free(reading_run(command, NULL));
	open_life();
	assert_true(harness_write(life, &plain, 0, 5, 0, &err) < 0);
	assert_non_null(strstr(err.text, "t.sqlite"));
	assert_non_null(strstr(err.text, "not a database"));
	harness_kill(life);
	snprintf(command, sizeof(command), "yes 'notes of somebody' | head -c 10000 | cmp - %s/t.sqlite", folder);
	free(reading_run(command, NULL));
}

static void what_sqlite_has_not_is_kept_otherwise(void **state)
{
	static const struct enrg_column columns[] = {
		{"x", ENRG_F64, 0, NULL}, {"t", ENRG_STRING, 0, NULL}, {"u", ENRG_U64, 0, NULL}};
	static const struct enrg_schema schema = {.column_count = 3, .columns = columns};
	const struct harness_table table = {
		.source = "s", .tag = "", .schema = &schema, .more_keys = "table_name = \"odd\""};
	const double x[4] = {NAN, INFINITY, -0.5, 1e-310};
	const uint64_t u[4] = {UINT64_MAX, INT64_MAX, (uint64_t)INT64_MAX + 1, 3};
	const int32_t offsets[5] = {0, 3, 5, 5, 6};
	const uint8_t validity = 0x7;
	const struct enrg_column_view views[3] = {{.values = x, .value_count = 4},
		{.values = "a\xFF"
			   "b\xC3\xBCz",
			.offsets = offsets,
			.value_count = 6},
		{.values = u, .validity = &validity, .value_count = 4, .null_count = 1}};
	const struct enrg_batch batch = {.rows = 4, .columns = views};

	(void)state;
	open_life();
	GOOD(harness_write_batch(life, &table, &batch, &err));
	GOOD(harness_close(life, &err));
	expect("SELECT quote(x), hex(t), quote(u) FROM odd",
		"NULL|61FF62|'18446744073709551615'\nInf|C3BC|9223372036854775807\n"
		"-0.5||'9223372036854775808'\n9.99999999999997e-311|7A|NULL\n");
	expect("SELECT x = 1e-310 FROM odd WHERE u IS NULL", "1\n");
}

/* Another program writes for longer than the store waits: an error that says so, and the batches come again. */
static void locks_are_waited_for(void **state)
{
	char command[600];

	(void)state;
	open_life();
	GOOD(harness_write(life, &plain, 0, 5, 0, &err));
	GOOD(harness_commit(life, 1, &err));
	snprintf(command, sizeof(command),
		"cd %s && python3 -c \"import sqlite3, time; c = sqlite3.connect('t.sqlite', isolation_level=None); "
		"c.execute('BEGIN IMMEDIATE'); open('locked', 'w'); time.sleep(7); c.execute('COMMIT')\" >/dev/null & "
		"until [ -e %s/locked ]; do sleep 0.01; done",
		folder, folder);
	free(reading_run(command, NULL));
	assert_true(harness_write(life, &plain, 5, 5, 0, &err) < 0);
	assert_non_null(strstr(err.text, "locked"));
	for (int tries = 0; tries < 5; tries++) {
		GOOD(harness_roll_back(life, &err));
		if (harness_write(life, &plain, 5, 5, 0, &err) == 0)
			break;
	}
	GOOD(harness_commit(life, 2, &err));
	GOOD(harness_close(life, &err));
	expect("SELECT COUNT(*), COUNT(DISTINCT n) FROM plain", "10|10\n");
}

int databases_test_sqlite(void)
{
#define TEST(function) cmocka_unit_test_setup(function, new_folder)
	const struct CMUnitTest tests[] = {
		TEST(missing_columns_are_named),
		TEST(missing_tables_may_stay_missing),
		TEST(other_files_are_left_alone),
		TEST(what_sqlite_has_not_is_kept_otherwise),
		TEST(locks_are_waited_for),
	};

	return cmocka_run_group_tests_name("databases.sqlite", tests, NULL, NULL);
}

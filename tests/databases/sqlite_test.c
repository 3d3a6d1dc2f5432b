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

#include "databases.h"
#include "life.h"
#include "reading.h"

static char folder[300], store_keys[600];
static struct store_kind kind = {.name = "sqlite",
	.module = "sqlite",
	.type = "DAQJobStoreSQLite",
	.store_keys = store_keys,
	.section_keys = "file_path = \"t.sqlite\"",
	.has_out_dir = true,
	.is_database = true};

static int new_folder(void **state)
{
	snprintf(folder, sizeof(folder), "%s/XXXXXX", getenv("SQLITE_FOLDER"));
	if (!mkdtemp(folder))
		return -1;
	store_keys[0] = '\0';
	life_set(&kind, folder);
	return life_new_journal(state);
}

static char *query(const char *sql)
{
	char command[1024];

	snprintf(command, sizeof(command), "sqlite3 %s/t.sqlite \"%s\"", folder, sql);
	return reading_run(command, NULL);
}

static void expect(const char *sql, const char *wanted)
{
	life_expect(sql, query(sql), wanted);
}

static const struct harness_table plain = {
	.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "table_name = \"plain\""};

static void missing_columns_are_named(void **state)
{
	(void)state;
	free(query("CREATE TABLE plain (N INTEGER, comment TEXT)"));
	life_refuses(&plain, "plain has no column flag");
	assert_non_null(strstr(err.text, "add_columns"));
	expect("SELECT COUNT(*) FROM pragma_table_info('plain')", "2\n");
	strcpy(store_keys, "add_columns = true");
	life_open();
	GOOD(harness_write(life, &plain, 0, 5, 0, &err));
	GOOD(harness_close(life, &err));
	expect("SELECT COUNT(*), COUNT(flag), COUNT(comment) FROM plain", "5|5|0\n");
}

static void missing_tables_may_stay_missing(void **state)
{
	(void)state;
	strcpy(store_keys, "create_tables = false");
	life_refuses(&plain, "no table plain");
	assert_non_null(strstr(err.text, "create_tables"));
}

static void other_files_are_left_alone(void **state)
{
	char command[500];

	(void)state;
	snprintf(command, sizeof(command), "yes 'notes of somebody' | head -c 10000 > %s/t.sqlite", folder);
	free(reading_run(command, NULL));
	life_refuses(&plain, "t.sqlite");
	assert_non_null(strstr(err.text, "not a database"));
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
	life_open();
	GOOD(harness_write_batch(life, &table, &batch, &err));
	GOOD(harness_close(life, &err));
	/* releases of SQLite print an infinity, and the last digits of a number, each in its own way */
	expect("SELECT CASE x WHEN 9e999 THEN 'infinite' WHEN -0.5 THEN 'half' WHEN 1e-310 THEN 'tiny' ELSE quote(x) "
	       "END, "
	       "hex(t), quote(u) FROM odd",
		"NULL|61FF62|'18446744073709551615'\ninfinite|C3BC|9223372036854775807\n"
		"half||'9223372036854775808'\ntiny|7A|NULL\n");
}

static void odd_names_are_kept_apart(void **state)
{
	const struct harness_table table = {
		.source = "s", .tag = "a/b;", .schema = &life_odd_names, .more_keys = "table_name = \"drop table\""};
	const struct harness_table own = {
		.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "table_name = \"sqlite_x\""};

	(void)state;
	life_write_odd_names(&table);
	char *names = query("SELECT group_concat(name) FROM pragma_table_info('drop_table_a_b_')");
	assert_int_equal(strncmp(names, life_odd_names_cleaned, strlen(life_odd_names_cleaned)), 0);
	assert_int_equal(strlen(names), strlen(life_odd_names_cleaned) + 9);
	free(names);
	expect("SELECT * FROM drop_table_a_b_", "1|2|3|4|5|6\n-1|-2|-3|-4|-5|-6\n");
	life_refuses(&own, "reserved for internal use");
}

static void tags_that_share_a_table_are_told(void **state)
{
	const struct harness_table tables[3] = {
		{.source = "s", .tag = "A b", .schema = &data_narrow, .more_keys = "table_name = \"sharing\""},
		{.source = "s", .tag = "a_b", .schema = &data_narrow, .more_keys = "table_name = \"sharing\""},
		{.source = "other", .tag = "A b", .schema = &data_narrow, .more_keys = "table_name = \"sharing\""}};

	(void)state;
	life_check_shared(tables, "the tags \"A b\" and \"a_b\" share sharing_A_b:");
	expect("SELECT COUNT(*) FROM sharing_a_b", "15\n");
}

static void other_columns_in_the_middle_wait_or_are_added(void **state)
{
	static const struct enrg_column columns[] = {{"n", ENRG_I64, 0, NULL}, {"pressure", ENRG_F64, 0, NULL}};
	static const struct enrg_schema schema = {.column_count = 2, .columns = columns};
	const struct harness_table after = {
		.source = "s", .tag = "", .schema = &schema, .more_keys = "table_name = \"plain\""};

	(void)state;
	life_open();
	GOOD(harness_write(life, &plain, 0, 5, 0, &err));
	GOOD(harness_commit(life, 1, &err));
	assert_true(harness_write(life, &after, 5, 5, 0, &err) < 0);
	assert_non_null(strstr(err.text, "plain has no column pressure"));
	harness_kill(life);
	strcpy(store_keys, "add_columns = true");
	life_open();
	GOOD(harness_write(life, &after, 5, 5, 0, &err));
	GOOD(harness_commit(life, 2, &err));
	GOOD(harness_close(life, &err));
	expect("SELECT COUNT(*), COUNT(DISTINCT n), COUNT(flag), COUNT(pressure) FROM plain", "10|10|5|5\n");
}

static void wider_tables_than_sqlite_has_are_an_error(void **state)
{
	const struct harness_table table = {
		.source = "s", .tag = "", .schema = life_make_wide(2001), .more_keys = "table_name = \"wide\""};

	(void)state;
	life_refuses(&table, "t.sqlite: too many columns: \"s\" sends 2001, and a table of SQLite has at most 2000");
}

static void files_outside_of_out_dir_are_refused(void **state)
{
	static const struct store_kind outside = {.name = "sqlite",
		.module = "sqlite",
		.type = "DAQJobStoreSQLite",
		.store_keys = "",
		.section_keys = "file_path = \"../t.sqlite\"",
		.has_out_dir = true,
		.is_database = true};

	(void)state;
	life_set(&outside, folder);
	life_refuses(&plain, "expected a name below out_dir");
}

static void a_file_of_two_names_is_opened_once(void **state)
{
	static const struct store_kind named = {.name = "sqlite",
		.module = "sqlite",
		.type = "DAQJobStoreSQLite",
		.store_keys = "",
		.section_keys = "table_name = \"plain\"",
		.has_out_dir = true,
		.is_database = true};
	const struct harness_table one = {
		.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "file_path = \"t.sqlite\""};
	const struct harness_table two = {
		.source = "other", .tag = "", .schema = &data_narrow, .more_keys = "file_path = \"./t.sqlite\""};

	(void)state;
	life_set(&named, folder);
	life_open();
	GOOD(harness_write(life, &one, 0, 5, 0, &err));
	GOOD(harness_write(life, &two, 5, 5, 0, &err));
	GOOD(harness_commit(life, 1, &err));
	GOOD(harness_close(life, &err));
	expect("SELECT COUNT(*), COUNT(DISTINCT n) FROM plain", "10|10\n");
}

static void big_objects_are_kept(void **state)
{
	const struct harness_table table = {
		.source = "camera", .tag = "", .schema = enrg_schema_blob(), .more_keys = "table_name = \"frames\""};
	const int32_t offsets[2] = {0, 17000000};
	char *bytes = malloc(17000000);
	struct enrg_column_view view = {.values = bytes, .offsets = offsets, .value_count = 17000000};
	const struct enrg_batch batch = {.rows = 1, .columns = &view};

	(void)state;
	memset(bytes, 'x', 17000000);
	life_open();
	GOOD(harness_write_batch(life, &table, &batch, &err));
	GOOD(harness_commit(life, 1, &err));
	GOOD(harness_close(life, &err));
	free(bytes);
	expect("SELECT length(bytes), replace(CAST(bytes AS TEXT), 'x', '') = '' FROM frames", "17000000|1\n");
}

/* Another program writes for longer than the store waits: an error that says so, and the batches come again. */
static void locks_are_waited_for(void **state)
{
	char command[1200];

	(void)state;
	life_open();
	GOOD(harness_write(life, &plain, 0, 5, 0, &err));
	GOOD(harness_commit(life, 1, &err));
	snprintf(command, sizeof(command),
		"cd %s && python3 -c \"import os, sqlite3, time; c = sqlite3.connect('t.sqlite', "
		"isolation_level=None); "
		"c.execute('BEGIN IMMEDIATE'); open('locked', 'w')\nwhile not os.path.exists('release'): "
		"time.sleep(0.01)\" >/dev/null & until [ -e %s/locked ]; do sleep 0.01; done",
		folder, folder);
	free(reading_run(command, NULL));
	int rc = harness_write(life, &plain, 5, 5, 0, &err);
	snprintf(command, sizeof(command), "touch %s/release", folder);
	free(reading_run(command, NULL));
	assert_true(rc < 0);
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

static void run(const char *what)
{
	char command[900];

	snprintf(command, sizeof(command), "cd %s && { %s; }", folder, what);
	free(reading_run(command, NULL));
}

/* Of 1,000 rows each. */
static void write_commits(unsigned count)
{
	for (unsigned i = 1; i <= count; i++) {
		GOOD(harness_write(life, &plain, 1000 * (i - 1), 1000, 0, &err));
		GOOD(harness_commit(life, i, &err));
		assert_int_equal(harness_watch(life), 0);
	}
}

/* What other programs may do to a database that is open is no alarm. */
static void a_vacuum_and_a_checkpoint_are_no_alarm(void **state)
{
	(void)state;
	life_open();
	write_commits(20);
	run("sqlite3 t.sqlite 'PRAGMA wal_checkpoint(TRUNCATE)'");
	GOOD(harness_tick(life, &err));
	assert_int_equal(harness_watch(life), 0);
	run("sqlite3 t.sqlite 'DELETE FROM plain; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)'");
	GOOD(harness_tick(life, &err));
	assert_int_equal(harness_watch(life), 0);
	write_commits(1);
	GOOD(harness_close(life, &err));
}

static void what_is_cut_or_removed_is_told(void **state)
{
	static const char *const acts[] = {": > t.sqlite-wal", ": > t.sqlite", "rm t.sqlite", "rm t.sqlite-wal",
		"rm t.sqlite-shm", "cp t.sqlite u; mv u t.sqlite"};
	static const char *const words[] = {"-wal was cut", "t.sqlite was cut", "t.sqlite was removed",
		"-wal was removed", "-shm was removed", "t.sqlite was replaced"};

	(void)state;
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		run("rm -f t.sqlite*");
		if (i > 0) {
			life_remove_journal(state);
			life_new_journal(state);
		}
		life_open();
		write_commits(2);
		if (i > 0)
			run("sqlite3 t.sqlite 'PRAGMA wal_checkpoint(PASSIVE)'");
		assert_int_equal(harness_watch(life), 0);
		life_catch_log();
		run(acts[i]);
		GOOD(harness_tick(life, &err));
		assert_int_equal(harness_watch(life), 1);
		char *text = life_end_catch();
		if (!strstr(text, words[i]))
			fail_msg("%s: \"%s\" is not in \"%s\"", acts[i], words[i], text);
		free(text);
		GOOD(harness_roll_back(life, &err));
		GOOD(harness_write(life, &plain, 2000, 1000, 0, &err));
		GOOD(harness_commit(life, 3, &err));
		GOOD(harness_close(life, &err));
		expect("SELECT COUNT(*) FROM plain WHERE n IS NOT NULL", i <= 2 ? "1000\n" : "3000\n");
	}
}

/* A reader that never ends lets the log grow. Its length alone counts here, so that the test need not write it. */
static void a_log_that_grows_is_told_once(void **state)
{
	(void)state;
	life_open();
	write_commits(1);
	life_catch_log();
	run("truncate -s 70000000 t.sqlite-wal");
	for (int i = 0; i < 3; i++) {
		GOOD(harness_tick(life, &err));
		assert_int_equal(harness_watch(life), 0);
	}
	char *text = life_end_catch();
	assert_int_equal(life_count(text, "t.sqlite-wal: has 70.0 MB: a reader keeps SQLite"), 1);
	free(text);
	GOOD(harness_close(life, &err));
}

int databases_test_sqlite(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, new_folder, life_remove_journal)
	const struct CMUnitTest tests[] = {
		TEST(missing_columns_are_named),
		TEST(missing_tables_may_stay_missing),
		TEST(other_files_are_left_alone),
		TEST(what_sqlite_has_not_is_kept_otherwise),
		TEST(odd_names_are_kept_apart),
		TEST(tags_that_share_a_table_are_told),
		TEST(other_columns_in_the_middle_wait_or_are_added),
		TEST(wider_tables_than_sqlite_has_are_an_error),
		TEST(files_outside_of_out_dir_are_refused),
		TEST(a_file_of_two_names_is_opened_once),
		TEST(big_objects_are_kept),
		TEST(locks_are_waited_for),
		TEST(a_vacuum_and_a_checkpoint_are_no_alarm),
		TEST(what_is_cut_or_removed_is_told),
		TEST(a_log_that_grows_is_told_once),
	};

	return cmocka_run_group_tests_name("databases.sqlite", tests, NULL, NULL);
}

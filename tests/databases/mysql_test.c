/* mysql_test.c: DAQJobStoreMySQL against the server that databases.sh started. Read back with the program mariadb. */
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
#include "everywhere.h"
#include "job/store/remedy.h"
#include "life.h"
#include "reading.h"

static char store_keys[512];
static struct store_kind kind = {
	.name = "mysql", .module = "mysql", .type = "DAQJobStoreMySQL", .store_keys = store_keys, .is_database = true};

static void set_keys(const char *user, const char *password, const char *more)
{
	snprintf(store_keys, sizeof(store_keys),
		"host = \"127.0.0.1\"\nport = %s\nuser = \"%s\"\npassword = \"%s\"\ndatabase = \"enrgdaq\"\n%s\n",
		getenv("MYSQL_PORT"), user, password, more);
}

static int new_journal(void **state)
{
	set_keys("daq", getenv("MYSQL_PASSWORD"), "");
	life_set(&kind, NULL);
	return life_new_journal(state);
}

static char *query(const char *sql)
{
	char command[4096];

	snprintf(command, sizeof(command),
		"mariadb --no-defaults -S %s -u root --batch --raw --skip-column-names enrgdaq -e '%s'",
		getenv("MYSQL_SOCKET"), sql);
	return reading_run(command, NULL);
}

static void expect(const char *sql, const char *wanted)
{
	life_expect(sql, query(sql), wanted);
}

/* All columns of data_wide; the names as the store cleans them. */
static void check_table(int line, const char *table, uint64_t count)
{
	char sql[2048];
	struct cells cells = {0};

	snprintf(sql, sizeof(sql),
		"SELECT n, flag, i8, i16, i32, u8, u16, u32, u64, f32, f64, time, HEX(text___quoted_), HEX(raw), "
		"HEX(wave), "
		"HEX(curve) FROM %s ORDER BY n",
		table);
	char *text = query(sql), *at = text;
	for (uint32_t i = 0; *at; i = (i + 1) % data_wide.column_count) {
		size_t bytes = strcspn(at, "\t\n");
		reading_add(&cells, &data_wide.columns[i], at, bytes, 1);
		at += bytes + 1;
	}
	reading_check(line, &cells, &data_wide, 0, count);
	cells_fini(&cells);
	free(text);
}

static void keep_all_types(const char *table_name, const char *more)
{
	char section[100];
	const struct harness_table plain = {.source = "s", .tag = "", .schema = &data_wide, .more_keys = section};
	const struct harness_table tagged = {.source = "s", .tag = "a/b", .schema = &data_wide, .more_keys = section};

	set_keys("daq", getenv("MYSQL_PASSWORD"), more);
	snprintf(section, sizeof(section), "table_name = \"%s\"", table_name);
	life_open();
	GOOD(harness_write(life, &plain, 0, 700, 0, &err));
	GOOD(harness_write(life, &plain, 0, 0, 0, &err));
	GOOD(harness_write(life, &plain, 700, 1, 0, &err));
	GOOD(harness_write(life, &tagged, 0, 3, 0, &err)); /* creates a table in the middle of a transaction */
	GOOD(harness_write_gap(life, &plain, &err));
	GOOD(harness_commit(life, 1, &err));
	GOOD(harness_write(life, &plain, 701, 250, 0, &err));
	GOOD(harness_close(life, &err));
	check_table(__LINE__, table_name, 951);
	snprintf(section, sizeof(section), "%s_a_b", table_name);
	check_table(__LINE__, section, 3);
}

static void all_types_are_kept_by_arrays(void **state)
{
	(void)state;
	keep_all_types("arrays", "");
	/* a column of times says what it holds */
	expect("SELECT DATA_TYPE, COLUMN_COMMENT FROM information_schema.COLUMNS WHERE TABLE_NAME = \"arrays\" AND "
	       "COLUMN_NAME = \"time\"",
		"bigint\tns since 1970-01-01 00:00:00 UTC\n");
}

static void all_types_are_kept_by_groups(void **state)
{
	(void)state;
	keep_all_types("groups", "bulk_inserts = false");
}

static const struct harness_table plain = {
	.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "table_name = \"plain\""};

static void half_a_commit_comes_once(void **state)
{
	(void)state;
	life_half_a_commit(&plain);
	expect("SELECT COUNT(*), COUNT(DISTINCT n), MAX(n) FROM plain", "30\t30\t29\n");
}

static void check_killed(unsigned number)
{
	char query[100];

	snprintf(query, sizeof(query), "SELECT COUNT(*), COUNT(DISTINCT n), MIN(n), MAX(n) FROM k%u", number);
	expect(query, EVERYWHERE_ROWS "\t" EVERYWHERE_ROWS "\t0\t11\n");
}

static void a_kill_at_any_call_loses_and_doubles_nothing(void **state)
{
	(void)state;
	everywhere_kill(&kind, "table_name", check_killed);
}

/* The server ends the transaction before it creates a table: with marks and all. */
static void a_new_table_in_the_middle_doubles_nothing(void **state)
{
	const struct harness_table first = {
		.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "table_name = \"first\""};
	const struct harness_table second = {
		.source = "s", .tag = "x", .schema = &data_narrow, .more_keys = "table_name = \"first\""};

	(void)state;
	for (int round = 0; round < 2; round++) {
		life_open();
		GOOD(harness_write(life, &first, 0, 10, 0, &err));
		GOOD(harness_write(life, &second, 0, 1, 0, &err));
		if (round)
			GOOD(harness_commit(life, 1, &err));
		harness_kill(life);
	}
	expect("SELECT COUNT(*), COUNT(DISTINCT n) FROM first", "10\t10\n");
	expect("SELECT COUNT(*) FROM first_x", "1\n");
}

static void missing_columns_are_named(void **state)
{
	const struct harness_table table = {
		.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "table_name = \"older\""};

	(void)state;
	free(query("CREATE TABLE older (N BIGINT, comment TEXT)"));
	life_refuses(&table, "older has no column flag");
	assert_non_null(strstr(err.text, "add_columns"));
	set_keys("daq", getenv("MYSQL_PASSWORD"), "add_columns = true");
	life_open();
	GOOD(harness_write(life, &table, 0, 5, 0, &err));
	GOOD(harness_commit(life, 1, &err));
	GOOD(harness_close(life, &err));
	expect("SELECT COUNT(*), COUNT(flag), COUNT(comment) FROM older", "5\t5\t0\n");
}

static void missing_tables_may_stay_missing(void **state)
{
	const struct harness_table table = {
		.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "table_name = \"never\""};

	(void)state;
	set_keys("daq", getenv("MYSQL_PASSWORD"), "create_tables = false");
	life_refuses(&table, "no table never");
	assert_non_null(strstr(err.text, "create_tables"));
}

/* A value that an existing column can't hold is an error, not another value. */
static void narrow_columns_are_an_error(void **state)
{
	const struct harness_table table = {
		.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "table_name = \"tiny\""};

	(void)state;
	free(query("CREATE TABLE tiny (n TINYINT, flag TINYINT)"));
	life_open();
	int rc = harness_write(life, &table, 1000, 5, 0, &err);
	assert_true(rc < 0);
	assert_non_null(strstr(err.text, "Out of range value for column"));
	assert_non_null(
		strstr(err.text, "the column n of the table tiny is too narrow: \"s\" sends int64 from 1000 to 1004"));
	assert_non_null(strstr(err.text, "ALTER TABLE `tiny` MODIFY `n` BIGINT"));
	harness_kill(life);
	expect("SELECT COUNT(*) FROM tiny", "0\n");
}

static void short_columns_are_an_error(void **state)
{
	static const struct enrg_column columns[] = {{"Note", ENRG_STRING, 0, NULL}, {"u", ENRG_U64, 0, NULL}};
	static const struct enrg_schema schema = {.column_count = 2, .columns = columns};
	const struct harness_table table = {
		.source = "s", .tag = "", .schema = &schema, .more_keys = "table_name = \"short\""};
	const int32_t offsets[3] = {0, 2, 9};
	const uint64_t u[2] = {5, UINT64_MAX};
	const struct enrg_column_view views[2] = {
		{.values = "itexactly", .offsets = offsets, .value_count = 9}, {.values = u, .value_count = 2}};
	const struct enrg_batch batch = {.rows = 2, .columns = views};

	(void)state;
	free(query("CREATE TABLE short (note VARCHAR(4), u BIGINT)"));
	for (int round = 0; round < 2; round++) {
		set_keys("daq", getenv("MYSQL_PASSWORD"), round ? "bulk_inserts = false" : "");
		free(query("ALTER TABLE short MODIFY note VARCHAR(4)"));
		life_open();
		assert_true(harness_write_batch(life, &table, &batch, &err) < 0);
		assert_non_null(strstr(err.text, "is too narrow: \"s\" sends string up to 7 bytes"));
		GOOD(harness_roll_back(life, &err)); /* the transaction would hold the table */
		free(query("ALTER TABLE short MODIFY note LONGTEXT"));
		assert_true(harness_write_batch(life, &table, &batch, &err) < 0);
		assert_non_null(strstr(err.text, "sends uint64 from 5 to 18446744073709551615"));
		assert_non_null(strstr(err.text, "MODIFY `u` BIGINT UNSIGNED"));
		GOOD(harness_roll_back(life, &err));
		GOOD(harness_close(life, &err));
	}
}

/* The server would round without a word. */
static void reals_do_not_go_into_whole_numbers(void **state)
{
	static const struct enrg_column columns[] = {{"x", ENRG_F64, 0, NULL}};
	static const struct enrg_schema schema = {.column_count = 1, .columns = columns};
	const double x[2] = {1.5, 1e300};
	const struct enrg_column_view view = {.values = x, .value_count = 2};
	const struct enrg_batch batch = {.rows = 2, .columns = &view};
	const struct harness_table whole = {
		.source = "s", .tag = "", .schema = &schema, .more_keys = "table_name = \"whole\""};
	const struct harness_table narrow = {
		.source = "s", .tag = "", .schema = &schema, .more_keys = "table_name = \"single\""};

	(void)state;
	free(query("CREATE TABLE whole (x BIGINT); CREATE TABLE single (x FLOAT)"));
	life_open();
	assert_true(harness_write_batch(life, &whole, &batch, &err) < 0);
	assert_non_null(strstr(err.text, "whole is bigint"));
	assert_non_null(strstr(err.text, "would be rounded"));
	assert_true(harness_write_batch(life, &narrow, &batch, &err) < 0); /* told at the open; this is out of range */
	assert_non_null(strstr(err.text, "Out of range"));
	harness_kill(life);
	expect("SELECT COUNT(*) FROM whole", "0\n");
}

static void odd_names_are_kept_apart(void **state)
{
	const struct harness_table table = {
		.source = "s", .tag = "a/b;", .schema = &life_odd_names, .more_keys = "table_name = \"drop table\""};
	char wanted[400];

	(void)state;
	life_write_odd_names(&table);
	snprintf(wanted, sizeof(wanted), "%s", life_odd_names_cleaned);
	char *names =
		query("SELECT GROUP_CONCAT(COLUMN_NAME ORDER BY ORDINAL_POSITION) FROM information_schema.COLUMNS "
		      "WHERE TABLE_NAME = \"drop_table_a_b_\"");
	assert_int_equal(strncmp(names, wanted, strlen(wanted)), 0);
	assert_int_equal(strlen(names), strlen(wanted) + 9);
	free(names);
	expect("SELECT * FROM drop_table_a_b_", "1\t2\t3\t4\t5\t6\n-1\t-2\t-3\t-4\t-5\t-6\n");
}

static void other_columns_in_the_middle_wait_or_are_added(void **state)
{
	static const struct enrg_column columns[] = {{"n", ENRG_I64, 0, NULL}, {"pressure", ENRG_F64, 0, NULL}};
	static const struct enrg_schema schema = {.column_count = 2, .columns = columns};
	const struct harness_table before = {
		.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "table_name = \"changing\""};
	const struct harness_table after = {
		.source = "s", .tag = "", .schema = &schema, .more_keys = "table_name = \"changing\""};

	(void)state;
	life_open();
	GOOD(harness_write(life, &before, 0, 5, 0, &err));
	GOOD(harness_commit(life, 1, &err));
	assert_true(harness_write(life, &after, 5, 5, 0, &err) < 0);
	assert_non_null(strstr(err.text, "changing has no column pressure"));
	harness_kill(life);
	set_keys("daq", getenv("MYSQL_PASSWORD"), "add_columns = true");
	life_open();
	GOOD(harness_write(life, &after, 5, 5, 0, &err));
	GOOD(harness_commit(life, 2, &err));
	GOOD(harness_close(life, &err));
	expect("SELECT COUNT(*), COUNT(DISTINCT n), COUNT(flag), COUNT(pressure) FROM changing", "10\t10\t5\t5\n");
}

static void wider_tables_than_the_server_has_are_an_error(void **state)
{
	const struct harness_table table = {
		.source = "s", .tag = "", .schema = life_make_wide(1018), .more_keys = "table_name = \"wide\""};

	(void)state;
	life_refuses(&table, "too many columns: \"s\" sends 1018, and a table of InnoDB has at most 1017");
}

static void what_mysql_has_not_is_null(void **state)
{
	static const struct enrg_column columns[] = {
		{"x", ENRG_F64, 0, NULL}, {"t", ENRG_STRING, 0, NULL}, {"u", ENRG_U64, 0, NULL}};
	static const struct enrg_schema schema = {.column_count = 3, .columns = columns};
	const struct harness_table table = {
		.source = "s", .tag = "", .schema = &schema, .more_keys = "table_name = \"odd\""};
	const double x[4] = {NAN, INFINITY, -0.0, 1e-310};
	const uint64_t u[4] = {UINT64_MAX, 1, 2, 3};
	const int32_t offsets[5] = {0, 3, 5, 5, 9};
	const uint8_t validity = 0x5;
	const struct enrg_column_view views[3] = {{.values = x, .value_count = 4},
		{.values = "a\xFF"
			   "b\xC3\xBC\xED\xA0\x80z",
			.offsets = offsets,
			.value_count = 9},
		{.values = u, .validity = &validity, .value_count = 4, .null_count = 2}};
	const struct enrg_batch batch = {.rows = 4, .columns = views};

	(void)state;
	for (int round = 0; round < 2; round++) {
		set_keys("daq", getenv("MYSQL_PASSWORD"), round ? "bulk_inserts = false" : "");
		life_open();
		GOOD(harness_write_batch(life, &table, &batch, &err));
		GOOD(harness_commit(life, (uint64_t)round + 1, &err));
		GOOD(harness_close(life, &err));
		expect("SELECT x, t, u FROM odd",
			"NULL\ta?b\t18446744073709551615\nNULL\t\xC3\xBC\tNULL\n0\t\t2\n1e-310\t???z\tNULL\n");
		free(query("DELETE FROM odd"));
	}
}

/* The framework opens a store that fails anew each time, and hands over the same. */
static void troubles_of_a_table_are_told_once(void **state)
{
	static const struct enrg_column columns[] = {{"x", ENRG_F64, 0, NULL}, {"t", ENRG_STRING, 0, NULL}};
	static const struct enrg_schema schema = {.column_count = 2, .columns = columns};
	const struct harness_table table = {
		.source = "s", .tag = "", .schema = &schema, .more_keys = "table_name = \"noted\""};
	const double x[2] = {NAN, 1};
	const int32_t offsets[3] = {0, 1, 2};
	const struct enrg_column_view views[2] = {
		{.values = x, .value_count = 2}, {.values = "a\xFF", .offsets = offsets, .value_count = 2}};
	const struct enrg_batch batch = {.rows = 2, .columns = views};

	(void)state;
	free(query("CREATE TABLE noted (x FLOAT, t TEXT) ENGINE=MyISAM"));
	life_open();
	life_catch_log();
	for (int round = 0; round < 3; round++) {
		GOOD(harness_write_batch(life, &table, &batch, &err));
		GOOD(harness_roll_back(life, &err));
	}
	char *log = life_end_catch();
	harness_kill(life);
	assert_int_equal(life_count(log, "sends NaN"), 1);
	assert_int_equal(life_count(log, "no UTF-8"), 1);
	assert_int_equal(life_count(log, "has the engine MyISAM"), 1);
	assert_int_equal(life_count(log, "lose digits"), 1);
	free(log);
}

/* Tables of others may refuse rows for reasons of their own. */
static void refusals_say_what_repairs_them(void **state)
{
	static const struct {
		const char *name, *create, *number, *repair;
	} cases[] = {
		{"refuses1062", "CREATE TABLE refuses1062 (n BIGINT UNIQUE, flag TINYINT)", "(1062)", "DROP INDEX"},
		{"refuses1292", "CREATE TABLE refuses1292 (n DATETIME, flag TINYINT)", "(1292)", "another type than"},
		{"refuses1364", "CREATE TABLE refuses1364 (n BIGINT, flag TINYINT, operator VARCHAR(9) NOT NULL)",
			"(1364)", "SET DEFAULT"},
		{"refuses1526",
			"CREATE TABLE refuses1526 (n BIGINT, flag TINYINT) PARTITION BY RANGE(n) "
			"(PARTITION p VALUES LESS THAN (3))",
			"(1526)", "ADD PARTITION"},
		{"refuses1644",
			"CREATE TABLE refuses1644 (n BIGINT, flag TINYINT); CREATE TRIGGER no BEFORE INSERT ON "
			"refuses1644 FOR EACH ROW SIGNAL SQLSTATE \"45000\" SET MESSAGE_TEXT = \"not today\"",
			"(1644)", "SHOW TRIGGERS"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char keys[100];
		snprintf(keys, sizeof(keys), "table_name = \"%s\"", cases[i].name);
		const struct harness_table table = {
			.source = "s", .tag = "", .schema = &data_narrow, .more_keys = keys};
		free(query(cases[i].create));
		life_open();
		int rc = harness_write(life, &table, 1, 5, 0, &err);
		if (rc == 0)
			rc = harness_write(life, &table, 1, 5, 0, &err);
		if (rc == 0)
			rc = harness_commit(life, 1, &err);
		assert_true(rc < 0);
		assert_non_null(strstr(err.text, cases[i].number));
		assert_non_null(strstr(err.text, cases[i].repair));
		harness_kill(life);
	}
}

static void tags_that_share_a_table_are_told(void **state)
{
	const struct harness_table tables[3] = {
		{.source = "s", .tag = "a b", .schema = &data_narrow, .more_keys = "table_name = \"sharing\""},
		{.source = "s", .tag = "a_b", .schema = &data_narrow, .more_keys = "table_name = \"sharing\""},
		{.source = "other", .tag = "a b", .schema = &data_narrow, .more_keys = "table_name = \"sharing\""}};

	(void)state;
	life_check_shared(tables, "the tags \"a b\" and \"a_b\" share sharing_a_b:");
	expect("SELECT COUNT(*) FROM sharing_a_b", "15\n");
}

static void big_objects_fit_into_the_packet_or_say_so(void **state)
{
	const struct harness_table table = {
		.source = "camera", .tag = "", .schema = enrg_schema_blob(), .more_keys = "table_name = \"frames\""};
	const struct harness_table other = {
		.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "table_name = \"beside\""};
	const int32_t small[2] = {0, 17000000}, large[2] = {0, 40000000};
	char *bytes = malloc(40000000);
	struct enrg_column_view view = {.values = bytes, .offsets = small, .value_count = 17000000};
	const struct enrg_batch batch = {.rows = 1, .columns = &view};

	(void)state;
	for (size_t i = 0; i < 40000000; i++)
		bytes[i] = (char)(i * 2654435761u >> 7);
	life_open();
	GOOD(harness_write_batch(life, &table, &batch, &err));
	GOOD(harness_commit(life, 1, &err));
	view.offsets = large;
	view.value_count = 40000000;
	assert_true(harness_write_batch(life, &table, &batch, &err) < 0);
	assert_non_null(strstr(err.text, "max_allowed_packet"));
	GOOD(harness_roll_back(life, &err));
	GOOD(harness_write(life, &other, 0, 250, 0, &err));      /* connects, while the limit is the old one */
	free(query("SET GLOBAL max_allowed_packet = 67108864")); /* as the text says */
	GOOD(harness_write_batch(life, &table, &batch, &err));
	GOOD(harness_write(life, &other, 250, 250, 0, &err));
	GOOD(harness_commit(life, 2, &err));
	GOOD(harness_close(life, &err));
	free(bytes);
	expect("SELECT COUNT(*), COUNT(DISTINCT n), MAX(n) FROM beside", "500\t500\t499\n");
	expect("SELECT LENGTH(bytes), CRC32(bytes) > 0 FROM frames", "17000000\t1\n40000000\t1\n");
}

static void wrong_passwords_are_told_without_them(void **state)
{
	(void)state;
	set_keys("daq", "wrong-secret", "");
	life_refuses(&plain, "127.0.0.1");
	assert_non_null(strstr(err.text, "check user and password"));
	assert_false(remedy_is_of_table(err.code)); /* one alert, not one a table */
	assert_null(strstr(err.text, "wrong-secret"));
}

int databases_test_mysql(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, new_journal, life_remove_journal)
	const struct CMUnitTest tests[] = {
		TEST(all_types_are_kept_by_arrays), TEST(all_types_are_kept_by_groups), TEST(half_a_commit_comes_once),
		cmocka_unit_test_setup(a_kill_at_any_call_loses_and_doubles_nothing, new_journal),
		TEST(a_new_table_in_the_middle_doubles_nothing), TEST(missing_columns_are_named),
		TEST(missing_tables_may_stay_missing), TEST(narrow_columns_are_an_error),
		TEST(short_columns_are_an_error), TEST(troubles_of_a_table_are_told_once),
		TEST(refusals_say_what_repairs_them), TEST(tags_that_share_a_table_are_told),
		TEST(reals_do_not_go_into_whole_numbers), TEST(odd_names_are_kept_apart),
		TEST(other_columns_in_the_middle_wait_or_are_added),
		TEST(wider_tables_than_the_server_has_are_an_error), TEST(what_mysql_has_not_is_null),
		TEST(big_objects_fit_into_the_packet_or_say_so),
		TEST(wrong_passwords_are_told_without_them), /* last: the store waits before it tries again */
	};

	return cmocka_run_group_tests_name("databases.mysql", tests, NULL, NULL);
}

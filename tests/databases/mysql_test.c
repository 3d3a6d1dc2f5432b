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

#include "../conformance/data.h"
#include "../conformance/harness.h"
#include "base/log.h"
#include "databases.h"
#include "reading.h"

static char store_keys[512], journal_path[200];
static struct store_kind kind = {
	.name = "mysql", .module = "mysql", .type = "DAQJobStoreMySQL", .store_keys = store_keys, .is_database = true};
static struct harness *life;
static struct enrg_error err;

static void set_keys(const char *user, const char *password, const char *more)
{
	snprintf(store_keys, sizeof(store_keys),
		"host = \"127.0.0.1\"\nport = %s\nuser = \"%s\"\npassword = \"%s\"\ndatabase = \"enrgdaq\"\n%s\n",
		getenv("MYSQL_PORT"), user, password, more);
}

static int new_journal(void **state)
{
	(void)state;
	snprintf(journal_path, sizeof(journal_path), "/tmp/enrg-databases-journal.%d", getpid());
	unlink(journal_path);
	set_keys("daq", getenv("MYSQL_PASSWORD"), "");
	return 0;
}

static int remove_journal(void **state)
{
	char path[220];

	(void)state;
	snprintf(path, sizeof(path), "%s.run", journal_path);
	unlink(path);
	return unlink(journal_path);
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
	char *text = query(sql);

	assert_string_equal(text, wanted);
	free(text);
}

static void open_life(void)
{
	if (harness_open(&kind, journal_path, "/tmp", &life, &err) < 0)
		fail_msg("%s", err.text);
}

#define GOOD(call)                                                                                                     \
	do {                                                                                                           \
		if ((call) < 0)                                                                                        \
			fail_msg("line %d: %s", __LINE__, err.text);                                                   \
	} while (0)

/* All columns of data_wide; the names as the store cleans them. */
static void check_table(int line, const char *table, uint64_t count)
{
	char sql[2048];
	struct cells cells = {0};

	snprintf(sql, sizeof(sql),
		"SELECT n, flag, i8, i16, i32, u8, u16, u32, u64, f32, f64, HEX(text___quoted_), HEX(raw), HEX(wave), "
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
	open_life();
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
	const struct harness_table other = {
		.source = "s", .tag = "x", .schema = &data_narrow, .more_keys = "table_name = \"plain\""};

	(void)state;
	open_life();
	GOOD(harness_write(life, &plain, 0, 10, 0, &err));
	GOOD(harness_commit(life, 1, &err));
	GOOD(harness_write(life, &plain, 10, 10, 0, &err));
	GOOD(harness_commit_half(life, &err));
	harness_kill(life);
	open_life();
	GOOD(harness_write(life, &plain, 10, 10, 0, &err));
	GOOD(harness_write(life, &plain, 20, 10, 0, &err));
	GOOD(harness_write(life, &other, 0, 1, 0, &err)); /* data definition ends the transaction: marks and all */
	harness_kill(life);
	open_life();
	GOOD(harness_write(life, &plain, 10, 10, 0, &err));
	GOOD(harness_write(life, &plain, 20, 10, 0, &err));
	GOOD(harness_roll_back(life, &err));
	GOOD(harness_write(life, &plain, 10, 10, 0, &err));
	GOOD(harness_write(life, &plain, 20, 10, 0, &err));
	GOOD(harness_write(life, &other, 0, 1, 0, &err));
	GOOD(harness_write(life, &plain, 30, 10, 0, &err));
	GOOD(harness_commit(life, 2, &err));
	GOOD(harness_close(life, &err));
	expect("SELECT COUNT(*), COUNT(DISTINCT n), MAX(n) FROM plain", "40\t40\t39\n");
	expect("SELECT COUNT(*) FROM plain_x", "1\n");
}

static void missing_columns_are_named(void **state)
{
	const struct harness_table table = {
		.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "table_name = \"older\""};

	(void)state;
	free(query("CREATE TABLE older (N BIGINT, comment TEXT)"));
	open_life();
	assert_true(harness_write(life, &table, 0, 5, 0, &err) < 0);
	assert_non_null(strstr(err.text, "older has no column flag"));
	assert_non_null(strstr(err.text, "add_columns"));
	harness_kill(life);
	set_keys("daq", getenv("MYSQL_PASSWORD"), "add_columns = true");
	open_life();
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
	open_life();
	assert_true(harness_write(life, &table, 0, 5, 0, &err) < 0);
	assert_non_null(strstr(err.text, "no table never"));
	assert_non_null(strstr(err.text, "create_tables"));
	harness_kill(life);
}

/* A value that an existing column can't hold is an error, not another value. */
static void narrow_columns_are_an_error(void **state)
{
	const struct harness_table table = {
		.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "table_name = \"tiny\""};

	(void)state;
	free(query("CREATE TABLE tiny (n TINYINT, flag TINYINT)"));
	open_life();
	int code = harness_write(life, &table, 1000, 5, 0, &err);
	assert_true(code < 0);
	assert_non_null(strstr(err.text, "Out of range value for column"));
	harness_kill(life);
	expect("SELECT COUNT(*) FROM tiny", "0\n");
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
		open_life();
		GOOD(harness_write_batch(life, &table, &batch, &err));
		GOOD(harness_commit(life, (uint64_t)round + 1, &err));
		GOOD(harness_close(life, &err));
		expect("SELECT x, t, u FROM odd",
			"NULL\ta?b\t18446744073709551615\nNULL\t\xC3\xBC\tNULL\n0\t\t2\n1e-310\t???z\tNULL\n");
		free(query("DELETE FROM odd"));
	}
}

static void big_objects_fit_into_the_packet_or_say_so(void **state)
{
	const struct harness_table table = {
		.source = "camera", .tag = "", .schema = enrg_schema_blob(), .more_keys = "table_name = \"frames\""};
	const int32_t small[2] = {0, 17000000}, large[2] = {0, 40000000};
	char *bytes = malloc(40000000);
	struct enrg_column_view view = {.values = bytes, .offsets = small, .value_count = 17000000};
	const struct enrg_batch batch = {.rows = 1, .columns = &view};

	(void)state;
	for (size_t i = 0; i < 40000000; i++)
		bytes[i] = (char)(i * 2654435761u >> 7);
	open_life();
	GOOD(harness_write_batch(life, &table, &batch, &err));
	GOOD(harness_commit(life, 1, &err));
	view.offsets = large;
	view.value_count = 40000000;
	assert_true(harness_write_batch(life, &table, &batch, &err) < 0);
	assert_non_null(strstr(err.text, "max_allowed_packet"));
	harness_kill(life);
	free(bytes);
	expect("SELECT LENGTH(bytes), CRC32(bytes) > 0 FROM frames", "17000000\t1\n");
}

static void wrong_passwords_are_told_without_them(void **state)
{
	(void)state;
	set_keys("daq", "wrong-secret", "");
	open_life();
	assert_true(harness_write(life, &plain, 0, 5, 0, &err) < 0);
	assert_non_null(strstr(err.text, "127.0.0.1"));
	assert_non_null(strstr(err.text, "check user and password"));
	assert_null(strstr(err.text, "wrong-secret"));
	harness_kill(life);
}

int databases_test_mysql(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, new_journal, remove_journal)
	const struct CMUnitTest tests[] = {
		TEST(all_types_are_kept_by_arrays), TEST(all_types_are_kept_by_groups), TEST(half_a_commit_comes_once),
		TEST(missing_columns_are_named), TEST(missing_tables_may_stay_missing),
		TEST(narrow_columns_are_an_error), TEST(what_mysql_has_not_is_null),
		TEST(big_objects_fit_into_the_packet_or_say_so),
		TEST(wrong_passwords_are_told_without_them), /* last: the store waits before it tries again */
	};

	return cmocka_run_group_tests_name("databases.mysql", tests, NULL, NULL);
}

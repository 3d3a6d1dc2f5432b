/* redis_test.c: DAQJobStoreRedis against the server that databases.sh started. Read back with the program redis-cli. */
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
#include "life.h"
#include "reading.h"

static char store_keys[512];
static struct store_kind kind = {
	.name = "redis", .module = "redis", .type = "DAQJobStoreRedis", .store_keys = store_keys, .is_database = true};

static void set_keys(const char *password, const char *more)
{
	snprintf(store_keys, sizeof(store_keys), "host = \"127.0.0.1\"\nport = %s\npassword = \"%s\"\n%s\n",
		getenv("REDIS_PORT"), password, more);
}

static int new_journal(void **state)
{
	set_keys(getenv("REDIS_PASSWORD"), "");
	life_set(&kind, NULL);
	return life_new_journal(state);
}

/* `command` as after redis-cli. */
static char *ask(const char *command, size_t *ret_bytes)
{
	char line[4096];

	snprintf(line, sizeof(line), "REDISCLI_AUTH=%s redis-cli -p %s %s", getenv("REDIS_PASSWORD"),
		getenv("REDIS_PORT"), command);
	return reading_run(line, ret_bytes);
}

static void expect(const char *command, const char *wanted)
{
	life_expect(command, ask(command, NULL), wanted);
}

/* --- reading lists ------------------------------------------------------------------------------------------------ */

static unsigned hex_digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
}

/* One item of redis-cli --csv, from its first quote; returns what follows. */
static const char *read_item(const char *at, char **ret_bytes, size_t *ret_count)
{
	static const char letters[] = "nrtab", meant[] = "\n\r\t\a\b";
	FILE *out = open_memstream(ret_bytes, ret_count);

	for (at++; *at != '"'; at++) {
		if (*at != '\\') {
			fputc(*at, out);
			continue;
		}
		at++;
		const char *letter = strchr(letters, *at);
		if (*at == 'x') {
			fputc((int)(hex_digit(at[1]) << 4 | hex_digit(at[2])), out);
			at += 2;
		} else {
			fputc(letter ? meant[letter - letters] : *at, out);
		}
	}
	fclose(out);
	return at + 1;
}

/* "[1,2]" as "1 2", reals as %a; bytes as hex: what data_format_cell prints. */
static void add_item(struct cells *cells, const struct enrg_column *column, char *bytes, size_t count)
{
	char *text = NULL;
	size_t length;

	if (enrg_type_is_time(column->type)) {
		assert_true(cells_add_time(cells, bytes, count));
		return;
	}
	if (column->type != ENRG_BINARY && column->type != ENRG_LIST) {
		reading_add(cells, column, bytes, count, 0);
		return;
	}
	FILE *out = open_memstream(&text, &length);
	for (size_t i = 0; column->type == ENRG_BINARY && i < count; i++)
		fprintf(out, "%02x", (unsigned char)bytes[i]);
	if (column->type == ENRG_LIST)
		assert_true(count >= 2 && bytes[0] == '[' && bytes[count - 1] == ']');
	for (char *at = bytes + 1; column->type == ENRG_LIST && at < bytes + count - 1;) {
		char *end = at + strcspn(at, ",]");
		if (column->item == ENRG_F64)
			fprintf(out, "%a", strtod(at, NULL));
		else
			fprintf(out, "%.*s", (int)(end - at), at);
		if (*end == ',')
			fputc(' ', out);
		at = end + 1;
	}
	fclose(out);
	cells_add(cells, text, length);
	free(text);
}

static void check_lists(int line, const char *prefix, const char *suffix, uint64_t first, uint64_t count)
{
	for (uint32_t i = 0; i < data_wide.column_count; i++) {
		const struct enrg_schema one = {.column_count = 1, .columns = &data_wide.columns[i]};
		struct cells cells = {0};
		char command[512];

		snprintf(command, sizeof(command), "--csv LRANGE '%s.%s%s' 0 -1", prefix, one.columns->name, suffix);
		char *text = ask(command, NULL);
		for (const char *at = text; *at == '"'; at += *at == ',') {
			char *bytes;
			size_t bytes_count;
			at = read_item(at, &bytes, &bytes_count);
			add_item(&cells, one.columns, bytes, bytes_count);
			free(bytes);
		}
		reading_check(line, &cells, &one, first, count);
		cells_fini(&cells);
		free(text);
	}
}

/* --- cases -------------------------------------------------------------------------------------------------------- */

static void all_types_are_kept(void **state)
{
	const struct harness_table plain = {
		.source = "s", .tag = "", .schema = &data_wide, .more_keys = "key = \"all\""};
	const struct harness_table tagged = {
		.source = "s", .tag = "a b", .schema = &data_wide, .more_keys = "key = \"all\""};

	(void)state;
	life_open();
	GOOD(harness_write(life, &plain, 0, 700, 0, &err));
	GOOD(harness_write(life, &plain, 0, 0, 0, &err));
	GOOD(harness_write(life, &tagged, 0, 3, 0, &err));
	GOOD(harness_write_gap(life, &plain, &err));
	GOOD(harness_commit(life, 1, &err));
	GOOD(harness_write(life, &plain, 700, 251, 0, &err));
	GOOD(harness_close(life, &err));
	check_lists(__LINE__, "all", "", 0, 951);
	check_lists(__LINE__, "all.a b", "", 0, 3);
}

static void dated_keys_expire(void **state)
{
	const struct harness_table table = {.source = "s",
		.tag = "",
		.schema = &data_wide,
		.more_keys = "key = \"dated\"\nkey_expiration_days = 30000"};
	const uint64_t midnight_ns = 1750032000000000000ull; /* 2025-06-16 00:00 UTC */

	(void)state;
	life_open();
	GOOD(harness_write(life, &table, 0, 4, midnight_ns - 1, &err));
	GOOD(harness_write(life, &table, 4, 3, midnight_ns, &err));
	GOOD(harness_commit(life, 1, &err));
	GOOD(harness_close(life, &err));
	check_lists(__LINE__, "dated", ":2025-06-15", 0, 4);
	check_lists(__LINE__, "dated", ":2025-06-16", 4, 3);
	char *seconds = ask("TTL dated.n:2025-06-15", NULL);
	assert_true(atoll(seconds) > 29000ll * 86400 && atoll(seconds) < 30001ll * 86400);
	free(seconds);
}

static const struct harness_table plain = {
	.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "key = \"plain\""};

static void half_a_commit_comes_once(void **state)
{
	(void)state;
	life_half_a_commit(&plain);
	expect("LLEN plain.n", "30\n");
	expect("LLEN plain.flag", "30\n");
	expect("LINDEX plain.n 29", "29\n");
}

static void check_list(unsigned number)
{
	char command[100];

	snprintf(command, sizeof(command), "--csv LRANGE k%u.n 0 -1", number);
	expect(command, "\"0\",\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\"\n");
}

static void a_kill_at_any_call_loses_and_doubles_nothing(void **state)
{
	(void)state;
	everywhere_kill(&kind, "key", check_list);
}

/* The server carries out a transaction of the connection before only now. */
static void late_transactions_make_ours_fail(void **state)
{
	const struct harness_table late = {
		.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "key = \"late\""};

	(void)state;
	life_open();
	GOOD(harness_write(life, &late, 0, 10, 0, &err));
	free(ask("HSET enrgdaq:positions:store any 1", NULL));
	assert_true(harness_commit(life, 1, &err) < 0);
	assert_non_null(strstr(err.text, "earlier connection"));
	expect("EXISTS late.n", "0\n");
	GOOD(harness_roll_back(life, &err));
	GOOD(harness_write(life, &late, 0, 10, 0, &err));
	GOOD(harness_commit(life, 1, &err));
	GOOD(harness_write(life, &late, 10, 10, 0, &err));
	free(ask("HSET enrgdaq:positions:store any 2", NULL)); /* watched anew after each commit */
	assert_true(harness_commit(life, 2, &err) < 0);
	harness_kill(life);
	expect("LLEN late.n", "10\n");
}

static void keys_of_another_type_are_named(void **state)
{
	const struct harness_table table = {
		.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "key = \"other\""};

	(void)state;
	free(ask("SET other.flag something", NULL));
	life_refuses(&table, "the key other.flag holds a string");
	expect("EXISTS other.n", "0\n");
}

/* Somebody puts something else under a key while the store runs: the rest of the transaction is taken back. */
static void what_is_refused_is_not_stored(void **state)
{
	const struct harness_table table = {
		.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "key = \"taken\""};

	(void)state;
	life_open();
	GOOD(harness_write(life, &table, 0, 10, 0, &err));
	GOOD(harness_commit(life, 1, &err));
	free(ask("SET taken.flag something", NULL));
	GOOD(harness_write(life, &table, 10, 10, 0, &err));
	assert_true(harness_commit(life, 2, &err) < 0);
	assert_non_null(strstr(err.text, "did not take the data: WRONGTYPE"));
	assert_non_null(strstr(err.text, "remove it, or give another key"));
	expect("LLEN taken.n", "10\n");
	GOOD(harness_roll_back(life, &err));
	assert_true(harness_write(life, &table, 10, 10, 0, &err) < 0);
	assert_non_null(strstr(err.text, "the key taken.flag holds a string"));
	free(ask("DEL taken.flag", NULL));
	harness_kill(life);
	life_open();
	GOOD(harness_write(life, &table, 10, 10, 0, &err));
	GOOD(harness_commit(life, 2, &err));
	expect("LLEN taken.n", "20\n");
	expect("LLEN taken.flag", "10\n");
	GOOD(harness_close(life, &err));
}

static void a_blob_replaces_no_list(void **state)
{
	const struct harness_table list = {
		.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "key = \"both\""};
	const struct harness_table blob = {
		.source = "camera", .tag = "n", .schema = enrg_schema_blob(), .more_keys = "key = \"both\""};

	(void)state;
	life_open();
	GOOD(harness_write(life, &list, 0, 5, 0, &err));
	GOOD(harness_commit(life, 1, &err));
	GOOD(harness_close(life, &err));
	life_refuses(&blob, "the key both.n holds a list, and a string is wanted");
	expect("LLEN both.n", "5\n");
}

static void missing_values_keep_their_place(void **state)
{
	static const struct enrg_column columns[] = {{"x", ENRG_F64, 0, NULL}, {"u", ENRG_U64, 0, NULL}};
	static const struct enrg_schema schema = {.column_count = 2, .columns = columns};
	const struct harness_table table = {.source = "s", .tag = "", .schema = &schema, .more_keys = "key = \"odd\""};
	const double x[4] = {NAN, -INFINITY, -0.0, 0.1};
	const uint64_t u[4] = {UINT64_MAX, 1, 2, 3};
	const uint8_t validity = 0x5;
	const struct enrg_column_view views[2] = {{.values = x, .value_count = 4},
		{.values = u, .validity = &validity, .value_count = 4, .null_count = 2}};
	const struct enrg_batch batch = {.rows = 4, .columns = views};

	(void)state;
	life_open();
	GOOD(harness_write_batch(life, &table, &batch, &err));
	GOOD(harness_commit(life, 1, &err));
	GOOD(harness_close(life, &err));
	expect("--csv LRANGE odd.x 0 -1", "\"nan\",\"-inf\",\"-0.0\",\"0.1\"\n");
	expect("--csv LRANGE odd.u 0 -1", "\"18446744073709551615\",\"\",\"2\",\"\"\n");
}

static void blobs_are_base64(void **state)
{
	const struct harness_table table = {.source = "camera",
		.tag = "",
		.schema = enrg_schema_blob(),
		.more_keys = "key = \"frame\"\nkey_expiration_days = 2"};
	const int32_t first[2] = {0, 5}, second[2] = {0, 17000000};
	char *bytes = malloc(17000000), *found;
	struct enrg_column_view view = {.values = "first", .offsets = first, .value_count = 5};
	const struct enrg_batch batch = {.rows = 1, .columns = &view};
	size_t count;

	(void)state;
	for (size_t i = 0; i < 17000000; i++)
		bytes[i] = (char)(i * 2654435761u >> 7);
	life_open();
	GOOD(harness_write_batch(life, &table, &batch, &err));
	GOOD(harness_commit(life, 1, &err));
	expect("GET frame", "Zmlyc3Q=\n");
	view = (struct enrg_column_view){.values = bytes, .offsets = second, .value_count = 17000000};
	GOOD(harness_write_batch(life, &table, &batch, &err));
	GOOD(harness_commit(life, 2, &err));
	GOOD(harness_close(life, &err));
	found = ask("--raw GET frame | base64 -d", &count);
	assert_int_equal(count, 17000000);
	assert_memory_equal(found, bytes, count);
	free(found);
	found = ask("TTL frame", NULL);
	assert_in_range(atoi(found), 2 * 86400 - 60, 2 * 86400);
	free(found);
	free(bytes);
}

/* Of several in one transaction nobody could see any but the newest. */
static void the_newest_blob_of_a_commit_stays(void **state)
{
	const struct harness_table table = {
		.source = "camera", .tag = "", .schema = enrg_schema_blob(), .more_keys = "key = \"newest\""};
	static const char *const texts[] = {"one", "two", "three", "four"};

	(void)state;
	life_open();
	for (uint64_t i = 0; i < 4; i++) {
		const int32_t offsets[2] = {0, (int32_t)strlen(texts[i])};
		const struct enrg_column_view view = {
			.values = texts[i], .offsets = offsets, .value_count = strlen(texts[i])};
		const struct enrg_batch batch = {.rows = 1, .columns = &view};

		GOOD(harness_write_batch(life, &table, &batch, &err));
		if (i >= 2)
			GOOD(harness_commit(life, i, &err));
		if (i == 2)
			expect("GET newest", "dGhyZWU=\n");
	}
	GOOD(harness_close(life, &err));
	expect("GET newest", "Zm91cg==\n");
}

/* Two producers under one key: much of it goes ahead of the commit, and the rows of all columns stay side by side. */
static void rows_stay_side_by_side(void **state)
{
	static const struct enrg_column columns[] = {{"a", ENRG_I64, 0, NULL}, {"b", ENRG_I64, 0, NULL}};
	static const struct enrg_schema schema = {.column_count = 2, .columns = columns};
	static int64_t values[20000];
	const struct enrg_column_view views[2] = {
		{.values = values, .value_count = 20000}, {.values = values, .value_count = 20000}};
	const struct enrg_batch much = {.rows = 20000, .columns = views}, little = {.rows = 100, .columns = views};
	const struct harness_table first = {.source = "s", .tag = "", .schema = &schema, .more_keys = "key = \"both\""};
	const struct harness_table second = {
		.source = "t", .tag = "", .schema = &schema, .more_keys = "key = \"both\""};

	(void)state;
	for (int i = 0; i < 20000; i++)
		values[i] = i;
	life_open();
	for (int i = 0; i < 5; i++) {
		GOOD(harness_write_batch(life, &first, i % 2 ? &much : &little, &err));
		GOOD(harness_write_batch(life, &second, i % 2 ? &little : &much, &err));
	}
	GOOD(harness_commit(life, 1, &err));
	GOOD(harness_close(life, &err));
	char *a = ask("LRANGE both.a 0 -1", NULL), *b = ask("LRANGE both.b 0 -1", NULL);
	assert_true(strcmp(a, b) == 0);
	free(a);
	free(b);
	expect("LLEN both.a", "100500\n");
}

/* A transaction that is half on its way ends before the next table's keys are looked at, and is not doubled by that. */
static void a_new_table_in_the_middle_doubles_nothing(void **state)
{
	const struct harness_table first = {
		.source = "s", .tag = "", .schema = &data_wide, .more_keys = "key = \"first\""};
	const struct harness_table second = {
		.source = "s", .tag = "x", .schema = &data_wide, .more_keys = "key = \"first\""};

	(void)state;
	for (uint64_t round = 0; round < 2; round++) {
		life_open();
		GOOD(harness_write(life, &first, 0, 20000, 0, &err));
		GOOD(harness_write(life, &second, 0, 20000, 0, &err));
		if (round)
			GOOD(harness_commit(life, 1, &err));
		harness_kill(life);
	}
	expect("LLEN first.n", "20000\n");
	expect("LLEN first.x.n", "20000\n");
	check_lists(__LINE__, "first.x", "", 0, 20000);
}

/* The marks of these two were one before: the second table was taken for stored already. */
static void slashes_do_not_mix_marks(void **state)
{
	const struct harness_table one = {
		.source = "s", .tag = "a", .schema = &data_narrow, .more_keys = "key = \"b/c\""};
	const struct harness_table two = {
		.source = "s", .tag = "a/b", .schema = &data_narrow, .more_keys = "key = \"c\""};

	(void)state;
	life_open();
	GOOD(harness_write(life, &one, 0, 10, 0, &err));
	GOOD(harness_commit_half(life, &err));
	harness_kill(life);
	life_open(); /* counts from 1 again, as each table does */
	GOOD(harness_write(life, &two, 0, 10, 0, &err));
	GOOD(harness_commit(life, 1, &err));
	GOOD(harness_close(life, &err));
	expect("LLEN b/c.a.n", "10\n");
	expect("LLEN c.a/b.n", "10\n");
}

static void odd_keys_are_kept_or_refused(void **state)
{
	static char long_key[1100];
	const struct harness_table odd = {
		.source = "s", .tag = "", .schema = &life_odd_names, .more_keys = "key = \"a key\\nof 'two' lines\""};
	const struct harness_table too_long = {.source = "s", .tag = "", .schema = &data_narrow, .more_keys = long_key};

	(void)state;
	life_write_odd_names(&odd);
	expect("LRANGE \"$(printf 'a key\\nof '\\''two'\\'' lines.order by')\" 0 -1", "2\n-2\n");
	snprintf(long_key, sizeof(long_key), "key = \"%01001d\"", 7);
	life_refuses(&too_long, "key: expected 1 to 1000 bytes");
}

static void wrong_passwords_are_told_without_them(void **state)
{
	(void)state;
	set_keys("wrong-secret", "");
	life_refuses(&plain, "127.0.0.1");
	assert_non_null(strstr(err.text, "check password"));
	assert_null(strstr(err.text, "wrong-secret"));
}

/* Against the stand-in: the commands word by word. */
static void series_are_created_and_filled(void **state)
{
	static const struct enrg_column columns[] = {{"timestamp", ENRG_F64, 0, NULL}, {"x", ENRG_F64, 0, NULL},
		{"name", ENRG_STRING, 0, NULL}, {"on", ENRG_BOOL, 0, NULL}};
	static const struct enrg_schema schema = {.column_count = 4, .columns = columns};
	const struct harness_table table = {.source = "s",
		.tag = "cpu",
		.schema = &schema,
		.more_keys = "key = \"k\"\nuse_timeseries = true\nkey_expiration_days = 2"};
	const struct harness_table no_time = {
		.source = "s", .tag = "", .schema = &data_narrow, .more_keys = "key = \"k\"\nuse_timeseries = true"};
	const double times[3] = {1750000000000.75, 1750000000001, 1750000000002}, x[3] = {0.1, NAN, -2};
	const int32_t offsets[4] = {0, 0, 0, 0};
	const uint8_t bits = 0x5;
	const struct enrg_column_view views[4] = {{.values = times, .value_count = 3}, {.values = x, .value_count = 3},
		{.values = "", .offsets = offsets}, {.values = &bits, .value_count = 3}};
	const struct enrg_batch batch = {.rows = 3, .columns = views};
	char command[1024];

	(void)state;
	life_open();
	GOOD(harness_write_batch(life, &table, &batch, &err));
	GOOD(harness_commit(life, 1, &err));
	GOOD(harness_write_batch(life, &table, &batch, &err));
	GOOD(harness_commit_half(life, &err));
	harness_kill(life);
	life_open();
	GOOD(harness_write_batch(life, &table, &batch, &err)); /* is there */
	GOOD(harness_commit(life, 2, &err));
	GOOD(harness_close(life, &err));
	snprintf(command, sizeof(command), "grep TS.CREATE %s | sort -u", getenv("TIMESERIES_COMMANDS"));
	char *text = reading_run(command, NULL);
	assert_string_equal(text,
		"[\"TS.CREATE\", \"k.cpu.on\", \"RETENTION\", \"172800000\", \"DUPLICATE_POLICY\", \"LAST\", "
		"\"LABELS\", \"key\", \"k\", \"tag\", \"cpu\"]\n"
		"[\"TS.CREATE\", \"k.cpu.x\", \"RETENTION\", \"172800000\", \"DUPLICATE_POLICY\", \"LAST\", "
		"\"LABELS\", \"key\", \"k\", \"tag\", \"cpu\"]\n");
	free(text);
	snprintf(command, sizeof(command), "grep '^.\"TS.MADD' %s", getenv("TIMESERIES_COMMANDS"));
	text = reading_run(command, NULL);
#define TWO_COMMANDS                                                                                                   \
	"[\"TS.MADD\", \"k.cpu.x\", \"1750000000000\", \"0.1\", \"k.cpu.x\", \"1750000000002\", \"-2.0\"]\n"           \
	"[\"TS.MADD\", \"k.cpu.on\", \"1750000000000\", \"1\", \"k.cpu.on\", \"1750000000001\", \"0\", "               \
	"\"k.cpu.on\", \"1750000000002\", \"1\"]\n"
	assert_string_equal(text, TWO_COMMANDS TWO_COMMANDS);
	free(text);
	life_refuses(&no_time, "no column timestamp");
}

static void refused_samples_are_not_stored(void **state)
{
	static const struct enrg_column columns[] = {{"timestamp", ENRG_I64, 0, NULL}, {"x", ENRG_I64, 0, NULL}};
	static const struct enrg_schema schema = {.column_count = 2, .columns = columns};
	const struct harness_table table = {
		.source = "s", .tag = "", .schema = &schema, .more_keys = "key = \"policy\"\nuse_timeseries = true"};
	const int64_t times[4] = {1000, 1001, 1001, 1002}, x[4] = {1, 2, 3, 4};
	const struct enrg_column_view views[2] = {{.values = times, .value_count = 4}, {.values = x, .value_count = 4}};
	const struct enrg_batch batch = {.rows = 4, .columns = views};

	(void)state;
	free(ask("TS.CREATE policy.x DUPLICATE_POLICY BLOCK", NULL));
	life_refuses(&table, "TS.ALTER policy.x DUPLICATE_POLICY LAST");
	free(ask("TS.ALTER policy.x DUPLICATE_POLICY LAST", NULL));
	life_catch_log();
	life_open();
	GOOD(harness_write_batch(life, &table, &batch, &err));
	GOOD(harness_commit(life, 1, &err));
	free(ask("TS.ALTER policy.x DUPLICATE_POLICY BLOCK", NULL));
	GOOD(harness_write_batch(life, &table, &batch, &err));
	assert_true(harness_commit(life, 2, &err) < 0);
	assert_non_null(strstr(err.text, "did not take the data: ERR TSDB: Error at upsert"));
	assert_non_null(strstr(err.text, "TS.ALTER of that key with DUPLICATE_POLICY LAST"));
	free(ask("TS.ALTER policy.x DUPLICATE_POLICY LAST", NULL));
	GOOD(harness_roll_back(life, &err));
	GOOD(harness_write_batch(life, &table, &batch, &err)); /* its mark did not move */
	GOOD(harness_commit(life, 2, &err));
	GOOD(harness_close(life, &err));
	char *log = life_end_catch();
	assert_int_equal(life_count(log, "sends rows with the time of the row before them"), 1);
	assert_int_equal(life_count(log, "that had the time of the row before them, and took its place: 1"), 1);
	free(log);
	expect("TS.INFO policy.x", "totalSamples\n3\nduplicatePolicy\nlast\n");
}

int databases_test_redis(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, new_journal, life_remove_journal)
	const struct CMUnitTest tests[] = {
		TEST(all_types_are_kept), TEST(dated_keys_expire), TEST(half_a_commit_comes_once),
		cmocka_unit_test_setup(a_kill_at_any_call_loses_and_doubles_nothing, new_journal),
		TEST(late_transactions_make_ours_fail), TEST(keys_of_another_type_are_named),
		TEST(what_is_refused_is_not_stored), TEST(a_blob_replaces_no_list),
		TEST(missing_values_keep_their_place), TEST(blobs_are_base64), TEST(the_newest_blob_of_a_commit_stays),
		TEST(rows_stay_side_by_side), TEST(a_new_table_in_the_middle_doubles_nothing),
		TEST(slashes_do_not_mix_marks), TEST(odd_keys_are_kept_or_refused),
		TEST(wrong_passwords_are_told_without_them), /* last: the store waits before it tries again */
	};
	const struct CMUnitTest series[] = {TEST(series_are_created_and_filled), TEST(refused_samples_are_not_stored)};

	setenv("TZ", "UTC", 1);
	if (getenv("TIMESERIES_COMMANDS"))
		return cmocka_run_group_tests_name("databases.timeseries", series, NULL, NULL);
	return cmocka_run_group_tests_name("databases.redis", tests, NULL, NULL);
}

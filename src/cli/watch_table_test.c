/* watch_table_test.c: numbers of a row as JSON are those that were stored; names of any script stand in columns; text
 * of a source steers no terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/watch_table.h"

static const struct watch_rates rates = {.seconds = 1, .scale = 1};

/* A table of one row. `views`: one a column. */
static struct watch_table make_table(struct enrg_schema *schema, struct enrg_column_view *views)
{
	return (struct watch_table){.is_known = true,
		.tag = "raw\033[2J",
		.batch = {.schema = schema, .columns = views, .rows = 1, .sequence = 7}};
}

static json_t *print_json(const struct watch_table *table)
{
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	assert_non_null(stream);
	watch_table_print_json(table, &rates, "source", stream);
	assert_int_equal(fclose(stream), 0);
	json_t *json = json_loads(text, 0, NULL);
	free(text);
	assert_non_null(json);
	return json;
}

static void test_numbers(void **state)
{
	(void)state;
	static const struct enrg_column columns[] = {
		{"time", ENRG_F64, 0, "s"},
		{"count", ENRG_U64, 0, NULL},
		{"large", ENRG_U64, 0, NULL},
		{"stamp", ENRG_I64, 0, "ns"},
		{"float", ENRG_F32, 0, NULL},
		{"moment", ENRG_TIMESTAMP_NS, 0, NULL},
	};
	const double time = 1764281823.125;
	const uint64_t count = 217, large = UINT64_MAX;
	const int64_t stamp = 1764281823123456789;
	const float single = 1.1f;
	struct enrg_column_view views[] = {{.values = &time, .value_count = 1}, {.values = &count, .value_count = 1},
		{.values = &large, .value_count = 1}, {.values = &stamp, .value_count = 1},
		{.values = &single, .value_count = 1}, {.values = &stamp, .value_count = 1}};
	struct enrg_schema schema = {.column_count = 6, .columns = columns};
	struct watch_table table = make_table(&schema, views);
	json_t *json = print_json(&table), *row = json_object_get(json, "row");

	assert_true(json_real_value(json_object_get(row, "time")) == time);
	assert_true(json_is_integer(json_object_get(row, "count")));
	assert_int_equal(json_integer_value(json_object_get(row, "count")), count);
	assert_true(json_is_real(json_object_get(row, "large")));
	assert_int_equal(json_integer_value(json_object_get(row, "stamp")), stamp);
	assert_true((float)json_real_value(json_object_get(row, "float")) == single);
	assert_string_equal(json_string_value(json_object_get(row, "moment")), "2025-11-27T22:17:03.123456789Z");
	json_decref(json);
}

static void test_lines(void **state)
{
	(void)state;
	static const struct enrg_column columns[] = {
		{"Größe", ENRG_U8, 0, "\033[31m"}, {"text", ENRG_STRING, 0, ""}, {"time", ENRG_TIMESTAMP_NS, 0, NULL}};
	static const char content[] = "a\033]0;b\007\xe2\x80\xae\xff";
	static const int32_t offsets[] = {0, sizeof(content) - 1};
	const uint8_t number = 5;
	const int64_t time = -1;
	struct enrg_column_view views[] = {{.values = &number, .value_count = 1},
		{.values = content, .offsets = offsets, .value_count = sizeof(content) - 1},
		{.values = &time, .value_count = 1}};
	struct enrg_schema schema = {.column_count = 3, .columns = columns};
	struct watch_table table = make_table(&schema, views);
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	assert_non_null(stream);
	watch_table_print(&table, &rates, 80, stream);
	assert_int_equal(fclose(stream), 0);
	assert_null(strpbrk(text, "\033\007\xff"));
	assert_null(strstr(text, "\xe2\x80\xae")); /* what follows would be read from the right */
	assert_non_null(strstr(text, "\n  Größe  5  [31m\n"));
	assert_non_null(strstr(text, "\n  text   a ]0;b "));
	assert_non_null(strstr(text, "\n  time   1969-12-31T23:59:59.999999999Z\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests_name("cli.watch_table", tests, NULL, NULL);
}

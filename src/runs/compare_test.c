/* compare_test.c: what differs between two runs, and what stays unsaid; unified diffs of texts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "runs/compare.h"
#include "runs/lines.h"

static void expect_lines(const char *from, const char *to, const char *wanted)
{
	json_t *lines = lines_diff(from, to);
	char text[2000] = "";

	assert_non_null(lines);
	for (size_t i = 0; i < json_array_size(lines); i++) {
		strcat(text, json_string_value(json_array_get(lines, i)));
		strcat(text, "\n");
	}
	assert_string_equal(text, wanted);
	json_decref(lines);
}

static void texts_differ_line_by_line(void **state)
{
	(void)state;
	expect_lines("a\nb\n", "a\nb\n", "");
	expect_lines("", "", "");
	expect_lines("", "a\n", "@@ -0,0 +1,1 @@\n+a\n");
	expect_lines("a\n", "", "@@ -1,1 +0,0 @@\n-a\n");
	expect_lines(
		"a\nb\nc\nd\ne\nf\ng\n", "a\nb\nc\nX\ne\nf\ng\n", "@@ -1,7 +1,7 @@\n a\n b\n c\n-d\n+X\n e\n f\n g\n");
	expect_lines("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\n6\n7\n8\n9\nten\n",
		"@@ -7,3 +7,4 @@\n 7\n 8\n 9\n+ten\n");
	expect_lines("x\n1\n2\n3\n4\n5\n6\n7\n8\ny\n", "X\n1\n2\n3\n4\n5\n6\n7\n8\nY\n",
		"@@ -1,4 +1,4 @@\n-x\n+X\n 1\n 2\n 3\n@@ -7,4 +7,4 @@\n 6\n 7\n 8\n-y\n+Y\n");
	expect_lines("a\nb\nc\n", "c\na\nb\n", "@@ -1,3 +1,3 @@\n+c\n a\n b\n-c\n");
}

/* More lines than the table has room for: one change. */
static void large_texts_are_one_change(void **state)
{
	size_t count = 6000;
	char *from = malloc(2 * count + 1), *to = malloc(2 * count + 1);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		memcpy(from + 2 * i, "a\n", 2);
		memcpy(to + 2 * i, "b\n", 2);
	}
	from[2 * count] = to[2 * count] = '\0';
	json_t *lines = lines_diff(from, to);
	assert_int_equal(json_array_size(lines), 2 * count + 1);
	json_decref(lines);
	free(from);
	free(to);
}

static json_t *make_run(int number, const char *config, const char *library, int stored, double rate)
{
	return json_pack(
		"{s:i, s:s, s:{s:[{s:{s:s, s:{s:s, s:[{s:s, s:s}]}, s:{s:i}}}], s:[{s:{s:{s:[{s:s, s:i, s:[{s:s, "
		"s:i}]}]}, s:{s:{s:f}}}}]}}",
		"number", number, "type", "physics", "entries", "begin", "body", "config", config, "versions",
		"enrgdaq", "0.1.0", "libraries", "name", "libz.so.1", "file", library, "values", "amplitude", number,
		"end", "body", "account", "sources", "source", "dice", "produced_rows", 100, "stores", "store", "csv",
		"stored_rows", stored, "rates", "dice", "rows_per_s", rate);
}

static const char *at(const json_t *json, const char *a, const char *b, const char *c)
{
	static char *text;
	const json_t *found = json_object_get(json_object_get(json, a), b);

	free(text);
	if (c)
		found = json_object_get(found, c);
	text = json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(3));
	return text ? text : "";
}

static void what_differs_is_said(void **state)
{
	json_t *from = make_run(1, "a = 1\n", "libz.so.1.2.13", 100, 10),
	       *to = make_run(2, "a = 2\n", "libz.so.1.3", 99, 12.5);
	json_t *found = compare_runs(from, to), *same = compare_runs(from, from);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(found, "config")), 3);
	assert_string_equal(
		at(found, "versions", "libz.so.1", NULL), "{\"from\":\"libz.so.1.2.13\",\"to\":\"libz.so.1.3\"}");
	assert_string_equal(at(found, "settings", "amplitude", NULL), "{\"from\":1,\"to\":2}");
	assert_string_equal(at(found, "ledger", "dice -> csv", "stored_rows"), "{\"from\":100,\"to\":99}");
	assert_string_equal(at(found, "ledger", "dice", NULL), "");
	assert_string_equal(at(found, "rates", "dice", "rows_per_s"), "{\"from\":10.0,\"to\":12.5}");
	assert_int_equal(json_array_size(json_object_get(same, "config")), 0);
	const char *const parts[] = {"versions", "settings", "ledger", "rates"};
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(json_object_size(json_object_get(same, parts[i])), 0);
	json_decref(found);
	json_decref(same);
	json_decref(from);
	json_decref(to);
}

static void a_terminal_is_not_steered(void **state)
{
	json_t *from = make_run(1, "a = 1\n", "x", 1, 1), *to = make_run(2, "a = \"\033[2J\"\n", "\033[31m", 1, 1);
	json_t *found = compare_runs(from, to);
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	(void)state;
	compare_print(found, stream);
	fclose(stream);
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "--- run 1\n+++ run 2\n"));
	free(text);
	json_decref(found);
	json_decref(from);
	json_decref(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_differ_line_by_line),
		cmocka_unit_test(large_texts_are_one_change),
		cmocka_unit_test(what_differs_is_said),
		cmocka_unit_test(a_terminal_is_not_steered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

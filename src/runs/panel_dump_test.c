/* panel_dump_test.c: CSV, times and HTML of the panel's dump; texts that look like secrets. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "runs/panel_dump.h"
#include "runs/panel_plans.h"
#include "runs/panel_runs.h"

static void expect_csv(const char *text, const char *wanted)
{
	struct enrg_error err = {0};
	json_t *rows = NULL;
	int rc = panel_dump_parse_csv(text, strlen(text), &rows, &err);

	if (!wanted) {
		assert_int_equal(rc, ENRG_E_CORRUPT);
		return;
	}
	if (rc)
		fail_msg("%s", err.text);
	char *found = json_dumps(rows, JSON_COMPACT);
	assert_string_equal(found, wanted);
	free(found);
	json_decref(rows);
}

static void rows_are_read(void **state)
{
	(void)state;
	expect_csv("", "[]");
	expect_csv("a,b\n", "[]");
	expect_csv("a,b\n1,\n,\"x\"\"y,\nz\"\n", "[{\"a\":\"1\",\"b\":\"\"},{\"a\":\"\",\"b\":\"x\\\"y,\\nz\"}]");
	expect_csv("a,b\r\n1,2\r\n3,4", "[{\"a\":\"1\",\"b\":\"2\"},{\"a\":\"3\",\"b\":\"4\"}]");
	expect_csv("a\n\"x", NULL);
	expect_csv("a,b\n1\n", NULL);
	expect_csv("a,b\n1,2,3\n", NULL);
}

static void times_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} cases[] = {{"2026-01-02 03:04:05.5+01", 1767319445500000000},
		{"2026-01-02T02:04:05.500Z", 1767319445500000000}, {"2026-01-02 02:04:05", 1767319445000000000},
		{"2026-01-01 21:34:05-04:30", 1767319445000000000}, {"", 0}, {"yesterday", 0},
		{"99999-01-01 00:00:00", 0}, {"2026-01-02 03:04:nan", 0}, {"2026--2147483648-02 03:04:05", 0},
		{"2026-01-02 999999999:04:05", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		json_t *row = json_pack("{s:s}", "t", cases[i].text);
		if (panel_time_ns(row, "t") != cases[i].ns)
			fail_msg("%s: %llu", cases[i].text, (unsigned long long)panel_time_ns(row, "t"));
		json_decref(row);
	}
}

static void html_becomes_text(void **state)
{
	static const struct {
		const char *html, *text;
	} cases[] = {{"plain", "plain"}, {"<p>a</p><p>b<br>c</p>", "a\nb\nc"},
		{"1 < 2 & 3 &lt; 4 &#39;x&#39; &#x3bc;", "1 < 2 & 3 < 4 'x' \xce\xbc"},
		{"a<script>x > 1</script>b<style>p {}</style>c", "abc"}, {"a<script>never", "a"}, {"a<b", "a"},
		{"<ul><li>x<li>y</ul>", "- x\n- y"}, {"<img src=x onerror=alert(1)>", ""}, {"&#0;&#27;", "&#0;&#27;"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *text = panel_dump_strip_html(cases[i].html);
		assert_string_equal(text, cases[i].text);
		free(text);
	}
}

static void what_looks_like_a_secret_is_masked(void **state)
{
	char *text = panel_runs_mask("a = 1\n[x]\nPassword = 'p' # p\nuser = { token = \"t\" }\nb = \"c\"");

	(void)state;
	assert_string_equal(text, "a = 1\n[x]\nPassword = \"***\"\nuser = \"***\"\nb = \"c\"");
	free(text);
}

static void a_secret_far_along_a_line_is_masked(void **state)
{
	char line[400], *text;

	(void)state;
	snprintf(line, sizeof(line), "a = { b = \"%0250d\", password = \"p\" }", 0);
	text = panel_runs_mask(line);
	assert_string_equal(text, "a = \"***\"");
	free(text);
}

/* A sentence about it is cut, between the two bytes of a letter too. */
static void a_template_with_a_long_payload_is_made(void **state)
{
	char payload[700] = "x";

	(void)state;
	for (int i = 0; i < 300; i++)
		strcat(payload, "\xc3\xbc");
	json_t *tables = json_pack("{s:[{s:i, s:s, s:s, s:s}]}", "templates", "id", 1, "name", "m", "type", "message",
		"payload_template", payload);
	json_t *files = panel_plans_make(tables);
	assert_int_equal(json_array_size(files), 1);
	assert_int_equal(json_array_size(json_object_get(json_array_get(files, 0), "by_hand")), 2);
	json_decref(files);
	json_decref(tables);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_read),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(html_becomes_text),
		cmocka_unit_test(what_looks_like_a_secret_is_masked),
		cmocka_unit_test(a_secret_far_along_a_line_is_masked),
		cmocka_unit_test(a_template_with_a_long_payload_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

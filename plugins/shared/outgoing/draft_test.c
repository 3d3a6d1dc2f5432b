/* draft_test.c: whatever a text says, it stays a text where it goes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "outgoing/draft.h"

static void expect(void (*add)(struct draft *, const char *), const char *text, const char *wanted)
{
	struct draft draft = {0};

	add(&draft, text);
	char *made = draft_take(&draft);
	assert_string_equal(made ? made : "", wanted);
	free(made);
}

static void json_stays_one_string(void **state)
{
	(void)state;
	expect(draft_add_json, "", "\"\"");
	expect(draft_add_json, "a \"b\" \\ c", "\"a \\\"b\\\" \\\\ c\"");
	expect(draft_add_json, "\r\n\t\x01\x7f", "\"\\u000d\\u000a\\u0009\\u0001\\u007f\"");
	expect(draft_add_json, "µ \xf0\x9f\x98\x80", "\"µ \xf0\x9f\x98\x80\"");
	expect(draft_add_json, "\xff \xc3 \xed\xa0\x80 \xc0\x80", "\"? ? ??? ??\"");
}

static void slack_is_mentioned_to_nobody(void **state)
{
	(void)state;
	expect(draft_add_slack, "<!channel> & <@U1> <https://evil|good>",
		"&lt;!channel&gt; &amp; &lt;@U1&gt; &lt;https://evil|good&gt;");
	expect(draft_add_slack, "&lt;", "&amp;lt;");
}

static void a_line_stays_one_line(void **state)
{
	(void)state;
	expect(draft_add_line, "a\r\nBcc: x@y\n\nb", "a  Bcc: x@y  b");
	expect(draft_add_header, "a\r\nBcc: x@y", "a  Bcc: x@y");
	expect(draft_add_header, "5 µV\r\nBcc: x", "=?UTF-8?B?NSDCtVYgIEJjYzogeA==?=");
}

static void a_long_header_is_folded_between_characters(void **state)
{
	struct draft draft = {0};

	(void)state;
	draft_add_header(&draft, "µµµµµµµµµµµµµµµµµµµµµµµµµ"); /* 50 bytes */
	assert_non_null(draft.text);
	const char *fold = strstr(draft.text, "?=\n =?UTF-8?B?");
	assert_non_null(fold);
	assert_true(fold - draft.text < 76);
	assert_int_equal((fold - draft.text - 10) % 4, 0);
	draft_fini(&draft);
}

static void a_text_is_cut_between_characters(void **state)
{
	(void)state;
	assert_int_equal(draft_cut("abc", 2), 2);
	assert_int_equal(draft_cut("aµb", 2), 1);
	assert_int_equal(draft_cut("aµb", 3), 3);
	assert_int_equal(draft_cut("", 3), 0);
}

static void times_bear_their_zone(void **state)
{
	struct draft draft = {0};

	(void)state;
	draft_add_utc(&draft, 1764302712123456789u);
	assert_string_equal(draft.text, "2025-11-28T04:05:12.123Z");
	draft_fini(&draft);
	setenv("TZ", "XXX-1", 1);
	draft_add_local(&draft, 1764302712123456789u);
	assert_string_equal(draft.text, "2025-11-28 05:05:12 +0100");
	draft_fini(&draft);
}

static void what_has_no_end_is_refused(void **state)
{
	struct draft draft = {0};

	(void)state;
	for (int i = 0; i < 200000; i++)
		draft_add(&draft, "%0100d", i);
	assert_true(draft.is_failed);
	assert_null(draft_take(&draft));
	assert_null(draft.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_stays_one_string),
		cmocka_unit_test(slack_is_mentioned_to_nobody),
		cmocka_unit_test(a_line_stays_one_line),
		cmocka_unit_test(a_long_header_is_folded_between_characters),
		cmocka_unit_test(a_text_is_cut_between_characters),
		cmocka_unit_test(times_bear_their_zone),
		cmocka_unit_test(what_has_no_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

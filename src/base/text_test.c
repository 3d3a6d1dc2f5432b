/* text_test.c: what is shown can't steer a terminal. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/text.h"

static void control_characters_become_spaces(void **state)
{
	static const struct {
		const char *text, *safe;
	} cases[] = {
		{"plain", "plain"},
		{"a\033[2Jb\nc\x7f", "a [2Jb c "},
		{"\xc2\x9b"
		 "2J \xc2\xa0",
			"  2J \xc2\xa0"}, /* CSI as one character of 8 bits */
		{"\x9b"
		 "2J",
			"?2J"},
		{"K\xc3\xb6ln \xe2\x82\xac \xf0\x9f\x94\xa5", "K\xc3\xb6ln \xe2\x82\xac \xf0\x9f\x94\xa5"},
		{"a\xe2\x80\xae"
		 "b\xe2\x81\xa9\xe2\x80\xa8\xe2\x80\xa7\xe2\x81\xaa",
			"a   b      \xe2\x80\xa7\xe2\x81\xaa"}, /* the direction of what follows; a line's end */
		{"\xc3", "?"},
		{"\xed\xa0\x80", "???"},
		{"\xc0\x9b", "??"},
		{"\xf4\x90\x80\x80", "????"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[64];

		strcpy(text, cases[i].text);
		text_make_safe(text, strlen(text));
		assert_string_equal(text, cases[i].safe);
	}
}

static void json_is_quoted_and_cut_between_characters(void **state)
{
	char json[64];

	(void)state;
	assert_int_equal(text_format_json("a\"b\\\n\x9b", 6, json, sizeof(json)), 18);
	assert_string_equal(json, "a\\\"b\\\\\\u000a\\ufffd");
	text_format_json("ab\xe2\x82\xac", 5, json, 5); /* two and three bytes, and the end */
	assert_string_equal(json, "ab");
	text_format_json("ab\xe2\x82\xac", 5, json, 6);
	assert_string_equal(json, "ab\xe2\x82\xac");
}

static void hex_is_read_as_it_was_written(void **state)
{
	uint8_t bytes[3] = {0x00, 0x9f, 0xe1}, read[3];
	char hex[7];

	(void)state;
	text_format_hex(bytes, 3, hex);
	assert_string_equal(hex, "009fe1");
	assert_int_equal(text_parse_hex(hex, 3, read), 0);
	assert_memory_equal(read, bytes, 3);
	assert_int_equal(text_parse_hex("009fe", 3, read), -EINVAL);
	assert_int_equal(text_parse_hex("009fe11", 3, read), -EINVAL);
	assert_int_equal(text_parse_hex("009fg1", 3, read), -EINVAL);
	assert_int_equal(text_parse_hex("009FE1", 3, read), -EINVAL);
	assert_int_equal(text_parse_hex("0 9fe1", 3, read), -EINVAL);
}

static void digits_and_uuids(void **state)
{
	uint8_t bytes[16];
	char uuid[37];

	(void)state;
	assert_int_equal(text_hex_digit('0'), 0);
	assert_int_equal(text_hex_digit('9'), 9);
	assert_int_equal(text_hex_digit('a'), 10);
	assert_int_equal(text_hex_digit('F'), 15);
	for (const char *none = "/:@G`g \x10\x19"; *none; none++)
		assert_int_equal(text_hex_digit(*none), -1);
	memset(bytes, 0xff, sizeof(bytes));
	text_format_uuid(bytes, 4, uuid);
	assert_string_equal(uuid, "ffffffff-ffff-4fff-bfff-ffffffffffff");
	memset(bytes, 0, sizeof(bytes));
	text_format_uuid(bytes, 8, uuid);
	assert_string_equal(uuid, "00000000-0000-8000-8000-000000000000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_characters_become_spaces),
		cmocka_unit_test(digits_and_uuids),
		cmocka_unit_test(hex_is_read_as_it_was_written),
		cmocka_unit_test(json_is_quoted_and_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

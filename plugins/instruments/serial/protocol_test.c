/* protocol_test.c: bytes as instruments sent them, and as a bad line brings them: into lines, into fields. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol.h"

#define TEXT(literal) literal, sizeof(literal) - 1

static struct lines lines;
static char seen[4096]; /* lines, each with "|" behind it */

/* Feeds `bytes` in pieces of `step` bytes. */
static const char *feed(const char *bytes, size_t count, size_t step)
{
	seen[0] = '\0';
	for (size_t at = 0; at < count; at += step) {
		const char *piece = bytes + at;
		size_t left = count - at < step ? count - at : step, length;
		for (char *line; (line = lines_next(&lines, &piece, &left, &length));) {
			assert_int_equal(line[length], 0);
			line_quote(line, length, seen + strlen(seen), 100);
			strcat(seen, "|");
		}
	}
	return seen;
}

/* --- lines ------------------------------------------------------------------------------------------------------- */

/* A Keithley 2000 on RS-232, a Lakeshore 218, an Arduino sketch: as recorded, cut at every place. */
static void test_recorded_bytes(void **state)
{
	static const char bytes[] = "+1.03243021E+00\r\n+1.03242E+00\r\n+273.15,+077.35,+004.21\r\nT=23.50 H=40\n\n";
	(void)state;

	for (size_t step = 1; step < sizeof(bytes); step++) {
		lines_init(&lines, "\n", 1);
		assert_string_equal(feed(bytes, sizeof(bytes) - 1, step),
			"+1.03243021E+00|+1.03242E+00|+273.15,+077.35,+004.21|T=23.50 H=40||");
	}
}

static void test_line_ends(void **state)
{
	(void)state;
	lines_init(&lines, "\r", 1);
	assert_string_equal(feed(TEXT("1.5\r2.5\r"), 3), "1.5|2.5|");
	lines_init(&lines, "\r\n\r\n", 4);
	assert_string_equal(feed(TEXT("a\r\nb\r\n\r\n\r\r\n\r\nc"), 1), "a\\x0d\\x0ab|\\x0d|");
	lines_init(&lines, "aab", 3); /* an end that begins anew inside of itself */
	assert_string_equal(feed(TEXT("1aaab2aab"), 1), "1a|2|");
}

/* What comes first may be the rest of a line: a number without its first digits is a wrong number. */
static void test_first_line_is_left_out(void **state)
{
	(void)state;
	lines_init(&lines, "\n", 1);
	lines_reset(&lines, true);
	assert_string_equal(feed(TEXT("3.5\n123.5\n"), 4), "123.5|");
	assert_int_equal(lines.partial, 1);
	feed(TEXT("12"), 2);
	lines_reset(&lines, false); /* reopened: nothing of before is glued to what comes */
	assert_string_equal(feed(TEXT("7.5\n"), 4), "7.5|");
}

static void test_too_long(void **state)
{
	static char bytes[3 * LINE_BYTES_MAX];
	(void)state;

	memset(bytes, 'x', sizeof(bytes));
	for (size_t step = 1; step < 9000; step += 777) {
		lines_init(&lines, "\r\n", 2);
		assert_string_equal(feed(TEXT("1\r\n"), 1), "1|");
		assert_string_equal(feed(bytes, sizeof(bytes), step), "");
		assert_string_equal(feed(TEXT("\r\n2\r\n"), 1), "2|");
		assert_int_equal(lines.too_long, 1);
	}
	/* just what fits */
	lines_init(&lines, "\n", 1);
	feed(bytes, LINE_BYTES_MAX, 1000);
	const char *end = "\n";
	size_t one = 1, length;
	assert_non_null(lines_next(&lines, &end, &one, &length));
	assert_int_equal(length, LINE_BYTES_MAX);
	feed(bytes, LINE_BYTES_MAX + 1, 1000);
	assert_string_equal(feed(TEXT("\n3\n"), 1), "3|");
	assert_int_equal(lines.too_long, 1);
}

/* A wrong baud rate, a plug that is pulled: it finds its way back at the next end. */
static void test_garbage(void **state)
{
	static const char bytes[] = "\xff\xfe\x00\x80\n\x00\x00T=1 H=2\nT=3 H=4\n";
	(void)state;

	lines_init(&lines, "\n", 1);
	assert_string_equal(feed(bytes, sizeof(bytes) - 1, 5), "\\xff\\xfe\\x00\\x80|\\x00\\x00T=1 H=2|T=3 H=4|");
}

static void test_quote(void **state)
{
	char text[20];
	(void)state;

	line_quote(TEXT("0123456789012345678901234567890123456789"), text, sizeof(text));
	assert_string_equal(text, "0123456789012...");
	line_quote(TEXT(""), text, sizeof(text));
	assert_string_equal(text, "");
}

/* --- patterns ---------------------------------------------------------------------------------------------------- */

static struct pattern pattern;
static struct enrg_value values[PATTERN_COLUMNS_MAX];
static char line[LINE_BYTES_MAX + 1];

static bool match(const char *form, const char *text, size_t length)
{
	struct enrg_error err = {0};

	pattern_fini(&pattern);
	if (pattern_init(&pattern, form, &err) < 0)
		fail_msg("%s: %s", form, err.text);
	memset(values, 0x55, sizeof(values));
	memcpy(line, text, length);
	line[length] = '\0';
	return pattern_match(&pattern, line, length, values);
}

static void assert_text(uint32_t column, const char *expected)
{
	assert_int_equal(values[column].count, strlen(expected));
	assert_memory_equal(values[column].data, expected, strlen(expected));
}

static int tear_down(void **state)
{
	(void)state;
	pattern_fini(&pattern);
	return 0;
}

static void test_numbers(void **state)
{
	static const char form[] = "T={temperature:f64:degC} H={humidity:i8:%}";
	(void)state;

	assert_true(match(form, TEXT("T=23.5 H=40")));
	assert_int_equal(pattern.column_count, 2);
	assert_string_equal(pattern.columns[0].name, "temperature");
	assert_string_equal(pattern.columns[0].unit, "degC");
	assert_int_equal(pattern.columns[1].type, ENRG_I8);
	assert_true(values[0].f == 23.5);
	assert_int_equal(values[1].i, 40);
	assert_true(match(form, TEXT("  T=  -1.25e3\t H=-128 ")));
	assert_true(values[0].f == -1250);
	assert_int_equal(values[1].i, -128);
	assert_true(match(form, TEXT("T=23.5H=40"))); /* a blank stands for any number of them */
	assert_true(match(form, TEXT("T=nan H=0")));
	assert_true(isnan(values[0].f));
	assert_false(match(form, TEXT("T=23.5 H=128"))); /* out of range */
	assert_false(match(form, TEXT("T=23.5 H=40 C=1")));
	assert_false(match(form, TEXT("T=23.5 H=4.0")));
	assert_false(match(form, TEXT("T=23.5 H=")));
	assert_false(match(form, TEXT("T=---- H=40")));
	assert_false(match(form, TEXT("T=0x10 H=40")));
	assert_false(match(form, TEXT("T=23.5")));
	assert_false(match(form, TEXT("")));
	assert_true(
		match("{a:u64},{b:i64},{c:u8},{d:f32}", TEXT("18446744073709551615,-9223372036854775808, 255,1e-3")));
	assert_true(values[0].u == UINT64_MAX && values[1].i == INT64_MIN && values[2].u == 255);
	assert_false(match("{a:u64}", TEXT("18446744073709551616")));
	assert_false(match("{a:u64}", TEXT("-1")));
	assert_false(match("{a:u8}", TEXT("256")));
	assert_false(match("{a:i16}", TEXT("-32769")));
	assert_true(match("{a:i16}", TEXT("-32768")));
}

static void test_texts(void **state)
{
	(void)state;
	assert_true(match("{name:string}: {value}", TEXT("supply 3 : 1.5")));
	assert_text(0, "supply 3");
	assert_true(values[1].f == 1.5);
	assert_true(match("{state:string} {rest:string}", TEXT("OK all is well ")));
	assert_text(0, "OK");
	assert_text(1, "all is well");
	assert_true(match("{},{a:i64},{}", TEXT("$GP, 7,rest,of,it")));
	assert_int_equal(values[0].i, 7);
	assert_true(match("{{{a:i64}}}", TEXT("{5}")));
	assert_int_equal(values[0].i, 5);
	assert_false(match("{name:string}: {value}", TEXT("no colon")));
	/* what is not UTF-8 text does no harm, and is seen */
	assert_true(match("{name:string}", TEXT("20 \xb0"
						"C \xc2\xb0 \x00 \xed\xa0\x80 \x1b.")));
	assert_text(0, "20 ?C \xc2\xb0 ? ??? ?.");
	assert_false(match("{a:i64} {s:string}x", TEXT("1 \xff\xff")));
	assert_memory_equal(line, "1 \xff\xff", 4); /* as it came, for the log */
}

static void test_nul_ends_no_line(void **state)
{
	(void)state;
	assert_false(match("{a:i64}", TEXT("12\x00")));
	assert_false(match("{a:i64}", TEXT("12\x00"
					   "34")));
	assert_false(match("{a:i64}", TEXT("\x00"
					   "12")));
	assert_false(match("{a:f64}", TEXT("-\x00")));
}

static void test_patterns_that_are_refused(void **state)
{
	static const char *const forms[][2] = {
		{"", "it names no column"},
		{"   ", "it names no column"},
		{"T=23", "it names no column"},
		{"{a}{b}", "{b}: something must stand between two fields"},
		{"{a}{}", "something must stand between"},
		{"{a:f65}", "column a: expected a type f64, f32"},
		{"{:f64}", "a column without a name"},
		{"T={a", "\"}\" is missing"},
		{"T=a} {b}", "\"}\" without \"{\""},
		{"{a} {a}", "same name \"a\""},
		{"{a\xff}", "is not UTF-8"},
	};
	struct enrg_error err;
	char many[PATTERN_COLUMNS_MAX * 16] = "";
	(void)state;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		err = (struct enrg_error){0};
		assert_int_equal(pattern_init(&pattern, forms[i][0], &err), -EINVAL);
		if (!strstr(err.text, forms[i][1]))
			fail_msg("\"%s\" is not in \"%s\"", forms[i][1], err.text);
		pattern = (struct pattern){0};
	}
	for (unsigned i = 0; i < PATTERN_COLUMNS_MAX; i++)
		snprintf(many + strlen(many), 16, "{c%u} ", i);
	assert_int_equal(pattern_init(&pattern, many, &err), 0);
	pattern_fini(&pattern);
	strcat(many, "{x}");
	assert_int_equal(pattern_init(&pattern, many, &err), -EINVAL);
	assert_non_null(strstr(err.text, "more than 64 columns"));
	pattern = (struct pattern){0};
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_bytes),
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_first_line_is_left_out),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_quote),
		cmocka_unit_test_teardown(test_numbers, tear_down),
		cmocka_unit_test_teardown(test_texts, tear_down),
		cmocka_unit_test_teardown(test_nul_ends_no_line, tear_down),
		cmocka_unit_test(test_patterns_that_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

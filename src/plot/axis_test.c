/* axis_test.c: ranges, ticks and numbers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plot/axis.h"

static void expect_number(double value, const char *text)
{
	char got[64];

	number_format(value, got, sizeof(got));
	assert_string_equal(got, text);
}

static void test_numbers(void **state)
{
	(void)state;
	expect_number(0, "0");
	expect_number(0.0506, "0.0506");
	expect_number(4.2, "4.20");
	expect_number(9.999, "10.0");
	expect_number(99.96, "100");
	expect_number(999.9, "1,000");
	expect_number(12345.6, "12,346");
	expect_number(1234567, "1,234,567");
}

static void test_exact_numbers(void **state)
{
	char text[64];

	(void)state;
	number_format_exact(0.001, text, sizeof(text));
	assert_string_equal(text, "0.001");
	number_format_exact(500000, text, sizeof(text));
	assert_string_equal(text, "500,000");
	number_format_exact(2.5, text, sizeof(text));
	assert_string_equal(text, "2.5");
}

/* Whatever the values are: they lie inside, with air at both ends, and the axis has a decade. */
static void test_log_range(void **state)
{
	(void)state;
	for (double lowest = 1e-5; lowest < 1e6; lowest *= 1.7) {
		for (double ratio = 1; ratio < 1e6; ratio *= 2.3) {
			struct axis axis = axis_log(lowest, lowest * ratio);
			assert_true(axis.min > 0 && axis.min < lowest && axis.max > lowest * ratio);
			assert_true(axis.max / axis.min > 9.99 && axis.max / axis.min < 1.001e8);
		}
	}
}

static void test_log_range_is_bounded(void **state)
{
	struct axis axis = axis_log(1e-9, 1e6);

	(void)state;
	assert_true(fabs(log10(axis.max / axis.min) - 8) < 1e-6);
}

static void test_fractions_are_clipped(void **state)
{
	struct axis axis = axis_log(1, 100);

	(void)state;
	assert_true(axis_fraction(&axis, 0) <= 0);
	assert_true(axis_fraction(&axis, -1) <= 0);
	assert_true(axis_fraction(&axis, 1e12) >= 1);
	assert_true(axis_fraction(&axis, 10) > 0.3 && axis_fraction(&axis, 10) < 0.7);
}

static void test_linear_range(void **state)
{
	(void)state;
	for (double highest = 1e-6; highest < 1e9; highest *= 1.3) {
		struct axis axis = axis_linear(highest, 1.1);
		assert_true(axis.min <= 0 && axis.max > highest * 1.09 && axis.max < highest * 1.1 * 1.4);
	}
	assert_true(axis_linear(0, 1).max > 0);
}

static char *format_ticks(const struct axis *axis)
{
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	assert_non_null(stream);
	axis_write_ticks(axis, "ytics", 8, stream);
	fclose(stream);
	return text;
}

static void test_ticks(void **state)
{
	struct axis wide = {true, 0.5, 20000}, narrow = {true, 5, 200}, linear = {false, 0, 25000};
	char *text = format_ticks(&wide);

	(void)state;
	assert_non_null(strstr(text, "'10,000' 10000 0"));
	assert_non_null(strstr(text, "'' 0.5 1"));
	assert_null(strstr(text, "'5'"));
	free(text);
	text = format_ticks(&narrow);
	assert_non_null(strstr(text, "'5' 5 0"));
	assert_non_null(strstr(text, "'200' 200 0"));
	free(text);
	text = format_ticks(&linear);
	assert_non_null(strstr(text, "'15,000' 15000 0"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_exact_numbers),
		cmocka_unit_test(test_log_range),
		cmocka_unit_test(test_log_range_is_bounded),
		cmocka_unit_test(test_fractions_are_clipped),
		cmocka_unit_test(test_linear_range),
		cmocka_unit_test(test_ticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

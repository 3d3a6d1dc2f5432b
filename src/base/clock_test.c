/* clock_test.c: clocks go forward; times read as written in the header. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

static void test_clocks_go_forward(void **state)
{
	uint64_t mono_ns = clock_mono_ns(), cpu_ns = clock_cpu_ns();

	(void)state;
	while (clock_cpu_ns() == cpu_ns)
		;
	assert_true(clock_cpu_ns() > cpu_ns);
	assert_true(clock_mono_ns() > mono_ns);
	assert_true(clock_wall_ns() > UINT64_C(1577836800000000000)); /* 2020 */
}

static void test_utc(void **state)
{
	char text[40];

	(void)state;
	clock_format_utc(UINT64_C(1795589339123456789), text, sizeof(text));
	assert_string_equal(text, "2026-11-25T06:48:59.123Z");
	clock_format_utc(0, text, 11);
	assert_string_equal(text, "1970-01-01");
}

static void test_day_is_local(void **state)
{
	char text[40];

	(void)state;
	setenv("TZ", "UTC-3", 1); /* three hours east */
	tzset();
	clock_format_day(UINT64_C(1795564800000000000) - UINT64_C(3600000000000), text, sizeof(text));
	assert_string_equal(text, "2026-11-25");
	clock_format_local(UINT64_C(1795589339123456789), text);
	assert_string_equal(text, "2026-11-25T09:48:59.123456");
	clock_format_local(0, text);
	assert_string_equal(text, "");
	setenv("TZ", "UTC", 1);
	tzset();
	clock_format_day(UINT64_C(1795564800000000000) - UINT64_C(3600000000000), text, sizeof(text));
	assert_string_equal(text, "2026-11-24");
}

/* A local day begins once, also where its clock is set: `hours` of UTC lie between two midnights. */
static void check_days(uint64_t first_ns, unsigned hours, const char *before, const char *day, const char *after)
{
	const uint64_t minute_ns = UINT64_C(60000000000);
	char text[40];

	for (uint64_t minute = 0; minute < hours * 60; minute++) {
		clock_format_day(first_ns + minute * minute_ns, text, sizeof(text));
		assert_string_equal(text, day);
	}
	clock_format_day(first_ns - 1, text, sizeof(text));
	assert_string_equal(text, before);
	clock_format_day(first_ns + hours * 60 * minute_ns, text, sizeof(text));
	assert_string_equal(text, after);
}

/* The nights in which daylight saving begins and ends in Berlin, as a rule: machines without its table of zones know
 * that, too. */
static void test_daylight_saving(void **state)
{
	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	check_days(UINT64_C(1774738800000000000), 23, "2026-03-28", "2026-03-29", "2026-03-30");
	check_days(UINT64_C(1792879200000000000), 25, "2026-10-24", "2026-10-25", "2026-10-26");
	check_days(UINT64_C(1792969200000000000), 24, "2026-10-25", "2026-10-26", "2026-10-27");
	setenv("TZ", "UTC", 1);
	tzset();
}

static void test_spans(void **state)
{
	static const struct {
		uint64_t span_ns;
		const char *text;
	} cases[] = {
		{0, "0 ns"},
		{7, "7 ns"},
		{999, "999 ns"},
		{1000, "1 µs"},
		{1500, "1.5 µs"},
		{18000, "18 µs"},
		{999499, "999 µs"},
		{999500, "1 ms"},
		{250000000, "250 ms"},
		{999700000, "1 s"},
		{4200000000, "4.2 s"},
		{9960000000, "10 s"},
		{59600000000, "1 min 0 s"},
		{200000000000, "3 min 20 s"},
		{7500000000000, "2 h 5 min"},
		{UINT64_C(180000000000000), "2 d 2 h"},
		{UINT64_MAX, "213503 d 23 h"},
	};
	char text[40];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		clock_format_span(cases[i].span_ns, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clocks_go_forward),
		cmocka_unit_test(test_utc),
		cmocka_unit_test(test_day_is_local),
		cmocka_unit_test(test_daylight_saving),
		cmocka_unit_test(test_spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* outage_test.c: when an outage is told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/outage.h"

#define S 1000000000ull

static void is_told_after_one_ten_and_sixty_minutes(void **state)
{
	struct outage outage = {0};
	uint64_t told[8], span;
	int count = 0;

	(void)state;
	for (uint64_t second = 100; second < 100 + 4 * 3600; second++)
		if (outage_note(&outage, -5, second * S) == OUTAGE_ALERT)
			told[count++] = second - 100;
	assert_int_equal(count, 6);
	assert_int_equal(told[0], 0);
	assert_int_equal(told[1], 60);
	assert_int_equal(told[2], 600);
	assert_int_equal(told[3], 3600);
	assert_int_equal(told[4], 7200);
	assert_int_equal(told[5], 10800);
	assert_true(outage_end(&outage, 20000 * S, &span));
	assert_int_equal(span, 19900 * S);
}

/* Each second it fails, stores something, fails: one alert, and a pair of lines each ten seconds. */
static void one_that_comes_and_goes_is_one(void **state)
{
	struct outage outage = {0};
	uint64_t span;
	int told = 0, ends = 0, lines = 0;

	(void)state;
	for (uint64_t second = 100; second < 150; second++) {
		enum outage_word word = outage_note(&outage, -5, second * S);
		told += word == OUTAGE_ALERT;
		lines += word == OUTAGE_LINE;
		ends += outage_end(&outage, second * S + S / 2, &span);
	}
	assert_int_equal(told, 1);
	assert_int_equal(ends, 5);
	assert_int_equal(lines, 5);
	assert_true(outage_end(&outage, 151 * S, &span));                  /* the word that was left to say */
	assert_int_equal(outage_note(&outage, -5, 300 * S), OUTAGE_ALERT); /* a quiet time later it is a new one */
}

/* Two outages within a minute: no second alert, but the log does not end with "stores again" while it waits. */
static void a_second_outage_is_in_the_log(void **state)
{
	struct outage outage = {0};
	uint64_t span;

	(void)state;
	assert_int_equal(outage_note(&outage, -28, 100 * S), OUTAGE_ALERT);
	assert_true(outage_end(&outage, 105 * S, &span));
	assert_int_equal(outage_note(&outage, -28, 130 * S), OUTAGE_LINE);
	assert_int_equal(outage_note(&outage, -28, 131 * S), OUTAGE_QUIET);
	assert_true(outage_end(&outage, 140 * S, &span));
	assert_int_equal(span, 10 * S);
	assert_false(outage_end(&outage, 160 * S, &span)); /* said once */
}

static void another_code_is_told_but_not_each_second(void **state)
{
	struct outage outage = {0};
	int told = 0;

	(void)state;
	assert_int_equal(outage_note(&outage, -5, 100 * S), OUTAGE_ALERT);
	assert_int_equal(outage_note(&outage, -28, 101 * S), OUTAGE_QUIET);
	assert_int_equal(outage_note(&outage, -28, 110 * S), OUTAGE_ALERT);
	for (uint64_t second = 111; second < 151; second++)
		told += outage_note(&outage, second % 2 ? -5 : -28, second * S) == OUTAGE_ALERT;
	assert_in_range(told, 1, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_told_after_one_ten_and_sixty_minutes),
		cmocka_unit_test(one_that_comes_and_goes_is_one),
		cmocka_unit_test(a_second_outage_is_in_the_log),
		cmocka_unit_test(another_code_is_told_but_not_each_second),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

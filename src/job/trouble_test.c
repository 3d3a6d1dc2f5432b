/* trouble_test.c: when a trouble is told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "job/trouble.h"

#define S 1000000000ull

static void is_told_after_one_ten_and_sixty_minutes(void **state)
{
	struct trouble trouble = {0};
	uint64_t told[8], since;
	int count = 0;

	(void)state;
	for (uint64_t second = 100; second < 100 + 4 * 3600; second++)
		if (trouble_note(&trouble, -5, second * S))
			told[count++] = second - 100;
	assert_int_equal(count, 6);
	assert_int_equal(told[0], 0);
	assert_int_equal(told[1], 60);
	assert_int_equal(told[2], 600);
	assert_int_equal(told[3], 3600);
	assert_int_equal(told[4], 7200);
	assert_int_equal(told[5], 10800);
	assert_true(trouble_end(&trouble, 20000 * S, &since));
	assert_int_equal(since, 100 * S);
}

/* Each second it fails, stores something, fails: one trouble, and no word that it is over. */
static void one_that_comes_and_goes_is_one(void **state)
{
	struct trouble trouble = {0};
	uint64_t since;
	int told = 0, ends = 0;

	(void)state;
	for (uint64_t second = 100; second < 150; second++) {
		told += trouble_note(&trouble, -5, second * S);
		ends += trouble_end(&trouble, second * S + S / 2, &since);
	}
	assert_int_equal(told, 1);
	assert_int_equal(ends, 1);
	assert_true(trouble_note(&trouble, -5, 300 * S)); /* a quiet time later it is a new one */
}

static void another_code_is_told_but_not_each_second(void **state)
{
	struct trouble trouble = {0};
	int told = 0;

	(void)state;
	assert_true(trouble_note(&trouble, -5, 100 * S));
	assert_false(trouble_note(&trouble, -28, 101 * S));
	assert_true(trouble_note(&trouble, -28, 110 * S));
	for (uint64_t second = 111; second < 151; second++)
		told += trouble_note(&trouble, second % 2 ? -5 : -28, second * S);
	assert_in_range(told, 1, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_told_after_one_ten_and_sixty_minutes),
		cmocka_unit_test(one_that_comes_and_goes_is_one),
		cmocka_unit_test(another_code_is_told_but_not_each_second),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

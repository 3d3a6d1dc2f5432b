/* dice_test.c: every value of the range comes, none outside does. */
#include "dice.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static void range_is_closed_and_even(void **state)
{
	struct dice dice;
	int counts[7] = {0};

	(void)state;
	dice_init(&dice, 1, -3, 3);
	for (int i = 0; i < 70000; i++) {
		int64_t value = dice_throw(&dice);

		assert_true(value >= -3 && value <= 3);
		counts[value + 3]++;
	}
	for (int i = 0; i < 7; i++)
		assert_in_range(counts[i], 9500, 10500);
}

static void one_value_and_all_values(void **state)
{
	struct dice dice;
	uint64_t seen_or = 0, seen_and = UINT64_MAX;

	(void)state;
	dice_init(&dice, 1, 5, 5);
	assert_int_equal(dice_throw(&dice), 5);
	dice_init(&dice, 1, INT64_MIN, INT64_MAX);
	for (int i = 0; i < 1000; i++) {
		uint64_t value = (uint64_t)dice_throw(&dice);

		seen_or |= value;
		seen_and &= value;
	}
	assert_true(seen_or == UINT64_MAX && seen_and == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(range_is_closed_and_even),
		cmocka_unit_test(one_value_and_all_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

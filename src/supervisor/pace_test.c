/* pace_test.c: a hundredth of a core, and never too late for the watchdog. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "supervisor/pace.h"

#define S  1000000000ull
#define MS 1000000ull

static void few_jobs_are_looked_at_each_second(void **state)
{
	struct pace pace = {0};

	(void)state;
	assert_true(pace_is_due(&pace, S, 0, false));
	for (uint64_t now = S; now < 20 * S; now += S) {
		assert_true(pace_is_due(&pace, now + MS, 0, false));
		pace_note(&pace, now, 0, 9 * MS, 60 * S);
		assert_true(pace_seconds(&pace) == 1.0);
	}
}

static void what_costs_much_comes_seldom_and_as_told(void **state)
{
	struct pace pace = {0};

	(void)state;
	pace_note(&pace, S, 0, 60 * MS, 60 * S);
	assert_true(pace_seconds(&pace) == 6.0);
	assert_true(pace_is_due(&pace, 2 * S, 0, false)); /* the look at 1 s had told 1 s */
	pace_note(&pace, 2 * S, 0, 60 * MS, 60 * S);
	assert_false(pace_is_due(&pace, 7 * S, 0, false));
	assert_true(pace_is_due(&pace, 8 * S - MS, 0, false));
	pace_note(&pace, 8 * S, 0, 5 * S, 60 * S);
	assert_true(pace_seconds(&pace) == 10.0);
}

static void another_phase_and_an_eager_caller_do_not_wait(void **state)
{
	struct pace pace = {0};

	(void)state;
	pace_note(&pace, S, 0, 100 * MS, 60 * S);
	pace_note(&pace, 2 * S, 0, 100 * MS, 60 * S);
	assert_false(pace_is_due(&pace, 3 * S, 0, false));
	assert_true(pace_is_due(&pace, 3 * S, 1, false));
	assert_true(pace_is_due(&pace, 3 * S, 0, true));
}

static void the_watchdog_sees_four_looks(void **state)
{
	struct pace pace = {0};

	(void)state;
	pace_note(&pace, S, 0, 100 * MS, 8 * S);
	assert_true(pace_seconds(&pace) == 2.0);
	pace_note(&pace, S, 0, 100 * MS, S);
	assert_true(pace_seconds(&pace) == 1.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_jobs_are_looked_at_each_second),
		cmocka_unit_test(what_costs_much_comes_seldom_and_as_told),
		cmocka_unit_test(another_phase_and_an_eager_caller_do_not_wait),
		cmocka_unit_test(the_watchdog_sees_four_looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

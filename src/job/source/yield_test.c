/* yield_test.c: when a source lets others run first. The policy is that of this process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sched.h>
#include <unistd.h>

#include "job/source/yield.h"

#define MS UINT64_C(1000000)

static int policy(void)
{
	return sched_getscheduler(0);
}

static int set_policy(int wanted)
{
	return sched_setscheduler(0, wanted, &(struct sched_param){0});
}

static int reset_policy(void **state)
{
	(void)state;
	return set_policy(SCHED_OTHER);
}

static void held_back_it_yields_until_it_is_free(void **state)
{
	struct yield yield;
	uint64_t now = 1000 * MS, blocked = 500 * MS; /* of an earlier life: says nothing */

	(void)state;
	yield_init(&yield, 3);
	yield_tend(&yield, now, blocked);
	yield_tend(&yield, now += 250 * MS, blocked += 20 * MS);
	assert_int_equal(policy(), SCHED_OTHER);
	yield_tend(&yield, now += 250 * MS, blocked += 30 * MS);
	assert_int_equal(policy(), SCHED_BATCH);
	/* less held back, because it yields: stays */
	yield_tend(&yield, now += 250 * MS, blocked += 5 * MS);
	assert_int_equal(policy(), SCHED_BATCH);
	/* too short a time says nothing */
	yield_tend(&yield, now += 50 * MS, blocked);
	assert_int_equal(policy(), SCHED_BATCH);
	yield_tend(&yield, now += 250 * MS, blocked += MS);
	assert_int_equal(policy(), SCHED_OTHER);
}

static void alone_it_does_not(void **state)
{
	struct yield yield;

	(void)state;
	yield_init(&yield, 1);
	yield_tend(&yield, 1000 * MS, 0);
	yield_tend(&yield, 2000 * MS, 900 * MS);
	assert_int_equal(policy(), SCHED_OTHER);
}

static void a_policy_that_was_chosen_stays(void **state)
{
	struct yield yield;

	(void)state;
	yield_init(&yield, 3);
	assert_int_equal(set_policy(SCHED_BATCH), 0);
	yield_tend(&yield, 1000 * MS, 0);
	yield_tend(&yield, 2000 * MS, 900 * MS);
	assert_false(yield.is_on);
	yield_tend(&yield, 3000 * MS, 900 * MS);
	assert_int_equal(policy(), SCHED_BATCH);
}

int main(void)
{
	/* Without privileges not every change of policy is allowed. */
	if (geteuid() == 0 && setuid(65534) != 0)
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(held_back_it_yields_until_it_is_free, reset_policy),
		cmocka_unit_test_setup(alone_it_does_not, reset_policy),
		cmocka_unit_test_setup(a_policy_that_was_chosen_stays, reset_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

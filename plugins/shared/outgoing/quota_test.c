/* quota_test.c: a job that talks much does not silence the others, and all together are bounded. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "outgoing/quota.h"

static uint32_t take_many(struct quota *quota, const char *job, uint32_t count, uint64_t now_ns)
{
	uint32_t taken = 0;

	for (uint32_t i = 0; i < count; i++)
		taken += quota_take(quota, job, now_ns);
	return taken;
}

static void a_job_has_its_share_and_all_have_theirs(void **state)
{
	struct quota quota = {.most = 10, .most_of_job = 4, .window_ns = QUOTA_WINDOW_NS};

	(void)state;
	assert_int_equal(take_many(&quota, "dice", 100, 1000), 4);
	assert_int_equal(quota_due(&quota), 1000 + QUOTA_WINDOW_NS);
	assert_int_equal(take_many(&quota, "csv", 3, 2000), 3);
	assert_int_equal(take_many(&quota, "arrow", 9, 2000), 3);
	assert_int_equal(take_many(&quota, "root", 9, 999 + QUOTA_WINDOW_NS), 0);
	assert_int_equal(take_many(&quota, "dice", 9, 1000 + QUOTA_WINDOW_NS), 4);
}

static void a_try_that_failed_counts_for_nothing(void **state)
{
	struct quota quota = {.most = 3, .most_of_job = 2, .window_ns = QUOTA_WINDOW_NS};

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(take_many(&quota, "dice", 1, 1000), 1);
		quota_give_back(&quota, "dice");
	}
	assert_int_equal(take_many(&quota, "dice", 9, 1000), 2);
	assert_int_equal(take_many(&quota, "csv", 9, 1000), 1);
	quota_give_back(&quota, "nobody");
	assert_int_equal(take_many(&quota, "csv", 9, 1000), 1);
}

static void jobs_beyond_the_table_are_bounded_together(void **state)
{
	struct quota quota = {.most = 100, .most_of_job = 1, .window_ns = QUOTA_WINDOW_NS};
	uint32_t taken = 0;
	char job[16];

	(void)state;
	for (uint32_t i = 0; i < 200; i++) {
		snprintf(job, sizeof(job), "job%u", i);
		taken += quota_take(&quota, job, 5);
	}
	assert_int_equal(taken, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_has_its_share_and_all_have_theirs),
		cmocka_unit_test(a_try_that_failed_counts_for_nothing),
		cmocka_unit_test(jobs_beyond_the_table_are_bounded_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

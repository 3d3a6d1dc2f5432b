/* pair_test.c: sides run at once, end together, and fail loudly. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "benchmark/pair.h"

#define TIMEOUT_NS UINT64_C(20000000000)

struct shared {
	_Atomic uint32_t first, second;
};

static struct shared *shared;

static int set_up(void **state)
{
	(void)state;
	shared = pair_map(sizeof(*shared));
	return shared ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	pair_unmap(shared, sizeof(*shared));
	return 0;
}

static int raise_and_await(_Atomic uint32_t *mine, _Atomic uint32_t *other)
{
	atomic_store(mine, 1);
	pair_await(other, 1);
	return 0;
}

static int run_first(void *context)
{
	(void)context;
	return raise_and_await(&shared->first, &shared->second);
}

static int run_second(void *context)
{
	(void)context;
	return raise_and_await(&shared->second, &shared->first);
}

static int run_code(void *context)
{
	return *(int *)context;
}

static int run_for_ever(void *context)
{
	atomic_store(&((struct shared *)context)->first, (uint32_t)getpid());
	while (pause() < 0)
		;
	return 0;
}

static int run_killed(void *context)
{
	(void)context;
	return kill(getpid(), SIGKILL);
}

static void test_both_run_at_once(void **state)
{
	const struct pair_side sides[] = {{run_first, NULL, -1}, {run_second, NULL, -1}};
	int cpus[2];

	(void)state;
	assert_int_equal(pair_run(sides, 2, TIMEOUT_NS, NULL), 0);
	unsigned count = pair_cpus(cpus, 2);
	assert_in_range(count, 1, 2);
	atomic_store(&shared->first, 0);
	atomic_store(&shared->second, 0);
	const struct pair_side pinned[] = {{run_first, NULL, cpus[0]}, {run_second, NULL, cpus[count - 1]}};
	assert_int_equal(pair_run(pinned, 2, TIMEOUT_NS, NULL), 0);
}

static void test_codes_come_back(void **state)
{
	static const int codes[] = {-ENOMEM, -ETIMEDOUT, ENRG_E_CORRUPT, ENRG_E_CONFIG, -EIO};
	struct enrg_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		int rc = codes[i];
		const struct pair_side side = {run_code, &rc, -1};
		assert_int_equal(pair_run(&side, 1, TIMEOUT_NS, &err), rc);
	}
	assert_int_equal(pair_run(NULL, PAIR_SIDES_MAX + 1, TIMEOUT_NS, &err), -EINVAL);
}

static void check_nobody_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_a_dead_side_ends_the_other(void **state)
{
	const struct pair_side sides[] = {{run_for_ever, shared, -1}, {run_killed, NULL, -1}};
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(pair_run(sides, 2, TIMEOUT_NS, &err), -ECHILD);
	assert_non_null(strstr(err.text, "measuring process failed"));
	check_nobody_left();
}

static void test_a_time_out_ends_all(void **state)
{
	const struct pair_side sides[] = {{run_for_ever, shared, -1}, {run_for_ever, shared, -1}};

	(void)state;
	assert_int_equal(pair_run(sides, 2, 1000000, NULL), -ETIMEDOUT);
	check_nobody_left();
}

static void test_medians(void **state)
{
	double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 2};
	double many[101];

	(void)state;
	assert_true(pair_median(odd, 3) == 3);
	assert_true(pair_median(even, 4) == 2.5);
	assert_true(pair_median(NULL, 0) == 0);
	for (int i = 0; i <= 100; i++)
		many[i] = 100 - i;
	assert_true(pair_quantile(many, 101, 0.99) == 99);
	assert_true(pair_quantile(many, 101, 0) == 0);
	assert_true(pair_quantile(many, 101, 1) == 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_both_run_at_once, set_up, tear_down),
		cmocka_unit_test(test_codes_come_back),
		cmocka_unit_test_setup_teardown(test_a_dead_side_ends_the_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_time_out_ends_all, set_up, tear_down),
		cmocka_unit_test(test_medians),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

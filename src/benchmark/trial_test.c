/* trial_test.c: a stream between real processes is measured whole, and nothing stays behind. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "benchmark/pair.h"
#include "benchmark/trial.h"

static struct enrg_error err;

/* Files of this process on tmpfs. */
static unsigned count_left_overs(void)
{
	DIR *entries = opendir("/dev/shm");
	struct dirent *entry;
	char prefix[40];
	unsigned count = 0;

	assert_non_null(entries);
	snprintf(prefix, sizeof(prefix), "enrgdaq-bench-%d-", (int)getpid());
	while ((entry = readdir(entries)))
		count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	closedir(entries);
	return count;
}

static void run(const struct trial_params *params, struct trial_result *ret_result)
{
	memset(ret_result, 0, sizeof(*ret_result));
	if (trial_run(params, ret_result, &err) != 0)
		fail_msg("%s", err.text);
	assert_true(ret_result->records > 0);
	assert_true(ret_result->records_per_s > 0);
	assert_true(ret_result->gb_per_s > 0);
	assert_int_equal(ret_result->rescued, 0);
	assert_int_equal(count_left_overs(), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_large_batches_with_checks(void **state)
{
	const struct trial_params params = {.payload_bytes = 1000000,
		.data_bytes = 16 << 20,
		.hot_bytes = 4 << 20,
		.required_count = 1,
		.observer_count = 2,
		.checks = true,
		.is_tuned = true,
		.measure_ns = 500000000} /* on a busy machine each process may be away for long */;
	struct trial_result result;

	(void)state;
	run(&params, &result);
	assert_true(result.observed > 0);
	assert_true(result.latency_p50_us > 0);
	assert_true(result.latency_p99_us >= result.latency_p50_us);
	assert_true(result.in_flight_bytes > 0 && result.in_flight_bytes <= 16 << 20);
	assert_true(result.in_flight_p99_bytes >= 1000000 && result.in_flight_p99_bytes <= 16 << 20);
}

static void test_small_records_and_more_consumers(void **state)
{
	const struct trial_params params = {.payload_bytes = 64,
		.data_bytes = 1 << 20,
		.required_count = 2,
		.publish_every = 64,
		.stamp_every = 64,
		.window_records = 1000,
		.measure_ns = 20000000};
	struct trial_result result;

	(void)state;
	run(&params, &result);
	assert_true(result.latency_p50_us == 0); /* its clock is shared by 64 records: not a latency */
}

static void test_refusals(void **state)
{
	struct trial_params params = {.payload_bytes = 64, .data_bytes = 1 << 20};
	struct trial_result result = {.records = 77};

	(void)state;
	assert_int_equal(trial_run(&params, &result, &err), -EINVAL);
	params.required_count = TRIAL_CONSUMERS_MAX + 1;
	assert_int_equal(trial_run(&params, &result, &err), -EINVAL);
	params.required_count = 1;
	params.data_bytes = UINT64_C(1) << 62; /* larger than any address space */
	assert_true(trial_run(&params, &result, &err) < 0);
	assert_int_equal(result.records, 77);
	assert_int_equal(count_left_overs(), 0);
}

static void test_wakeups(void **state)
{
	double samples_us[20] = {0};

	(void)state;
	if (trial_wakeup(20, samples_us, &err) != 0)
		fail_msg("%s", err.text);
	for (int i = 0; i < 20; i++)
		assert_true(samples_us[i] > 0 && (i == 0 || samples_us[i] >= samples_us[i - 1]));
	assert_int_equal(count_left_overs(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_large_batches_with_checks),
		cmocka_unit_test(test_small_records_and_more_consumers),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_wakeups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

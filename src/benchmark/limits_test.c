/* limits_test.c: every figure is there and is one. Their size is the machine's affair. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

#include "benchmark/limits.h"
#include "benchmark/pair.h"

static const char *const figures[] = {
	"line_round_trip_ns",
	"line_round_trip_after_ns",
	"memcpy_gb_per_s",
	"bare_pair_gb_per_s",
	"wakeup_p50_us",
	"wakeup_p99_us",
	"crc_gb_per_s",
	"copy_crc_gb_per_s",
	"disk_mb_per_s",
	"generation_gb_per_s",
	"checking_gb_per_s",
};

static uint64_t turn_over(void *context)
{
	volatile char *bytes = context;

	for (unsigned i = 0; i < 4096; i++)
		bytes[i] = (char)(bytes[i] + 1);
	return 4096;
}

static void check_json(const struct limits *limits, bool is_measured)
{
	json_t *root = limits_format(limits);

	assert_non_null(root);
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		json_t *figure = json_object_get(root, figures[i]);
		assert_non_null(figure);
		assert_true(is_measured ? json_is_real(figure) && json_real_value(figure) > 0 : json_is_null(figure));
	}
	assert_int_equal(json_object_size(json_object_get(root, "bare_pair_by_method_gb_per_s")), 3);
	assert_non_null(json_string_value(json_object_get(root, "bare_pair_method")));
	assert_non_null(json_string_value(json_object_get(root, "measured_at")));
	assert_string_equal(json_string_value(json_object_get(root, "regime")), regime_name(limits_regime(limits)));
	json_decref(root);
}

static void test_all(void **state)
{
	static char bytes[4096];
	struct limits limits = {0};
	struct enrg_error err = {0};

	(void)state;
	check_json(&limits, false);
	assert_int_equal(limits_measure_work(turn_over, bytes, &limits.generation_gb_per_s, &err), 0);
	limits.checking_gb_per_s = 1;
	if (limits_measure("/tmp", &limits, &err) != 0)
		fail_msg("%s", err.text);
	check_json(&limits, true);
	assert_true(limits.wakeup.p99_us >= limits.wakeup.p50_us);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static void test_on_one_cpu(void **state)
{
	struct limits limits = {0};
	struct enrg_error err = {0};
	cpu_set_t all, one;
	int cpu[1];

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	pair_cpus(cpu, 1);
	CPU_ZERO(&one);
	CPU_SET((size_t)cpu[0], &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	int rc = limits_measure(NULL, &limits, &err);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
	assert_int_equal(rc, 0);
	assert_string_equal(regime_name(limits_regime(&limits)), "single-core");
	assert_true(limits.wakeup.p50_us > 0 && limits.bare_pair.gb_per_s > 0);
	assert_true(limits.disk_mb_per_s == 0);
}

static void test_no_such_folder(void **state)
{
	struct enrg_error err = {0};
	double rate = 7;

	(void)state;
	assert_int_equal(limits_measure_disk("/tmp/no/such/folder", &rate, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/tmp/no/such/folder"));
	assert_true(rate == 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_on_one_cpu),
		cmocka_unit_test(test_no_such_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

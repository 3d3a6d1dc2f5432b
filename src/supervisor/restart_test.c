/* restart_test.c: back-off, reset, giving up. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>

#include "supervisor/restart.h"

#define SECOND 1000000000ull

static const struct restart_policy policy = {SECOND, 60 * SECOND};

static void delays_double_up_to_the_maximum(void **state)
{
	static const uint64_t wanted[] = {1, 2, 4, 8, 16, 32, 60, 60};
	struct restart restart = {0};
	const struct restart_end end = {.exit_code = -1, .signal = SIGKILL};
	uint64_t now = SECOND;

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		restart_begin(&restart, now);
		now += SECOND;
		assert_int_equal(restart_decide(&restart, &policy, &end, now), RESTART_LATER);
		assert_int_equal(restart.due_ns - now, wanted[i] * SECOND);
		now = restart.due_ns;
	}
	assert_int_equal(restart.count, 7);
}

/* A job that ran well for a minute is followed at once; the back-off begins where that one dies soon. */
static void after_a_stable_minute_there_is_no_delay(void **state)
{
	struct restart restart = {0};
	const struct restart_end end = {.exit_code = 1};

	(void)state;
	restart_begin(&restart, SECOND);
	restart_decide(&restart, &policy, &end, 2 * SECOND);
	restart_begin(&restart, 3 * SECOND);
	restart_decide(&restart, &policy, &end, 4 * SECOND);
	assert_int_equal(restart.due_ns, 6 * SECOND);
	restart_begin(&restart, 6 * SECOND);
	assert_int_equal(restart_decide(&restart, &policy, &end, 66 * SECOND), RESTART_LATER);
	assert_int_equal(restart.due_ns, 66 * SECOND);
	restart_begin(&restart, 66 * SECOND);
	restart_decide(&restart, &policy, &end, 67 * SECOND);
	assert_int_equal(restart.due_ns, 68 * SECOND);
	restart_begin(&restart, 68 * SECOND);
	restart_decide(&restart, &policy, &end, 69 * SECOND);
	assert_int_equal(restart.due_ns, 71 * SECOND);
}

static void done_is_not_started_again(void **state)
{
	struct restart restart = {0};
	struct restart_end end = {.exit_code = 0, .is_done = true};

	(void)state;
	restart_begin(&restart, SECOND);
	assert_int_equal(restart_decide(&restart, &policy, &end, 2 * SECOND), RESTART_DONE);
	end.is_store = true;
	assert_int_equal(restart_decide(&restart, &policy, &end, 2 * SECOND), RESTART_LATER);
	end = (struct restart_end){.exit_code = 0}; /* something in it called exit() */
	assert_int_equal(restart_decide(&restart, &policy, &end, 2 * SECOND), RESTART_LATER);
}

static void a_stranger_s_signal_is_no_failure(void **state)
{
	struct restart restart = {0};
	const struct restart_end end = {.exit_code = RESTART_UNASKED};

	(void)state;
	for (uint64_t now = SECOND; now < 5 * SECOND; now += SECOND) {
		restart_begin(&restart, now);
		assert_int_equal(restart_decide(&restart, &policy, &end, now), RESTART_LATER);
		assert_int_equal(restart.due_ns, now + SECOND);
	}
	assert_int_equal(restart.failures, 0);
}

static void a_wrong_configuration_is_tried_three_times_more(void **state)
{
	struct restart restart = {0};
	const struct restart_end end = {.exit_code = 2};
	const struct restart_end other = {.exit_code = 1};

	(void)state;
	restart_begin(&restart, SECOND);
	for (int i = 0; i < 3; i++)
		assert_int_equal(restart_decide(&restart, &policy, &end, 2 * SECOND), RESTART_LATER);
	assert_int_equal(restart_decide(&restart, &policy, &end, 2 * SECOND), RESTART_GIVE_UP);
	assert_int_equal(restart_decide(&restart, &policy, &other, 2 * SECOND), RESTART_LATER);
	assert_int_equal(restart_decide(&restart, &policy, &end, 2 * SECOND), RESTART_LATER);
}

static void ends_are_told_in_words(void **state)
{
	char text[80];

	(void)state;
	restart_format_end(&(struct restart_end){.exit_code = -1, .signal = SIGKILL}, text, sizeof(text));
	assert_string_equal(text, "signal 9 (Killed)");
	restart_format_end(&(struct restart_end){.exit_code = 2}, text, sizeof(text));
	assert_string_equal(text, "exit 2 (configuration)");
	restart_format_end(&(struct restart_end){.was_hung = true, .signal = SIGKILL}, text, sizeof(text));
	assert_string_equal(text, "hung, killed by the watchdog");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delays_double_up_to_the_maximum),
		cmocka_unit_test(after_a_stable_minute_there_is_no_delay),
		cmocka_unit_test(done_is_not_started_again),
		cmocka_unit_test(a_stranger_s_signal_is_no_failure),
		cmocka_unit_test(a_wrong_configuration_is_tried_three_times_more),
		cmocka_unit_test(ends_are_told_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* process_test.c: the main thread asleep, and what wakes it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "job/process/process.h"

#define LONG_NS   60000000000ull /* no sleep of these tests may last so long */
#define PRESSES   20000u
#define PRESS_GAP 64u /* a pause now and then, so that the sleeper is really asleep */

struct fixture {
	struct process process;
	struct page page;
	_Atomic uint32_t posted; /* what the main thread is woken for */
	uint32_t gap;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->process.page = &f->page;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->process.wake_event)
		close(f->process.wake_event - 1);
	free(f);
	return 0;
}

static uint64_t soon(void)
{
	return clock_mono_ns() + LONG_NS;
}

static void *post_one(void *context)
{
	struct fixture *f = context;

	usleep(20000);
	process_wake(&f->process);
	return NULL;
}

static void *request_stop(void *context)
{
	struct fixture *f = context;

	usleep(20000);
	process_request_stop(&f->process, PROCESS_DRAIN);
	return NULL;
}

/* --- tests ------------------------------------------------------------------------------------------------------- */

static void test_time_is_over(void **state)
{
	struct fixture *f = *state;
	struct pollfd entries[1];
	uint64_t begin_ns = clock_mono_ns();

	process_sleep_until(&f->process, PROCESS_RUN, begin_ns + 10000000);
	assert_true(clock_mono_ns() >= begin_ns + 10000000);
	begin_ns = clock_mono_ns();
	assert_int_equal(process_poll(&f->process, PROCESS_RUN, entries, 0, begin_ns + 10000000), 0);
	assert_true(clock_mono_ns() >= begin_ns + 10000000);
	assert_int_equal(f->page.wakeups, 2);
}

static void test_wake_from_sleep(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;
	uint64_t until_ns = soon();

	assert_int_equal(pthread_create(&thread, NULL, post_one, f), 0);
	process_sleep_until(&f->process, PROCESS_RUN, until_ns);
	assert_true(clock_mono_ns() < until_ns);
	assert_int_equal(f->process.wake, 0);
	pthread_join(thread, NULL);
	assert_int_equal(f->process.wake_event, 0); /* no descriptor where nobody polls */
}

static void test_wake_from_poll(void **state)
{
	struct fixture *f = *state;
	int pipe_ends[2];
	pthread_t thread;
	uint64_t until_ns = soon();

	assert_int_equal(pipe(pipe_ends), 0);
	struct pollfd entries[2] = {{.fd = pipe_ends[0], .events = POLLIN}};
	assert_int_equal(pthread_create(&thread, NULL, post_one, f), 0);
	assert_int_equal(process_poll(&f->process, PROCESS_RUN, entries, 1, until_ns), 0);
	assert_true(clock_mono_ns() < until_ns);
	assert_int_equal(entries[0].revents, 0);
	pthread_join(thread, NULL);
	assert_int_equal(write(pipe_ends[1], "x", 1), 1);
	assert_int_equal(process_poll(&f->process, PROCESS_RUN, entries, 1, until_ns), 1);
	assert_int_equal(entries[0].revents, POLLIN);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

/* What came before the sleep ends it at once, and only the next one. */
static void test_woken_before(void **state)
{
	struct fixture *f = *state;
	struct pollfd entries[1];
	uint64_t until_ns = soon(), begin_ns;

	process_wake(&f->process);
	process_wake(&f->process);
	process_sleep_until(&f->process, PROCESS_RUN, until_ns);
	process_wake(&f->process);
	assert_int_equal(process_poll(&f->process, PROCESS_RUN, entries, 0, until_ns), 0);
	process_wake(&f->process);
	process_sleep_until(&f->process, PROCESS_RUN, until_ns);
	assert_true(clock_mono_ns() < until_ns);
	begin_ns = clock_mono_ns();
	assert_int_equal(process_poll(&f->process, PROCESS_RUN, entries, 0, begin_ns + 10000000), 0);
	assert_true(clock_mono_ns() >= begin_ns + 10000000);
}

static void test_stop_wakes_both(void **state)
{
	struct fixture *f = *state;
	struct pollfd entries[1];
	pthread_t thread;
	uint64_t until_ns = soon();

	assert_int_equal(pthread_create(&thread, NULL, request_stop, f), 0);
	process_sleep_until(&f->process, PROCESS_RUN, until_ns);
	pthread_join(thread, NULL);
	assert_int_equal(process_stop_state(&f->process), PROCESS_DRAIN);
	/* who has not seen it does not sleep; who has does */
	assert_int_equal(process_poll(&f->process, PROCESS_RUN, entries, 0, until_ns), 0);
	process_sleep_until(&f->process, PROCESS_RUN, until_ns);
	assert_true(clock_mono_ns() < until_ns);
	f->process.stop = PROCESS_RUN;
	assert_int_equal(pthread_create(&thread, NULL, request_stop, f), 0);
	assert_int_equal(process_poll(&f->process, PROCESS_RUN, entries, 0, until_ns), 0);
	pthread_join(thread, NULL);
	assert_true(clock_mono_ns() < until_ns);
}

static void *post_many(void *context)
{
	struct fixture *f = context;

	for (uint32_t i = 0; i < PRESSES; i++) {
		atomic_fetch_add(&f->posted, 1);
		process_wake(&f->process);
		if (i % f->gap == 0)
			usleep(50);
	}
	return NULL;
}

/* Two threads post, the main thread sleeps by turns in both ways: nothing that was posted is slept over. */
static void test_no_wake_is_lost(void **state)
{
	struct fixture *f = *state;
	struct pollfd entries[1];
	pthread_t threads[2];
	uint64_t until_ns = soon();

	f->gap = PRESS_GAP;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, post_many, f), 0);
	for (uint32_t turn = 0; atomic_load(&f->posted) < 2 * PRESSES; turn++) {
		if (turn % 2)
			process_sleep_until(&f->process, PROCESS_RUN, until_ns);
		else
			assert_int_equal(process_poll(&f->process, PROCESS_RUN, entries, 0, until_ns), 0);
	}
	assert_true(clock_mono_ns() < until_ns);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_time_is_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wake_from_sleep, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wake_from_poll, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_woken_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stop_wakes_both, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_wake_is_lost, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

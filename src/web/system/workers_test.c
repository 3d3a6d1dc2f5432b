/* workers_test.c: what waits is done, once; as much as may wait is refused at last. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "web/system/workers.h"

static atomic_uint done;
static sem_t gate;

static void count(void *context)
{
	(void)context;
	atomic_fetch_add(&done, 1);
}

static void wait_at_gate(void *context)
{
	while (sem_wait(&gate))
		continue;
	count(context);
}

static void test_all_is_done_once(void **state)
{
	struct workers *workers = workers_start(WORKERS_THREADS_MAX);
	unsigned added = 0;

	(void)state;
	atomic_store(&done, 0);
	while (added < 2000)
		added += workers_add(workers, count, NULL) == 0;
	workers_stop(workers);
	assert_int_equal(atomic_load(&done), 2000);
}

static void test_the_queue_is_bounded(void **state)
{
	struct workers *workers = workers_start(WORKERS_THREADS_MAX);
	unsigned added = 0;

	(void)state;
	atomic_store(&done, 0);
	assert_int_equal(sem_init(&gate, 0, 0), 0);
	for (int refused = 0; refused < 1000;) { /* until each thread has taken one */
		int rc = workers_add(workers, wait_at_gate, NULL);
		assert_true(rc == 0 || rc == -EAGAIN);
		added += rc == 0;
		refused = rc ? refused + 1 : 0;
		if (added == WORKERS_QUEUE + WORKERS_THREADS_MAX && rc)
			break;
	}
	assert_true(added >= WORKERS_QUEUE && added <= WORKERS_QUEUE + WORKERS_THREADS_MAX);
	assert_int_equal(workers_count(workers), added);
	for (unsigned i = 0; i < added; i++)
		sem_post(&gate);
	workers_stop(workers);
	assert_int_equal(atomic_load(&done), added);
	workers_stop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_is_done_once),
		cmocka_unit_test(test_the_queue_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* owner_test.c: who is refused at once, and who is waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>

#include "runs/owner.h"

static char folder[] = "/tmp/enrgdaq-owner-XXXXXX", database[128];

static void *release_soon(void *opaque)
{
	usleep(50000); /* so long that the other one looks at least once before */
	owner_release(opaque);
	return NULL;
}

/* Without patience: refused by a supervisor, whose name is said. */
static void test_a_supervisor_refuses(void **state)
{
	struct enrg_error err = {0};
	int first = -1, second = -1;

	(void)state;
	assert_int_equal(owner_take(database, "supervisor lab1", 0, &first, &err), 0);
	assert_int_equal(owner_take(database, "supervisor lab2", 0, &second, &err), -EPERM);
	assert_non_null(strstr(err.text, "supervisor lab1"));
	owner_release(&first);
	assert_int_equal(owner_take(database, "supervisor lab2", 0, &second, &err), 0);
	owner_release(&second);
}

/* A program that reads files behind a run that has ended goes by itself: a start waits for it. */
static void test_who_finishes_is_waited_for(void **state)
{
	/* the last one: a supervisor that was killed comes again before its program has seen that */
	static const char *const names[] = {
		OWNER_FINISHING "a run book that reads files", "supervisor lab1", "supervisor lab2"};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct enrg_error err = {0};
		pthread_t thread;
		int first = -1, second = -1;

		assert_int_equal(owner_take(database, names[i], 0, &first, &err), 0);
		if (i == 1)
			owner_say_finishing(first);
		assert_int_equal(pthread_create(&thread, NULL, release_soon, &first), 0);
		assert_int_equal(owner_take(database, "supervisor lab2", 0, &second, &err), 0);
		pthread_join(thread, NULL);
		owner_release(&second);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_supervisor_refuses),
		cmocka_unit_test(test_who_finishes_is_waited_for),
	};

	if (!mkdtemp(folder))
		return 1;
	snprintf(database, sizeof(database), "%s/runs.sqlite", folder);
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	strcat(database, ".owner");
	unlink(database);
	rmdir(folder);
	return rc;
}

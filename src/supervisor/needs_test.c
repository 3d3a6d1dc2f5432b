/* needs_test.c: limits that are too low for the number of jobs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/needs.h"

#define JOBS 1000u

static struct plan store = {.name = "s", .is_store = true, .input_count = JOBS - 1}, source = {.name = "a"};
static struct plan *list[JOBS];
static const struct plan_set plans = {.count = JOBS, .plans = list};

static int set_up(void **state)
{
	(void)state;
	list[0] = &store;
	for (size_t i = 1; i < JOBS; i++)
		list[i] = &source;
	return 0;
}

static void counts(void **state)
{
	(void)state;
	struct needs needs = needs_count(&plans);

	assert_true(needs.supervisor_files >= 5 * JOBS && needs.supervisor_files < 6 * JOBS);
	assert_true(needs.store_files > JOBS);
	assert_string_equal(needs.store, "s");
	assert_true(needs.threads >= 4 * JOBS);
}

/* In a process of its own, as a hard limit does not come back. */
static int check_with(rlim_t soft, rlim_t hard, const char *said)
{
	const struct rlimit limit = {soft, hard};
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		struct enrg_error err = {0};
		if (setrlimit(RLIMIT_NOFILE, &limit))
			_exit(100);
		needs_raise_limits();
		int rc = needs_check(&plans, &err);
		_exit(rc && said && strstr(err.text, said) ? 1 : rc ? 2 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void raises_and_refuses(void **state)
{
	(void)state;
	struct rlimit now;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	if (now.rlim_max < 8000)
		skip();
	assert_int_equal(check_with(64, 8000, NULL), 0); /* the soft limit is no limit */
	assert_int_equal(check_with(64, 4000, "the supervisor needs"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts),
		cmocka_unit_test(raises_and_refuses),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}

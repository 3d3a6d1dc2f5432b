/* drill_test.c: which calls fail. In the test process; lives of a store are children. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "drill.h"
#include "job/file/handle.h"

static char folder[] = "/tmp/enrg-drill-XXXXXX";

/* A life with `count` writes, and the orders that it got, a letter each: . F S; a commit behind each. */
static void live(const struct drill_options *options, unsigned count, char *ret_orders)
{
	struct enrg_store *store;
	struct enrg_error err;
	struct drill drill;
	char journal[64];
	unsigned i;

	snprintf(journal, sizeof(journal), "%s/journal", folder);
	if (store_create_alone("faulty", journal, &store, &err) < 0 ||
		drill_open(&drill, store, options, folder, &err) < 0)
		_exit(9);
	for (i = 0; i < count; i++) {
		enum drill_order order, at_commit;

		if (drill_write(&drill, &order, &err) < 0 || drill_commit(&drill, &at_commit, &err) < 0)
			_exit(9);
		ret_orders[i] = at_commit == DRILL_FAIL ? 'C' : ".FS"[order];
		/* As the framework does after a failure: no new life. */
		if (ret_orders[i] == 'F' && drill_open(&drill, store, options, folder, &err) < 0)
			_exit(9);
	}
	store_destroy_alone(store);
}

/* Returns how the child ended, as waitpid tells it. */
static int run(const struct drill_options *options, unsigned count, char ret_orders[64])
{
	int ends[2], status;
	pid_t child;

	memset(ret_orders, 0, 64);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char orders[64] = "";
		const struct rlimit no_core = {0};

		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGABRT, SIG_DFL);
		live(options, count, orders);
		_exit(write(ends[1], orders, count) == (ssize_t)count ? 0 : 9);
	}
	close(ends[1]);
	assert_true(read(ends[0], ret_orders, 63) >= 0);
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/enrg-drill-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/journal", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/.faulty.drill", folder);
	unlink(path);
	return rmdir(folder);
}

static void without_keys_nothing_fails(void **state)
{
	const struct drill_options options = {.error = EIO};
	char orders[64];

	(void)state;
	assert_int_equal(run(&options, 10, orders), 0);
	assert_string_equal(orders, "..........");
}

static void calls_fail_by_their_number(void **state)
{
	const struct drill_options options = {
		.fail_write_at = 2, .fail_every = 4, .short_write_at = 6, .fail_commit_at = 7, .error = ENOSPC};
	char orders[64];

	(void)state;
	assert_int_equal(run(&options, 12, orders), 0);
	assert_string_equal(orders, ".F.F.SCF...F");
}

static void each_life_counts_anew(void **state)
{
	const struct drill_options options = {.crash_at = 3, .error = EIO};
	char orders[64];

	(void)state;
	for (int life = 0; life < 2; life++) {
		int status = run(&options, 5, orders);

		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
}

static void kept_counts_go_on(void **state)
{
	const struct drill_options options = {.crash_at = 3, .fail_write_at = 5, .error = EIO, .keep_counts = true};
	char orders[64];
	int status;

	(void)state;
	status = run(&options, 5, orders);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_int_equal(run(&options, 5, orders), 0);
	assert_string_equal(orders, ".F...");
}

static void the_error_is_the_one_asked_for(void **state)
{
	const struct drill_options full = {.error = ENOSPC}, broken = {.error = EIO};
	struct drill drill = {.options = &full};
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(drill_fail(&drill, "a.txt", &err), -ENOSPC);
	assert_string_equal(err.text, "a.txt: drill: ENOSPC");
	drill.options = &broken;
	assert_int_equal(drill_fail(&drill, "a.txt", &err), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_keys_nothing_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(calls_fail_by_their_number, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_life_counts_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kept_counts_go_on, set_up, tear_down),
		cmocka_unit_test(the_error_is_the_one_asked_for),
	};

	return cmocka_run_group_tests_name("plugin.drill", tests, NULL, NULL);
}

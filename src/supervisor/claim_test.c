/* claim_test.c: one claim a folder, whoever tries. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/claim.h"

static char folder[64];

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/claim_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(folder) < 0 && errno != ENOENT;
}

static void one_claim_a_folder(void **state)
{
	struct enrg_error err = {0};
	char pid[32];
	int first, second;

	(void)state;
	assert_int_equal(claim_take(folder, "lab1", &first, &err), 0);
	assert_true(first >= 0);
	assert_int_equal(claim_take(folder, "lab1", &second, &err), -EBUSY);
	snprintf(pid, sizeof(pid), "process %d;", (int)getpid());
	assert_non_null(strstr(err.text, pid));
	assert_non_null(strstr(err.text, "enrgdaq stop lab1"));
	close(first);
	assert_int_equal(claim_take(folder, "lab1", &second, &err), 0);
	assert_true(second >= 0);
	close(second);
}

/* Whoever takes the name without being this user takes the protection away, and no more. */
static void another_user_keeps_nobody_from_starting(void **state)
{
	int own, line[2];
	char byte;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(pipe(line), 0);
	assert_int_equal(claim_take(folder, "lab1", &own, NULL), 0);
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setgroups(0, NULL) || setresuid(65534, 65534, 65534))
			_exit(1);
		(void)!write(line[1], "x", 1);
		pause();
		_exit(0);
	}
	/* the child has it now, alone */
	assert_int_equal(read(line[0], &byte, 1), 1);
	close(own);
	assert_int_equal(claim_take(folder, "lab1", &own, NULL), 0);
	assert_int_equal(own, -1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(line[0]);
	close(line[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_claim_a_folder, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_user_keeps_nobody_from_starting, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* child_test.c: spawns this very program as a fake job and looks at what reaches it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/child.h"

/* The fake job: exit code tells the first thing that is wrong. */
static int fake_job(int argc, char **argv)
{
	char bytes[64] = "";
	sigset_t mask;
	int plan = atoi(getenv("ENRGDAQ_PLAN_FD")), ready = atoi(getenv("ENRGDAQ_READY_FD"));
	int lifeline = atoi(getenv("ENRGDAQ_LIFELINE_FD"));

	if (argc != 3 || strcmp(argv[1], "DAQJobFake"))
		return 10;
	if (read(plan, bytes, sizeof(bytes)) != 9 || memcmp(bytes, "{\"a\": 1}\n", 9))
		return 11;
	for (int i = lifeline + 1; i < 100; i++)
		if (fcntl(i, F_GETFD) >= 0)
			return 12;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	/* what might come before the job is ready for it waits */
	if (!sigismember(&mask, SIGTERM) || !sigismember(&mask, SIGHUP) || sigismember(&mask, SIGUSR1) ||
		getpgrp() != getpid())
		return 13;
	if (!strcmp(argv[2], "silent"))
		return 5;
	if (write(ready, "READY=1\n", 8) != 8)
		return 14;
	close(ready);
	while (read(lifeline, bytes, 1) > 0)
		;
	return 0;
}

static struct child start(const char *name, int lifeline)
{
	const struct child_params params = {
		.type = "DAQJobFake", .name = name, .plan_text = "{\"a\": 1}\n", .plan_bytes = 9, .lifeline = lifeline};
	struct child child = CHILD_NONE;
	struct enrg_error err = {0};

	assert_int_equal(child_start(&params, &child, &err), 0);
	return child;
}

static void wait_readable(int descriptor)
{
	struct pollfd entry = {.fd = descriptor, .events = POLLIN};

	assert_int_equal(poll(&entry, 1, 20000), 1);
}

static void the_lifeline_ends_the_job(void **state)
{
	int line[2], code = -2, signal_number = -2;
	struct child child;

	(void)state;
	assert_int_equal(pipe2(line, O_CLOEXEC), 0);
	child = start("one", line[0]);
	wait_readable(child.ready);
	assert_int_equal(child_read_ready(&child), 1);
	assert_int_equal(child.ready, -1);
	assert_int_equal(child_reap(&child, &code, &signal_number), 0);
	close(line[1]);
	wait_readable(child.descriptor);
	assert_int_equal(child_reap(&child, &code, &signal_number), 1);
	assert_int_equal(code, 0);
	assert_int_equal(signal_number, 0);
	assert_int_equal(child.pid, 0);
	close(line[0]);
}

static void a_signal_is_told(void **state)
{
	int line[2], code = -2, signal_number = -2;
	struct child child;

	(void)state;
	assert_int_equal(pipe2(line, O_CLOEXEC), 0);
	child = start("two", line[0]);
	wait_readable(child.ready);
	assert_int_equal(child_read_ready(&child), 1);
	assert_int_equal(child_signal(&child, SIGKILL), 0);
	wait_readable(child.descriptor);
	assert_int_equal(child_reap(&child, &code, &signal_number), 1);
	assert_int_equal(code, -1);
	assert_int_equal(signal_number, SIGKILL);
	assert_int_equal(child_signal(&child, SIGKILL), -ESRCH);
	close(line[0]);
	close(line[1]);
}

static void silence_is_not_readiness(void **state)
{
	int line[2], code = -2, signal_number = -2;
	struct child child;

	(void)state;
	assert_int_equal(pipe2(line, O_CLOEXEC), 0);
	child = start("silent", line[0]);
	wait_readable(child.descriptor);
	assert_int_equal(child_read_ready(&child), -EPIPE);
	assert_int_equal(child_reap(&child, &code, &signal_number), 1);
	assert_int_equal(code, 5);
	close(line[0]);
	close(line[1]);
}

static void a_missing_program_is_an_error(void **state)
{
	const struct child_params params = {
		.program = "/nowhere/at/all", .type = "T", .name = "n", .plan_text = "", .lifeline = 0};
	struct child child = CHILD_NONE;
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(child_start(&params, &child, &err), -ENOENT);
	assert_non_null(strstr(err.text, "can't start a process"));
	assert_int_equal(child.pid, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lifeline_ends_the_job),
		cmocka_unit_test(a_signal_is_told),
		cmocka_unit_test(silence_is_not_readiness),
		cmocka_unit_test(a_missing_program_is_an_error),
	};
	sigset_t mask;

	if (!strcmp(argv[0], "enrgdaq-job"))
		return fake_job(argc, argv);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* line_child_test.c: programs that answer, hang, crash, write without end, hang up and stay, and can't be executed. The
 * clock is the test's own: nobody waits for a delay. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "supervisor/line_child.h"

#define SECOND 1000000000ull
#define TURNS  20000u /* of 5 ms: nothing here takes so long */

struct fixture {
	char folder[64];
	struct line_child_params params;
	struct line_child *child;
	uint64_t now_ns;
	char heard[2000], noted[2000];
	unsigned notes, failures;
};

static json_t *hello(void *context)
{
	(void)context;
	return json_pack("{s:s}", "do", "settings");
}

static void hear(void *context, const json_t *line)
{
	struct fixture *f = context;
	char *text = json_dumps(line, JSON_COMPACT);
	size_t used = strlen(f->heard);

	snprintf(f->heard + used, sizeof(f->heard) - used, "%s\n", text);
	free(text);
}

static void note(void *context, unsigned failures, const char *what)
{
	struct fixture *f = context;

	f->notes++;
	f->failures = failures;
	snprintf(f->noted, sizeof(f->noted), "%s", what);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->folder, "/dev/shm/enrg-child-XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	f->now_ns = 1000 * SECOND;
	f->params = (struct line_child_params){.arguments = {"stand-in", "one"},
		.ping_ns = SECOND,
		.hung_ns = 20 * SECOND,
		.is_bound = true,
		.nice = 10,
		.files_max = 64,
		.bytes_max = 1ull << 30,
		.hello = hello,
		.hear = hear,
		.note = note,
		.context = f};
	snprintf(f->params.program, sizeof(f->params.program), "%s/program", f->folder);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[100];

	line_child_close(f->child, 0);
	snprintf(command, sizeof(command), "rm -rf %s", f->folder);
	int rc = system(command);
	free(f);
	return rc;
}

static void start(struct fixture *f, const char *text)
{
	char script[2000];

	snprintf(script, sizeof(script), "#!/bin/sh\n%s\n", text);
	assert_int_equal(path_write_file(f->params.program, script, strlen(script), 0, NULL), 0);
	assert_int_equal(chmod(f->params.program, 0700), 0);
	assert_int_equal(line_child_open(&f->params, &f->child, NULL), 0);
	line_child_want(f->child, f->now_ns);
}

/* A turn in which that much time passes. */
static void turn(struct fixture *f, uint64_t span_ns)
{
	struct pollfd entry = {.fd = line_child_descriptor(f->child), .events = POLLIN};

	(void)poll(&entry, 1, 5);
	f->now_ns += span_ns;
	line_child_step(f->child, f->now_ns);
}

static void await_heard(struct fixture *f, const char *text)
{
	for (unsigned i = 0; i < TURNS && !strstr(f->heard, text); i++)
		turn(f, 0);
	assert_non_null(strstr(f->heard, text));
}

static void await_failures(struct fixture *f, unsigned failures, uint64_t span_ns)
{
	for (unsigned i = 0; i < TURNS && f->failures != failures; i++)
		turn(f, span_ns);
	assert_int_equal(f->failures, failures);
}

#define ANSWERS                                                                                                        \
	"while read -r line; do case $line in *ping*) printf '{\"pong\": true}\\n{\"pinged\": 1}\\n' >&0 ;;\n"         \
	"*settings*) printf '{\"settings\": 1}\\n' >&0 ;; esac; done"

/* Pinged for minutes, never killed; and what it may take. */
static void test_one_that_answers(void **state)
{
	struct fixture *f = *state;

	start(f, "printf '{\"files\": %d, \"nice\": %d, \"privileges\": %d}\\n' $(ulimit -n) $(nice) "
		 "$(sed -n 's/NoNewPrivs:.//p' /proc/self/status) >&0\n" ANSWERS);
	await_heard(f, "\"settings\":1");
	assert_non_null(strstr(f->heard, "\"files\":64"));
	assert_non_null(strstr(f->heard, "\"nice\":10"));
	assert_non_null(strstr(f->heard, "\"privileges\":1"));
	for (int i = 0; i < 40; i++) {
		f->heard[0] = '\0';
		turn(f, 18 * SECOND); /* it is asked */
		await_heard(f, "pinged");
	}
	assert_int_equal(f->notes, 0);
	assert_int_equal(line_child_starts(f->child), 1);
}

/* The answer lies there when this process comes to look, however late that is. */
static void test_time_in_which_nobody_looked_does_not_count(void **state)
{
	struct fixture *f = *state;
	char gone[100];

	snprintf(gone, sizeof(gone), "%s/answered", f->folder);
	start(f, "while read -r line; do case $line in *ping*) printf '{\"pong\": true}\\n' >&0; echo >$0.answered ;; "
		 "esac; done");
	turn(f, 2 * SECOND);
	snprintf(gone, sizeof(gone), "%s/program.answered", f->folder);
	for (unsigned i = 0; i < TURNS && access(gone, F_OK); i++)
		(void)poll(NULL, 0, 5);
	turn(f, 3600 * SECOND);
	turn(f, SECOND / 100);
	assert_int_equal(f->notes, 0);
	assert_true(line_child_is_there(f->child));
}

static void test_one_that_hangs_is_killed(void **state)
{
	struct fixture *f = *state;

	start(f, "exec sleep 1000");
	turn(f, SECOND);
	turn(f, 19 * SECOND);
	pid_t pid = line_child_pid(f->child);
	assert_int_equal(kill(pid, 0), 0);
	turn(f, 2 * SECOND);
	await_failures(f, 1, 0);
	assert_string_equal(f->noted, "did not answer for 20 s and was killed");
	assert_int_equal(line_child_starts(f->child), 1);
	turn(f, SECOND); /* the first delay */
	assert_int_equal(line_child_starts(f->child), 2);
	assert_int_not_equal(line_child_pid(f->child), pid);
}

/* Again and again: with growing delays, then hopeless; one that is well ends that. */
static void test_one_that_crashes(void **state)
{
	struct fixture *f = *state;

	start(f, "exit 3");
	for (unsigned failures = 1; failures <= LINE_CHILD_TOLD_FAILURES; failures++) {
		await_failures(f, failures, 0);
		assert_string_equal(f->noted, "ended with exit code 3");
		assert_true(line_child_next_due(f->child) == f->now_ns + (SECOND << (failures - 1)));
		assert_int_equal(line_child_is_hopeless(f->child), failures == LINE_CHILD_TOLD_FAILURES);
		if (failures < LINE_CHILD_TOLD_FAILURES)
			turn(f, SECOND << (failures - 1));
	}
	const char *text = "#!/bin/sh\n" ANSWERS;
	assert_int_equal(path_write_file(f->params.program, text, strlen(text), 0, NULL), 0);
	assert_int_equal(chmod(f->params.program, 0700), 0);
	turn(f, 4 * SECOND);
	for (int i = 0; i < 5; i++) {
		turn(f, 15 * SECOND);
		f->heard[0] = '\0';
		await_heard(f, "pinged");
	}
	turn(f, SECOND);
	assert_int_equal(f->failures, 0);
	assert_string_equal(f->noted, "");
}

static void test_one_that_writes_without_end(void **state)
{
	struct fixture *f = *state;

	start(f, "exec yes '{\"spam\": \"spam\"}' >&0");
	await_failures(f, 1, 0);
	assert_string_equal(f->noted, "wrote without end and was killed");
}

/* Few bytes, but each line would be an alert. */
static void test_one_that_says_too_much(void **state)
{
	struct fixture *f = *state;

	start(f, "exec 3>&0; yes '{\"spam\": 1}' | head -n 3000 >&3; exec sleep 1000");
	await_failures(f, 1, 0);
	assert_string_equal(f->noted, "wrote without end and was killed");
}

static void test_a_line_without_end(void **state)
{
	struct fixture *f = *state;

	start(f, "exec 3>&0; tr '\\0' a </dev/zero >&3");
	await_failures(f, 1, 0);
	assert_string_equal(f->noted, "wrote without end and was killed");
}

static void test_one_that_hangs_up_and_stays_is_killed(void **state)
{
	struct fixture *f = *state;

	start(f, "exec </dev/null; exec sleep 1000");
	for (unsigned i = 0; i < TURNS && line_child_is_there(f->child); i++)
		turn(f, 0);
	assert_int_equal(line_child_is_there(f->child), false);
	assert_int_not_equal(line_child_pid(f->child), 0);
	turn(f, 4 * SECOND);
	assert_int_equal(f->notes, 0);
	turn(f, 2 * SECOND);
	await_failures(f, 1, 0);
	assert_string_equal(f->noted, "hung up without ending and was killed");
	turn(f, SECOND);
	assert_int_equal(line_child_starts(f->child), 2);
}

/* What it has started holds the socket: its end is seen all the same, and nothing of it is left. */
static void test_what_it_has_started_ends_with_it(void **state)
{
	struct fixture *f = *state;
	int other = 0;

	start(f, "sleep 1000 <&0 & printf '{\"other\": %d}\\n' $! >&0; exit 4");
	await_failures(f, 1, 0);
	assert_string_equal(f->noted, "ended with exit code 4");
	assert_int_equal(sscanf(f->heard, "{\"other\":%d}", &other), 1);
	char path[64], state_of[200] = "";
	snprintf(path, sizeof(path), "/proc/%d/stat", other);
	for (unsigned i = 0; i < TURNS; i++) { /* gone, or a zombie that nobody collects here */
		FILE *file = fopen(path, "re");
		size_t count = file ? fread(state_of, 1, sizeof(state_of) - 1, file) : 0;
		state_of[count] = '\0';
		if (file)
			fclose(file);
		if (!file || !count || strstr(state_of, ") Z") || strstr(state_of, ") X"))
			return;
		(void)poll(NULL, 0, 5);
	}
	fail_msg("%d still runs", other);
}

static void test_one_that_is_missing(void **state)
{
	struct fixture *f = *state;

	snprintf(f->params.program, sizeof(f->params.program), "%s/nothing", f->folder);
	assert_int_equal(line_child_open(&f->params, &f->child, NULL), 0);
	line_child_want(f->child, f->now_ns);
	await_failures(f, 1, 0);
	assert_non_null(strstr(f->noted, "could not be executed"));
	turn(f, SECOND);
	assert_int_equal(line_child_starts(f->child), 2); /* it is tried again */
}

/* There is no process for it, or no descriptor: it is started later. */
static void test_a_start_that_fails_is_tried_again(void **state)
{
	struct fixture *f = *state;
	struct rlimit limit, few;

	start(f, ANSWERS);
	turn(f, 0);
	kill(line_child_pid(f->child), SIGKILL);
	await_failures(f, 1, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	turn(f, SECOND);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_non_null(strstr(f->noted, "can't be started"));
	turn(f, 60 * SECOND);
	assert_true(line_child_is_there(f->child));
}

/* This program, as the child: a tracer holds it, so that it can't be collected when it was killed, as one that a disk
 * holds can't. Never returns. */
static void be_held(void)
{
	(void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	pid_t held = getpid(), tracer = fork();
	if (!tracer) {
		(void)setsid();
		alarm(300);
		bool is_held = !ptrace(PTRACE_SEIZE, held, NULL, NULL);
		dprintf(0, "{\"tracer\": %d, \"held\": %d}\n", (int)getpid(), is_held);
		close(0);
	}
	for (;;)
		pause();
}

static void test_nobody_waits_for_one_that_is_held(void **state)
{
	struct fixture *f = *state;
	int tracer = 0, is_held = 0;

	f->params.arguments[1] = "held";
	memset(f->params.program, 0, sizeof(f->params.program));
	assert_true(readlink("/proc/self/exe", f->params.program, sizeof(f->params.program) - 1) > 0);
	assert_int_equal(line_child_open(&f->params, &f->child, NULL), 0);
	line_child_want(f->child, f->now_ns);
	await_heard(f, "}");
	assert_int_equal(sscanf(f->heard, "{\"tracer\":%d,\"held\":%d}", &tracer, &is_held), 2);
	pid_t pid = line_child_pid(f->child);
	uint64_t began_ns = clock_mono_ns();
	line_child_close(f->child, 0);
	f->child = NULL;
	uint64_t ended_ns = clock_mono_ns();
	pid_t collected = waitpid(pid, NULL, WNOHANG);
	kill(tracer, SIGKILL);
	if (!is_held)
		skip(); /* nobody may trace here */
	assert_int_equal(collected, 0);
	assert_true(ended_ns - began_ns < 100 * SECOND); /* of 300 */
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_it_is_replaced(void **state)
{
	struct fixture *f = *state;

	start(f, ANSWERS);
	await_heard(f, "settings");
	pid_t pid = line_child_pid(f->child);
	f->heard[0] = '\0';
	line_child_replace(f->child, f->now_ns);
	await_heard(f, "settings");
	assert_int_not_equal(line_child_pid(f->child), pid);
	assert_int_equal(f->notes, 0);
}

int main(int count, char **arguments)
{
	if (count > 1 && !strcmp(arguments[1], "held"))
		be_held();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_that_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time_in_which_nobody_looked_does_not_count, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_that_hangs_is_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_that_crashes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_that_writes_without_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_that_says_too_much, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_line_without_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_that_hangs_up_and_stays_is_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_it_has_started_ends_with_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_that_is_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_start_that_fails_is_tried_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_waits_for_one_that_is_held, setup, teardown),
		cmocka_unit_test_setup_teardown(test_it_is_replaced, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* child_test.c: however much a program says, it ends, and its first and last words are there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "child.h"

static char output[CHILD_OUTPUT_BYTES];
static unsigned looks;

static int run(const char *script, double timeout_seconds)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	struct child child;
	struct enrg_error err = {0};
	int code;

	looks = 0;
	assert_int_equal(child_start(&child, argv, timeout_seconds, &err), 0);
	while ((code = child_end(&child, output)) == -EAGAIN) {
		struct pollfd entry = {.fd = child.descriptor, .events = POLLIN};
		poll(&entry, 1, 100);
		looks++;
	}
	return code;
}

static void first_and_last_words_are_kept(void **state)
{
	(void)state;
	assert_int_equal(run("echo first; yes 123456789012345 | head -c 30000000; echo; echo last >&2; exit 3", 60), 3);
	assert_memory_equal(output, "first\n1234", 10);
	assert_string_equal(output + strlen(output) - 5, "\nlast");
	assert_true(strlen(output) > 2000);
	assert_int_equal(run("printf 'a\\001b\\n\\n'", 60), 0);
	assert_string_equal(output, "a b");
	assert_int_equal(run("yes x | head -c 1500", 60), 0); /* in both halves, and nothing between them */
	assert_int_equal(strlen(output), 1499);
}

/* What nobody has read yet lies in a pipe, whose size the kernel bounds. */
static void what_it_says_does_not_pile_up(void **state)
{
	const char *const argv[] = {"yes", NULL};
	struct child child;
	int waiting = 0;

	(void)state;
	assert_int_equal(child_start(&child, argv, 0.3, NULL), 0);
	struct pollfd entry = {.fd = child.life, .events = POLLIN};
	poll(&entry, 1, 200);
	assert_int_equal(ioctl(child.output, FIONREAD, &waiting), 0);
	assert_true(waiting > 0 && waiting <= 1 << 20);
	int code;
	while ((code = child_end(&child, output)) == -EAGAIN)
		;
	assert_int_equal(code, 124); /* and one that never stops is ended all the same */
}

/* A program that closes its output and goes on does not keep its watcher busy. */
static void silence_is_no_work(void **state)
{
	(void)state;
	assert_int_equal(run("exec >&- 2>&-; sleep 0.3", 60), 0);
	assert_true(looks < 20);
	assert_int_equal(run("kill -9 $$", 60), 128 + 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_and_last_words_are_kept),
		cmocka_unit_test(what_it_says_does_not_pile_up),
		cmocka_unit_test(silence_is_no_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* log_test.c: what a line looks like, read back from a pipe that stands in for stderr. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static int pipe_ends[2], saved_stderr;
static char text[8192];

static int set_up(void **state)
{
	(void)state;
	if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	unsetenv("NO_COLOR");
	unsetenv("CLICOLOR_FORCE");
	return dup2(pipe_ends[1], STDERR_FILENO) < 0;
}

static int tear_down(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	return 0;
}

static const char *read_back(void)
{
	ssize_t got = read(pipe_ends[0], text, sizeof(text) - 1);

	text[got > 0 ? got : 0] = '\0';
	return text;
}

static void test_a_line(void **state)
{
	(void)state;
	log_init("supervisor", ENRG_INFO);
	log_line(ENRG_INFO, "started %d jobs", 3);
	read_back();
	assert_string_equal(text + strlen("2026-11-24 06:48:59.123"), " INFO  supervisor: started 3 jobs\n");
	assert_true(text[4] == '-' && text[10] == ' ' && text[13] == ':' && text[19] == '.');
}

static void test_levels_below_are_dropped(void **state)
{
	(void)state;
	log_init("x", ENRG_WARNING);
	log_line(ENRG_INFO, "no");
	assert_string_equal(read_back(), "");
	log_line(ENRG_ERROR, "yes");
	assert_non_null(strstr(read_back(), " ERROR x: yes\n"));
	log_set_level(ENRG_DEBUG);
	log_line(ENRG_DEBUG, "more");
	assert_non_null(strstr(read_back(), " DEBUG x: more\n"));
}

static void test_colors_where_forced(void **state)
{
	(void)state;
	setenv("CLICOLOR_FORCE", "1", 1);
	log_init("x", ENRG_INFO);
	log_line(ENRG_ERROR, "red");
	assert_non_null(strstr(read_back(), "\033[1;31mERROR\033[0m x: red\n"));
	setenv("NO_COLOR", "1", 1);
	assert_false(log_is_colored(STDERR_FILENO));
	unsetenv("NO_COLOR");
	setenv("CLICOLOR_FORCE", "0", 1);
	assert_false(log_is_colored(STDERR_FILENO));
}

static void test_text_can_not_steer_the_terminal(void **state)
{
	(void)state;
	log_init("x", ENRG_INFO);
	log_line(ENRG_INFO, "%s", "a\033[2Jb\nc\x7f");
	assert_non_null(strstr(read_back(), "x: a [2Jb c \n"));
}

static void test_json(void **state)
{
	char wanted[200];

	(void)state;
	log_init("lab/\"s1\"", ENRG_INFO);
	log_set_format(LOG_JSON);
	log_line(ENRG_WARNING, "a\033[2Jb \"%s\"", "\x9b");
	log_set_format(LOG_TEXT);
	read_back();
	snprintf(wanted, sizeof(wanted),
		"Z\", \"level\": \"WARNING\", \"process\": %d, \"job\": \"lab/\\\"s1\\\"\", \"message\": "
		"\"a\\u001b[2Jb \\\"\\ufffd\\\"\"}\n",
		(int)getpid());
	assert_memory_equal(text, "{\"time\": \"20", 12);
	assert_string_equal(text + strlen("{\"time\": \"2026-11-24T06:48:59.123"), wanted);
}

/* systemd says which file is its journal. */
static void test_journal(void **state)
{
	struct stat now;
	char stream[64];

	(void)state;
	fstat(STDERR_FILENO, &now);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)now.st_dev, (unsigned long long)now.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	setenv("CLICOLOR_FORCE", "1", 1);
	log_init("x", ENRG_DEBUG);
	log_line(ENRG_ERROR, "a\nb");
	assert_string_equal(read_back(), "<3>x: a b\n");
	log_line(ENRG_DEBUG, "y");
	assert_string_equal(read_back(), "<7>x: y\n");
	setenv("JOURNAL_STREAM", "1:2", 1);
	unsetenv("CLICOLOR_FORCE");
	log_init("x", ENRG_INFO);
	log_line(ENRG_ERROR, "z");
	assert_non_null(strstr(read_back(), " ERROR x: z\n"));
	unsetenv("JOURNAL_STREAM");
}

/* Nobody reads the pipe: lines are kept, the rest is counted, and said. */
static void test_a_pipe_that_is_full(void **state)
{
	static char huge[3000];
	bool has_lost = false;

	(void)state;
	memset(huge, 'y', sizeof(huge) - 1);
	log_init("x", ENRG_INFO);
	log_start();
	for (int i = 0; i < 100; i++)
		log_line(ENRG_INFO, "%s", huge);
	for (unsigned waited = 0; !has_lost && waited < 20000; waited++) {
		has_lost = strstr(read_back(), " line(s) of the log are lost") != NULL;
		if (!text[0])
			poll(NULL, 0, 1);
	}
	assert_true(has_lost);
	log_line(ENRG_INFO, "the last one");
	while (!strstr(read_back(), "the last one"))
		poll(NULL, 0, 1);
	log_stop();
	read_back();
	log_line(ENRG_INFO, "directly again");
	assert_non_null(strstr(read_back(), "directly again"));
}

static void test_long_lines_are_cut_and_ended(void **state)
{
	static char huge[6000];

	(void)state;
	memset(huge, 'y', sizeof(huge) - 1);
	log_init("x", ENRG_INFO);
	log_line(ENRG_INFO, "%s", huge);
	read_back();
	assert_in_range(strlen(text), 4000, 4096);
	assert_true(text[strlen(text) - 1] == '\n');
}

static void test_level_names(void **state)
{
	enum enrg_level level;

	(void)state;
	for (int i = ENRG_DEBUG; i <= ENRG_ERROR; i++) {
		assert_int_equal(log_parse_level(log_level_name((enum enrg_level)i), &level), 0);
		assert_int_equal(level, i);
	}
	assert_int_equal(log_parse_level("warning", &level), 0);
	assert_int_equal(level, ENRG_WARNING);
	assert_int_equal(log_parse_level("loud", &level), -EINVAL);
	assert_int_equal(level, ENRG_WARNING);
	assert_string_equal(log_level_name((enum enrg_level)9), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_levels_below_are_dropped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_colors_where_forced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_text_can_not_steer_the_terminal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long_lines_are_cut_and_ended, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_journal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_pipe_that_is_full, set_up, tear_down),
		cmocka_unit_test(test_level_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

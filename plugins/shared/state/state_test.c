/* state_test.c: what was kept is read back, as a whole, by one process at a time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/state.h"

static char folder[64];

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/dev/shm/state_test.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static void what_is_kept_is_read_back(void **unused)
{
	char path[128], *bytes;
	size_t count;
	struct state state = {0};
	struct enrg_error err = {0};

	(void)unused;
	snprintf(path, sizeof(path), "%s/a/b/lab.slack.outbox", folder);
	assert_int_equal(state_open(&state, path, &err), 0);
	assert_int_equal(state_read(&state, &bytes, &count, &err), 0);
	assert_null(bytes);
	assert_int_equal(state_replace(&state, "first", 5, &err), 0);
	assert_int_equal(state_replace(&state, "next", 4, &err), 0);
	assert_int_equal(state_read(&state, &bytes, &count, &err), 0);
	assert_int_equal(count, 4);
	assert_string_equal(bytes, "next");
	free(bytes);
	state_close(&state);
	state_close(&state);
	assert_int_equal(state_open(&state, path, &err), 0);
	assert_int_equal(state_read(&state, &bytes, &count, &err), 0);
	assert_string_equal(bytes, "next");
	free(bytes);
	state_close(&state);
}

static void one_process_has_it(void **unused)
{
	char path[128];
	struct state state = {0}, other = {0};
	struct enrg_error err = {0};

	(void)unused;
	snprintf(path, sizeof(path), "%s/x", folder);
	assert_int_equal(state_open(&state, path, &err), 0);
	assert_int_equal(state_open(&other, path, &err), -EBUSY);
	assert_non_null(strstr(err.text, "another process"));
	state_close(&state);
	assert_int_equal(state_open(&other, path, &err), 0);
	state_close(&other);
}

static void what_can_t_be_kept_is_said(void **unused)
{
	char path[400];
	struct state state = {0};
	struct enrg_error err = {0};

	(void)unused;
	snprintf(path, sizeof(path), "%s/x", folder);
	assert_int_equal(state_open(&state, path, &err), 0);
	snprintf(path, sizeof(path), "%s/x.new", folder);
	assert_int_equal(mkdir(path, 0700), 0); /* in the way */
	assert_int_equal(state_replace(&state, "a", 1, &err), -EISDIR);
	assert_non_null(strstr(err.text, "/x: "));
	state_close(&state);
	assert_int_equal(state_open(&state, "/proc/none/x", &err), -ENOENT);
	assert_int_equal(state_open(&state, "", &err), -EISDIR);
	snprintf(path, sizeof(path), "%s/", folder);
	assert_int_equal(state_open(&state, path, &err), -EISDIR);
	assert_int_equal(state.folder, 0);
	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(state_open(&state, path, &err), -ENAMETOOLONG);
	assert_int_equal(state.folder, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_kept_is_read_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_process_has_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_can_t_be_kept_is_said, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

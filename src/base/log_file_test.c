/* log_file_test.c: rotation, and a file that others move away. */
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

#include "base/log_file.h"
#include "base/path.h"

static char folder[64];

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/dev/shm/log_file_test.XXXXXX");
	return mkdtemp(folder) == NULL;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static long size_of(const char *name)
{
	struct stat now;

	return stat(path_of(name), &now) ? -1 : (long)now.st_size;
}

static void two_processes_rotate_one_file(void **state)
{
	struct log_file a, b;

	(void)state;
	log_file_init(&a, path_of("logs/x.log"), 100, 2);
	log_file_init(&b, path_of("logs/x.log"), 100, 2);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(log_file_put(&a, "0123456789abcdefghi\n", 20), 0);
		assert_int_equal(log_file_put(&b, "0123456789abcdefghi\n", 20), 0);
	}
	/* 400 bytes: each file holds five lines, two are kept beside the present one */
	assert_int_equal(size_of("logs/x.log.1"), 100);
	assert_int_equal(size_of("logs/x.log.2"), 100);
	assert_int_equal(size_of("logs/x.log.3"), -1);
	assert_int_equal(log_file_put(&b, "z\n", 2), 0);
	assert_int_equal(size_of("logs/x.log"), 2);
	log_file_fini(&a);
	log_file_fini(&b);
}

static void a_file_that_is_gone_is_begun_anew(void **state)
{
	struct log_file file;

	(void)state;
	log_file_init(&file, path_of("x.log"), 0, 0);
	assert_int_equal(log_file_put(&file, "one\n", 4), 0);
	assert_int_equal(unlink(path_of("x.log")), 0);
	assert_int_equal(log_file_put(&file, "three\n", 6), 0);
	assert_int_equal(size_of("x.log"), 6);
	char moved[256];
	snprintf(moved, sizeof(moved), "%s", path_of("moved"));
	assert_int_equal(rename(path_of("x.log"), moved), 0);
	assert_int_equal(log_file_put(&file, "4\n", 2), 0);
	assert_int_equal(size_of("x.log"), 2);
	assert_int_equal(size_of("moved"), 6);
	log_file_reopen(&file);
	assert_int_equal(log_file_put(&file, "5\n", 2), 0);
	assert_int_equal(size_of("x.log"), 4);
	log_file_fini(&file);
}

static void what_can_not_be_opened_is_an_error(void **state)
{
	struct log_file file;

	(void)state;
	log_file_init(&file, "/proc/none/x.log", 0, 0);
	assert_true(log_file_put(&file, "x\n", 2) < 0);
	log_file_fini(&file);
	log_file_init(&file, "/dev/full", 0, 0);
	assert_int_equal(log_file_put(&file, "x\n", 2), -ENOSPC);
	log_file_fini(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_processes_rotate_one_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_is_gone_is_begun_anew, set_up, tear_down),
		cmocka_unit_test(what_can_not_be_opened_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* path_test.c: folders, whole files, names; with what goes wrong. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"

static char folder[64], path[256];
static struct enrg_error err;

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/enrg-path-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "rm -rf %s", folder);
	return system(path);
}

static const char *in_folder(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int count_entries(void)
{
	DIR *entries = opendir(folder);
	int count = 0;

	assert_non_null(entries);
	while (readdir(entries))
		count++;
	closedir(entries);
	return count - 2;
}

static void test_folders(void **state)
{
	struct stat status;

	(void)state;
	assert_int_equal(path_make_folders(in_folder("a/b//c/"), 0755, &err), 0);
	assert_int_equal(path_make_folders(in_folder("a/b/c"), 0755, &err), 0);
	assert_int_equal(stat(in_folder("a/b/c"), &status), 0);
	assert_true(S_ISDIR(status.st_mode));
	assert_int_equal(path_make_parent(in_folder("d/e/file.csv"), 0755, &err), 0);
	assert_int_equal(stat(in_folder("d/e"), &status), 0);
	assert_int_equal(stat(in_folder("d/e/file.csv"), &status), -1);
	assert_int_equal(path_make_parent("bare_name", 0755, &err), 0);
	assert_int_equal(path_make_parent("/bare_name", 0755, &err), 0);
	assert_int_equal(path_make_folders("/", 0755, &err), 0);
	assert_int_equal(path_make_folders("", 0755, &err), -ENOENT);
}

static void test_a_file_in_the_way(void **state)
{
	(void)state;
	assert_int_equal(path_write_file(in_folder("x"), "1", 1, 0, &err), 0);
	assert_int_equal(path_make_folders(in_folder("x/y"), 0755, &err), -ENOTDIR);
	assert_int_equal(path_make_folders(in_folder("x"), 0755, &err), -ENOTDIR);
	assert_non_null(strstr(err.text, "/x: Not a directory"));
}

static void test_write_and_read(void **state)
{
	char *bytes = NULL, *large = malloc(300000);
	size_t count = 0;

	(void)state;
	assert_non_null(large);
	memset(large, 'z', 300000);
	assert_int_equal(path_write_file(in_folder("f"), "old", 3, 1, &err), 0);
	assert_int_equal(path_write_file(in_folder("f"), large, 300000, 0, &err), 0);
	assert_int_equal(path_read_file(in_folder("f"), 300000, &bytes, &count, &err), 0);
	assert_int_equal(count, 300000);
	assert_memory_equal(bytes, large, count);
	assert_int_equal(bytes[count], 0);
	free(bytes);
	assert_int_equal(path_write_file(in_folder("f"), "", 0, 0, &err), 0);
	assert_int_equal(path_read_file(in_folder("f"), 10, &bytes, &count, &err), 0);
	assert_int_equal(count, 0);
	assert_string_equal(bytes, "");
	free(bytes);
	free(large);
	assert_int_equal(count_entries(), 1);
}

static void test_read_refuses(void **state)
{
	char *bytes = NULL;
	size_t count = 77;

	(void)state;
	assert_int_equal(path_write_file(in_folder("f"), "12345", 5, 0, &err), 0);
	assert_int_equal(path_read_file(in_folder("f"), 4, &bytes, &count, &err), -EFBIG);
	assert_int_equal(path_read_file(in_folder("none"), 4, &bytes, &count, &err), -ENOENT);
	assert_int_equal(path_read_file(folder, 4, &bytes, &count, &err), -EISDIR);
	assert_null(bytes);
	assert_int_equal(count, 77);
	assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
	alarm(10); /* nobody writes into it: to wait would be for ever */
	assert_int_equal(path_read_file(in_folder("pipe"), 4, &bytes, &count, &err), 0);
	alarm(0);
	assert_int_equal(count, 0);
	free(bytes);
}

static void test_failed_write_leaves_the_old_file(void **state)
{
	char *bytes = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(path_write_file(in_folder("none/f"), "x", 1, 0, &err), -ENOENT);
	assert_int_equal(path_make_folders(in_folder("d/e"), 0755, &err), 0);
	assert_true(path_write_file(in_folder("d"), "x", 1, 0, &err) < 0);
	assert_int_equal(count_entries(), 1); /* no temporary file stays */
	assert_int_equal(path_read_file(in_folder("d/e"), 4, &bytes, &count, &err), -EISDIR);
}

static void check_name(const char *text, const char *expected)
{
	char name[8];

	path_safe_name(text, name, sizeof(name));
	assert_string_equal(name, expected);
}

static void test_safe_names(void **state)
{
	(void)state;
	check_name("a.b-C_9", "a.b-C_9");
	check_name("../etc", ".._etc");
	check_name("", "_");
	check_name(".", "_");
	check_name("..", "_.");
	check_name("\xc3\xa4 b", "___b");
	check_name("longerthanthat", "longert");
}

static void test_runtime_folder(void **state)
{
	char found[64];

	(void)state;
	setenv("ENRGDAQ_RUNTIME_DIR", "/tmp/elsewhere", 1);
	assert_int_equal(path_runtime_folder(found, sizeof(found), &err), 0);
	assert_string_equal(found, "/tmp/elsewhere");
	assert_int_equal(path_runtime_folder(found, 5, &err), -ENAMETOOLONG);
	unsetenv("ENRGDAQ_RUNTIME_DIR");
	assert_int_equal(path_runtime_folder(found, sizeof(found), &err), 0);
	snprintf(path, sizeof(path), "/dev/shm/enrgdaq-%u", (unsigned)geteuid());
	assert_string_equal(found, path);
}

static mode_t mode_of(const char *file)
{
	struct stat status;

	assert_int_equal(stat(file, &status), 0);
	return status.st_mode & 07777;
}

static void test_private_whatever_the_umask(void **state)
{
	mode_t before = umask(0);

	(void)state;
	assert_int_equal(path_make_private_folder(in_folder("a/b"), &err), 0);
	assert_int_equal(mode_of(in_folder("a/b")), 0700);
	assert_int_equal(path_write_private_file(in_folder("a/b/f"), "x", 1, &err), 0);
	assert_int_equal(mode_of(in_folder("a/b/f")), 0600);
	assert_int_equal(chmod(in_folder("a/b"), 0777), 0);
	umask(0777);
	assert_int_equal(path_make_private_folder(in_folder("a/b"), &err), 0);
	assert_int_equal(mode_of(in_folder("a/b")), 0700);
	umask(before);
}

static void test_no_folder_of_another_user(void **state)
{
	(void)state;
	assert_int_equal(path_make_folders(in_folder("d"), 0755, &err), 0);
	assert_int_equal(symlink("d", in_folder("link")), 0);
	assert_int_equal(path_make_private_folder(in_folder("link"), &err), -EPERM);
	assert_non_null(strstr(err.text, "symbolic link"));
	if (geteuid() != 0)
		return; /* only root can make files of somebody else */
	assert_int_equal(chown(in_folder("d"), 65534, 65534), 0);
	assert_int_equal(path_make_private_folder(in_folder("d"), &err), -EPERM);
	assert_non_null(strstr(err.text, "(uid 65534)"));
}

static void test_shared_runtime_folder(void **state)
{
	char found[200];

	(void)state;
	assert_int_equal(path_make_folders(in_folder("shared"), 0755, &err), 0);
	setenv("ENRGDAQ_RUNTIME_DIR", in_folder("shared"), 1);
	assert_int_equal(chmod(in_folder("shared"), 01777), 0); /* as /tmp: entries stay their owner's */
	assert_int_equal(path_runtime_folder(found, sizeof(found), &err), 0);
	assert_int_equal(chmod(in_folder("shared"), 0777), 0);
	assert_int_equal(path_runtime_folder(found, sizeof(found), &err), -EPERM);
	assert_non_null(strstr(err.text, "by everybody"));
	unsetenv("ENRGDAQ_RUNTIME_DIR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_folders, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_file_in_the_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_write_and_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_read_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failed_write_leaves_the_old_file, set_up, tear_down),
		cmocka_unit_test(test_safe_names),
		cmocka_unit_test(test_runtime_folder),
		cmocka_unit_test_setup_teardown(test_private_whatever_the_umask, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_folder_of_another_user, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shared_runtime_folder, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

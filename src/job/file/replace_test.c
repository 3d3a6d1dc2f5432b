/* replace_test.c: what a file held before its first replacement is kept, and nothing else is. In the test process.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/path.h"
#include "fixtures/store_alone.h"
#include "job/file/handle.h"

static char path[100], alerts[2000];
static bool has_attributes, has_links;

ssize_t __real_getxattr(const char *name, const char *key, void *value, size_t bytes);
ssize_t __wrap_getxattr(const char *name, const char *key, void *value, size_t bytes);
int __real_fsetxattr(int descriptor, const char *key, const void *value, size_t bytes, int flags);
int __wrap_fsetxattr(int descriptor, const char *key, const void *value, size_t bytes, int flags);
int __real_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);

ssize_t __wrap_getxattr(const char *name, const char *key, void *value, size_t bytes)
{
	if (has_attributes)
		return __real_getxattr(name, key, value, bytes);
	errno = EOPNOTSUPP;
	return -1;
}

int __wrap_fsetxattr(int descriptor, const char *key, const void *value, size_t bytes, int flags)
{
	if (has_attributes)
		return __real_fsetxattr(descriptor, key, value, bytes, flags);
	errno = EOPNOTSUPP;
	return -1;
}

int __wrap_link(const char *from, const char *to)
{
	if (has_links)
		return __real_link(from, to);
	errno = EPERM;
	return -1;
}

static void keep_alert(void *context, enum enrg_level level, const char *text)
{
	(void)context;
	assert_int_equal(level, ENRG_WARNING);
	snprintf(alerts + strlen(alerts), sizeof(alerts) - strlen(alerts), "%s\n", text);
}

/* As a start of the store does it. */
static void restart(void)
{
	char journal_path[100];

	store_destroy_alone(store);
	snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
	assert_int_equal(store_create_alone("test", journal_path, &store, NULL), 0);
	store->files.alert = keep_alert;
	alerts[0] = '\0';
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/file_replace_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.csv.zst", folder);
	has_attributes = has_links = true;
	restart();
	return 0;
}

/* The folder of the test may lie on a disk that has no attributes. */
static void need_attributes(void)
{
	int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = __real_fsetxattr(descriptor, "user.enrgdaq.test", "", 0, 0);

	close(descriptor);
	if (rc < 0)
		skip();
}

static void replace(const char *text)
{
	struct enrg_error err = {0};

	if (enrg_file_replace(store, path, text, strlen(text), &err) != 0)
		fail_msg("%s", err.text);
}

static void append(const char *text)
{
	struct enrg_file *file;

	assert_int_equal(enrg_file_open(store, path, &file, NULL), 0);
	assert_int_equal(enrg_file_write(file, text, strlen(text), NULL), 0);
	store_commit_alone(store);
	enrg_file_close(file);
}

static void expect(const char *name, const char *want)
{
	char full[200], *bytes = NULL;
	size_t count;

	snprintf(full, sizeof(full), "%s/%s", folder, name);
	if (path_read_file(full, 1000, &bytes, &count, NULL) != 0)
		fail_msg("there is no %s", name);
	assert_string_equal(bytes, want);
	free(bytes);
}

static void expect_files(size_t count)
{
	char pattern[100];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/a*", folder);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, count);
	globfree(&found);
}

static void appended_rows_are_kept(void **state)
{
	(void)state;
	append("all the rows");
	restart();
	replace("newest");
	expect("a.csv.zst", "newest");
	expect("a_earlier.csv.zst", "all the rows");
	assert_non_null(strstr(alerts, "a.csv.zst held 12 bytes that were not written with overwrite"));
	assert_non_null(strstr(alerts, "/a_earlier.csv.zst"));
	alerts[0] = '\0';
	replace("newer");
	expect("a.csv.zst", "newer");
	expect_files(2);
	assert_string_equal(alerts, "");
}

static void own_files_are_not_kept(void **state)
{
	(void)state;
	need_attributes();
	for (int i = 0; i < 3; i++) {
		replace("newest");
		replace("newer");
		expect_files(1);
		assert_string_equal(alerts, "");
		restart();
	}
}

static void a_file_appended_to_in_between_is_kept(void **state)
{
	(void)state;
	need_attributes();
	replace("one;");
	append("two;three;");
	restart();
	replace("four;");
	expect("a_earlier.csv.zst", "one;two;three;");
	append("five;");
	replace("six;");
	expect("a.csv.zst", "six;");
	expect("a_earlier.csv.zst", "one;two;three;");
	expect("a_earlier_2.csv.zst", "four;five;");
}

/* Also one that another target looked at: it goes on elsewhere, and the file is as it was. */
static void an_opened_file_is_not_yet_appended_to(void **state)
{
	struct enrg_file *file;

	(void)state;
	need_attributes();
	replace("newest");
	assert_int_equal(enrg_file_open(store, path, &file, NULL), 0);
	enrg_file_close(file);
	replace("newer");
	expect_files(1);
}

static void nothing_to_keep(void **state)
{
	char other[200];

	(void)state;
	append("");
	replace("newest");
	expect_files(1);
	/* what a link leads to is not replaced */
	assert_int_equal(unlink(path), 0);
	snprintf(other, sizeof(other), "%s/b", folder);
	assert_int_equal(path_write_file(other, "elsewhere", 9, 0, NULL), 0);
	assert_int_equal(symlink("b", path), 0);
	replace("newest");
	expect("b", "elsewhere");
	expect_files(1);
	assert_string_equal(alerts, "");
}

/* The first name is there all the time, and a try that failed leaves no more than one second name. */
static void a_failed_try_is_repeated(void **state)
{
	char other[200];

	(void)state;
	append("all the rows");
	snprintf(other, sizeof(other), "%s/a_earlier.csv.zst", folder);
	assert_int_equal(link(path, other), 0);
	replace("newest");
	expect("a_earlier.csv.zst", "all the rows");
	expect_files(2);
}

static void a_disk_without_links(void **state)
{
	(void)state;
	has_links = false;
	append("all the rows");
	replace("newest");
	expect("a.csv.zst", "newest");
	expect("a_earlier.csv.zst", "all the rows");
	expect_files(2);
}

/* There the store can't know its own files: the first is kept, those after it are not. */
static void a_disk_without_attributes(void **state)
{
	(void)state;
	has_attributes = false;
	append("all the rows");
	for (int i = 0; i < 3; i++) {
		restart();
		replace("newest");
		replace("newer");
	}
	expect("a.csv.zst", "newer");
	expect("a_earlier.csv.zst", "all the rows");
	expect_files(2);
}

static void no_name_is_left(void **state)
{
	struct enrg_error err = {0};
	char other[200];

	(void)state;
	need_attributes();
	append("all the rows");
	for (int i = 1; i <= 100; i++) {
		char number[16] = "";
		if (i > 1)
			snprintf(number, sizeof(number), "_%d", i);
		snprintf(other, sizeof(other), "%s/a_earlier%s.csv.zst", folder, number);
		assert_int_equal(path_write_file(other, "x", 1, 0, NULL), 0);
	}
	assert_int_equal(enrg_file_replace(store, path, "newest", 6, &err), -EEXIST);
	assert_non_null(strstr(err.text, "a_earlier_100.csv.zst"));
	assert_non_null(strstr(err.text, "move the file away"));
	expect("a.csv.zst", "all the rows");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(appended_rows_are_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(own_files_are_not_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_appended_to_in_between_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_opened_file_is_not_yet_appended_to, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_to_keep, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_failed_try_is_repeated, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_disk_without_links, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_disk_without_attributes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_name_is_left, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* file_test.c: names of output files, and that each file holds what was committed, whatever happened. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"
#include "fixtures/store_alone.h"
#include "job/file/handle.h"

static char journal_path[128], file_path[128];

static void open_store(void)
{
	struct enrg_error err = {0};

	if (store_create_alone("test", journal_path, &store, &err) != 0)
		fail_msg("%s", err.text);
}

static const char *swapped_in; /* a name of the store's next file: what a merge of another process renames over it */

/* In front of the C library's. Once: after the store has opened its file and looked at it, and before it has the lock.
 */
int fstat(int descriptor, struct stat *status)
{
	const char *from = swapped_in;

	int rc = fstatat(descriptor, "", status, AT_EMPTY_PATH);
	if (from && rc == 0 && S_ISREG(status->st_mode) && status->st_size == 4) {
		swapped_in = NULL;
		assert_int_equal(rename(from, file_path), 0);
	}
	return rc;
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/file_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
	snprintf(file_path, sizeof(file_path), "%s/out/deep/a.csv", folder);
	open_store();
	return 0;
}

static void restart(void)
{
	store_destroy_alone(store);
	open_store();
}

static struct enrg_file *open_file(const char *path)
{
	struct enrg_file *file = NULL;
	struct enrg_error err = {0};

	if (enrg_file_open(store, path, &file, &err) != 0)
		fail_msg("%s", err.text);
	return file;
}

static void write_text(struct enrg_file *file, const char *text)
{
	assert_int_equal(enrg_file_write(file, text, strlen(text), NULL), 0);
}

static void expect_content(const char *want)
{
	char *bytes;
	size_t count;

	assert_int_equal(path_read_file(file_path, 1 << 20, &bytes, &count, NULL), 0);
	assert_string_equal(bytes, want);
	free(bytes);
}

static void puts_names_together(void **state)
{
	(void)state;
	struct tm local = {.tm_year = 126, .tm_mon = 10, .tm_mday = 24, .tm_hour = 12, .tm_isdst = -1};
	uint64_t day = (uint64_t)mktime(&local) * 1000000000u;
	const struct {
		struct enrg_file_name name;
		const char *want;
	} cases[] = {
		{{"out/", "a.csv", NULL, false, 0}, "out/a.csv"},
		{{"out", "a.csv", "", false, 0}, "out/a.csv"},
		{{NULL, "a.csv", "x", false, 0}, "a_x.csv"},
		{{"out", "a.csv.zst", "x", false, 0}, "out/a_x.csv.zst"},
		{{"out", "a.csv.GZ", "x", false, 0}, "out/a_x.csv.GZ"},
		{{"out", "a.zst", "x", false, 0}, "out/a_x.zst"},
		{{"out", "a", "x", false, 0}, "out/a_x"},
		{{"out", ".csv", "x", false, 0}, "out/.csv_x"},
		{{"out", "run.1/a", "x", false, 0}, "out/run.1/a_x"},
		{{"out", "b/stats.csv", "remote", true, day}, "out/b/2026-11-24_stats_remote.csv"},
		{{"/data", "a.csv", "../../x", true, day}, "/data/2026-11-24_a_.._.._x.csv"},
		{{"../out", "..a/...", "..", false, 0}, "../out/..a/.._..."},
		{{"out", "a.b.csv.xz", "x", false, 0}, "out/a.b_x.csv.xz"},
	};
	char path[256];
	struct enrg_error err = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(enrg_file_path(&cases[i].name, path, sizeof(path), &err), 0);
		assert_string_equal(path, cases[i].want);
		assert_int_equal(enrg_file_path(&cases[i].name, path, strlen(cases[i].want), &err), -ENAMETOOLONG);
	}
	const struct enrg_file_name bad[] = {
		{"out", "", NULL, false, 0}, {"out", NULL, NULL, false, 0}, {"out", "folder/", NULL, false, 0}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(enrg_file_path(&bad[i], path, sizeof(path), &err), -EINVAL);
}

static void a_name_that_leads_out_of_its_folder_is_refused(void **state)
{
	static const char *const names[] = {
		"/etc/a.csv", "../a.csv", "..", "b/../../a.csv", "b/../a.csv", "b/..", "//a.csv"};
	char path[256];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct enrg_file_name name = {.out_dir = "out", .file_path = names[i]};
		struct enrg_error err = {0};
		assert_int_equal(enrg_file_path(&name, path, sizeof(path), &err), ENRG_E_CONFIG);
		assert_non_null(strstr(err.text, names[i]));
		assert_non_null(strstr(err.text, "out_dir"));
	}
}

static void a_restart_cuts_what_was_not_committed(void **state)
{
	(void)state;
	struct enrg_file *file = open_file(file_path);

	assert_int_equal(enrg_file_size(file), 0);
	write_text(file, "head\n");
	restart(); /* killed before the first commit of a new file */
	file = open_file(file_path);
	assert_int_equal(enrg_file_size(file), 0);
	write_text(file, "head\none\n");
	store_commit_alone(store);
	write_text(file, "two\n");
	restart();
	expect_content("head\none\ntwo\n");
	file = open_file(file_path);
	assert_int_equal(enrg_file_size(file), 9);
	expect_content("head\none\n");
	write_text(file, "TWO\n");
	store_commit_alone(store);
	restart();
	open_file(file_path);
	expect_content("head\none\nTWO\n");
}

static void a_file_from_elsewhere_is_appended_to(void **state)
{
	(void)state;
	assert_int_equal(path_make_parent(file_path, 0755, NULL), 0);
	assert_int_equal(path_write_file(file_path, "old\n", 4, 0, NULL), 0);
	struct enrg_file *file = open_file(file_path);
	assert_int_equal(enrg_file_size(file), 4);
	write_text(file, "new\n");
	restart(); /* killed: what was there before stays */
	file = open_file(file_path);
	expect_content("old\n");
	write_text(file, "new\n");
	store_commit_alone(store);
	enrg_file_close(file);
	/* Closed in order: the journal forgets it, and an editor may change it. */
	assert_int_equal(path_write_file(file_path, "edited, and longer than before\n", 31, 0, NULL), 0);
	restart();
	file = open_file(file_path);
	assert_int_equal(enrg_file_size(file), 31);
}

static unsigned alert_count;
static char alert_text[1000];

static void count_alert(void *context, enum enrg_level level, const char *text)
{
	(void)context;
	(void)level;
	alert_count++;
	snprintf(alert_text, sizeof(alert_text), "%s", text);
}

static void a_lost_file_is_reported_and_begun_again(void **state)
{
	(void)state;
	struct enrg_file *file = open_file(file_path);

	write_text(file, "12345");
	store_commit_alone(store);
	restart();
	assert_int_equal(unlink(file_path), 0);
	store->files.alert = count_alert;
	alert_count = 0;
	file = open_file(file_path);
	assert_int_equal(alert_count, 1);
	assert_non_null(strstr(alert_text, file_path));
	assert_int_equal(enrg_file_size(file), 0);
	write_text(file, "abc");
	restart();
	store->files.alert = count_alert;
	open_file(file_path);
	expect_content("");
	assert_int_equal(alert_count, 1);
}

static void rolls_back_open_and_closed_files(void **state)
{
	(void)state;
	struct enrg_file *file = open_file(file_path), *again = open_file(file_path);
	char other_spelling[160];

	assert_ptr_equal(file, again);
	snprintf(other_spelling, sizeof(other_spelling), "%s/out/../out/deep/./a.csv", folder);
	assert_ptr_equal(open_file(other_spelling), file);
	write_text(file, "kept");
	store_commit_alone(store);
	write_text(file, "lost");
	enrg_file_close(again);
	enrg_file_close(again);
	assert_int_equal(store_roll_back_alone(store, NULL), 0);
	expect_content("kept");
	write_text(file, "lost");
	enrg_file_close(file); /* the last one, with bytes not committed */
	assert_int_equal(store_roll_back_alone(store, NULL), 0);
	expect_content("kept");
	file = open_file(file_path);
	write_text(file, " and more");
	enrg_file_close(file);
	store_commit_alone(store);
	assert_null(store->files.first);
	restart();
	expect_content("kept and more");
}

static void a_write_that_fails_leaves_no_tail(void **state)
{
	(void)state;
	struct rlimit limit = {.rlim_cur = 10, .rlim_max = RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
	struct enrg_file *file = open_file(file_path);
	struct enrg_error err = {0};

	signal(SIGXFSZ, SIG_IGN);
	write_text(file, "12345678");
	store_commit_alone(store);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	int rc = enrg_file_write(file, "abcdef", 6, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(rc, -EFBIG);
	assert_non_null(strstr(err.text, file_path));
	assert_non_null(strstr(err.text, "too large"));
	expect_content("12345678ab");
	enrg_file_close(file);
	assert_int_equal(store_roll_back_alone(store, NULL), 0);
	expect_content("12345678");
	assert_null(store->files.first);
}

/* What is written must be found under the name, and not in a file that has none any more. */
static void a_file_that_is_replaced_before_it_is_locked_is_opened_again(void **state)
{
	char other[160];
	struct stat named;
	struct enrg_file *file = open_file(file_path);

	(void)state;
	enrg_file_close(file);
	store_commit_alone(store);
	snprintf(other, sizeof(other), "%s.merging", file_path);
	assert_int_equal(path_write_file(file_path, "old\n", 4, 0, NULL), 0);
	assert_int_equal(path_write_file(other, "merged\n", 7, 0, NULL), 0);
	swapped_in = other;
	file = open_file(file_path);
	assert_null(swapped_in);
	assert_int_equal(stat(file_path, &named), 0);
	assert_true(file->inode == named.st_ino && file->device == named.st_dev);
	assert_int_equal(enrg_file_size(file), 7);
	write_text(file, "new\n");
	store_commit_alone(store);
	expect_content("merged\nnew\n");
	enrg_file_close(file);
}

static void cuts_a_torn_tail_at_once(void **state)
{
	(void)state;
	assert_int_equal(path_make_parent(file_path, 0755, NULL), 0);
	assert_int_equal(path_write_file(file_path, "whole|torn", 10, 0, NULL), 0);
	struct enrg_file *file = open_file(file_path);
	char byte;

	assert_int_equal(pread(enrg_file_descriptor(file), &byte, 1, 5), 1);
	assert_int_equal(byte, '|');
	assert_int_equal(enrg_file_truncate(file, 11, NULL), -EINVAL);
	assert_int_equal(enrg_file_truncate(file, 5, NULL), 0);
	assert_int_equal(enrg_file_size(file), 5);
	write_text(file, "?");
	assert_int_equal(enrg_file_sync(file, NULL), 0);
	restart();
	open_file(file_path);
	expect_content("whole");
}

/* The pointer of a format: it never leads behind what is committed. */
static void switches_bytes_after_the_commit(void **state)
{
	(void)state;
	struct enrg_file *file = open_file(file_path);

	write_text(file, "0:aaaa");
	store_commit_alone(store);
	write_text(file, "bbbb");
	assert_int_equal(enrg_file_switch(file, 0, "1", 1, NULL), 0);
	expect_content("0:aaaabbbb");
	store_commit_alone(store);
	expect_content("1:aaaabbbb");
	/* A commit that fails takes it back. */
	write_text(file, "cccc");
	assert_int_equal(enrg_file_switch(file, 0, "2", 1, NULL), 0);
	assert_int_equal(store_roll_back_alone(store, NULL), 0);
	store_commit_alone(store);
	expect_content("1:aaaabbbb");
	/* So does a kill; what is written in place stays. */
	assert_int_equal(enrg_file_write_at(file, 1, ";", 1, NULL), 0);
	write_text(file, "dddd");
	assert_int_equal(enrg_file_switch(file, 0, "3", 1, NULL), 0);
	restart();
	file = open_file(file_path);
	expect_content("1;aaaabbbb");
	assert_true(enrg_file_is_continued(file));
	/* A file that is closed in between is switched all the same. */
	assert_int_equal(enrg_file_switch(file, 0, "4", 1, NULL), 0);
	enrg_file_close(file);
	expect_content("1;aaaabbbb");
	store_commit_alone(store);
	expect_content("4;aaaabbbb");
	file = open_file(file_path);
	assert_false(enrg_file_is_continued(file));
	assert_int_equal(enrg_file_write_at(file, 10, "x", 1, NULL), -EINVAL);
	assert_int_equal(enrg_file_switch(file, 9, "xx", 2, NULL), -EINVAL);
}

static void replaces_whole_files(void **state)
{
	(void)state;
	struct stat status;
	char left[160], long_path[200];

	snprintf(left, sizeof(left), "%s/out/deep/.a.csv.new", folder);
	assert_int_equal(enrg_file_replace(store, file_path, "first", 5, NULL), 0);
	expect_content("first");
	int reader = open(file_path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(path_write_file(left, "left by a kill, long", 20, 0, NULL), 0);
	assert_int_equal(enrg_file_replace(store, file_path, "2nd", 3, NULL), 0);
	expect_content("2nd");
	char bytes[8] = "";
	assert_int_equal(read(reader, bytes, sizeof(bytes)), 5);
	assert_string_equal(bytes, "first");
	close(reader);
	assert_int_equal(stat(left, &status), -1);
	/* A folder is in the way: the error names the path, and no temporary file stays. */
	struct enrg_error err = {0};
	snprintf(long_path, sizeof(long_path), "%s/out/deep", folder);
	assert_true(enrg_file_replace(store, long_path, "x", 1, &err) < 0);
	assert_non_null(strstr(err.text, long_path));
	snprintf(left, sizeof(left), "%s/out/.deep.new", folder);
	assert_int_equal(stat(left, &status), -1);
}

static void errors_name_path_and_cause(void **state)
{
	(void)state;
	struct enrg_file *file;
	struct enrg_error err = {0};
	char path[160];

	snprintf(path, sizeof(path), "%s/journal/a.csv", folder);
	assert_true(enrg_file_open(store, path, &file, &err) < 0);
	assert_non_null(strstr(err.text, "journal"));
	assert_int_equal(enrg_file_open(store, folder, &file, &err), -EISDIR);
	assert_non_null(strstr(err.text, folder));
	assert_int_equal(enrg_file_open(store, "/dev/null", &file, &err), -EINVAL);
	/* Another store that has the file open. */
	struct enrg_store *first = store;
	open_file(file_path);
	snprintf(journal_path, sizeof(journal_path), "%s/journal2", folder);
	open_store();
	assert_int_equal(enrg_file_open(store, file_path, &file, &err), -EBUSY);
	assert_non_null(strstr(err.text, file_path));
	store_destroy_alone(store);
	store = first;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_that_leads_out_of_its_folder_is_refused),
		cmocka_unit_test_setup_teardown(puts_names_together, set_up, tear_down),
		cmocka_unit_test(a_name_that_leads_out_of_its_folder_is_refused),
		cmocka_unit_test_setup_teardown(a_restart_cuts_what_was_not_committed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_from_elsewhere_is_appended_to, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_lost_file_is_reported_and_begun_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rolls_back_open_and_closed_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_write_that_fails_leaves_no_tail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_that_is_replaced_before_it_is_locked_is_opened_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cuts_a_torn_tail_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(switches_bytes_after_the_commit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(replaces_whole_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(errors_name_path_and_cause, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

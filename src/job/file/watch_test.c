/* watch_test.c: files that are taken away under a store. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "fixtures/store_alone.h"
#include "job/file/handle.h"
#include "job/file/watch.h"

static char journal_path[128], file_path[128];
static char told[2000];
static unsigned alerts;

static void hear(void *context, enum enrg_level level, const char *text)
{
	(void)context;
	(void)level;
	alerts++;
	snprintf(told, sizeof(told), "%s", text);
}

static void open_store(void)
{
	struct enrg_error err = {0};

	if (store_create_alone("test", journal_path, &store, &err) != 0)
		fail_msg("%s", err.text);
	store->files.alert = hear;
	alerts = 0;
	told[0] = '\0';
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/watch_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
	snprintf(file_path, sizeof(file_path), "%s/out/a.csv", folder);
	open_store();
	return 0;
}

static struct enrg_file *open_file(void)
{
	struct enrg_file *file = NULL;
	struct enrg_error err = {0};

	if (enrg_file_open(store, file_path, &file, &err) != 0)
		fail_msg("%s", err.text);
	return file;
}

static void write_rows(struct enrg_file *file, const char *text, uint64_t rows)
{
	assert_int_equal(enrg_file_write(file, text, strlen(text), NULL), 0);
	enrg_file_count_rows(file, rows);
}

static void expect_content(const char *path, const char *want)
{
	char *bytes;
	size_t count;

	assert_int_equal(path_read_file(path, 1 << 20, &bytes, &count, NULL), 0);
	assert_int_equal(count, strlen(want));
	assert_string_equal(bytes, want);
	free(bytes);
}

static void expect_loss(uint64_t files, uint64_t bytes, uint64_t rows)
{
	struct journal_loss loss = journal_read_loss(journal_path);

	assert_int_equal(loss.files, files);
	assert_int_equal(loss.bytes, bytes);
	assert_int_equal(loss.rows, rows);
}

/* What a store process does then: back to the last commit, and open again. */
static struct enrg_file *begin_anew(struct enrg_file *file)
{
	enrg_file_close(file);
	assert_int_equal(store_roll_back_alone(store, NULL), 0);
	file = open_file();
	assert_int_equal(enrg_file_size(file), 0);
	assert_false(enrg_file_is_continued(file));
	write_rows(file, "new\n", 1);
	store_commit_alone(store);
	expect_content(file_path, "new\n");
	assert_int_equal(file_watch(&store->files), 0);
	return file;
}

static void what_is_as_it_was_is_not_told(void **state)
{
	struct enrg_file *file = open_file();

	(void)state;
	assert_int_equal(file_watch(&store->files), 0);
	write_rows(file, "one\n", 1);
	assert_int_equal(file_watch(&store->files), 0);
	store_commit_alone(store);
	assert_int_equal(file_watch(&store->files), 0);
	assert_int_equal(alerts, 0);
	expect_loss(0, 0, 0);
	enrg_file_close(file);
}

static void a_removed_file_is_told_counted_and_begun_anew(void **state)
{
	struct enrg_file *file = open_file();

	(void)state;
	write_rows(file, "one\ntwo\n", 2);
	store_commit_alone(store);
	write_rows(file, "not committed\n", 1);
	assert_int_equal(unlink(file_path), 0);
	assert_int_equal(file_watch(&store->files), 1);
	assert_non_null(strstr(told, "was removed"));
	assert_non_null(strstr(told, "8 bytes (2 rows)"));
	/* once */
	assert_int_equal(file_watch(&store->files), 1);
	assert_int_equal(alerts, 1);
	expect_loss(1, 8, 2);
	enrg_file_close(begin_anew(file));
	/* a new run counts from zero */
	journal_clear_loss(journal_path);
	expect_loss(0, 0, 0);
}

static void a_replaced_file_is_gone_on_with(void **state)
{
	struct enrg_file *file = open_file();
	char other[160];
	int descriptor;

	(void)state;
	write_rows(file, "one\n", 1);
	store_commit_alone(store);
	snprintf(other, sizeof(other), "%s.other", file_path);
	descriptor = open(other, O_WRONLY | O_CREAT, 0644);
	assert_int_equal(write(descriptor, "else\n", 5), 5);
	close(descriptor);
	assert_int_equal(rename(other, file_path), 0);
	assert_int_equal(file_watch(&store->files), 1);
	assert_non_null(strstr(told, "was replaced"));
	expect_loss(1, 4, 1);
	enrg_file_close(file);
	assert_int_equal(store_roll_back_alone(store, NULL), 0);
	file = open_file();
	assert_int_equal(enrg_file_size(file), 5);
	expect_content(file_path, "else\n");
	enrg_file_close(file);
}

static void nothing_of_a_moved_file_is_gone(void **state)
{
	struct enrg_file *file = open_file();
	char other[160];

	(void)state;
	write_rows(file, "one\n", 1);
	store_commit_alone(store);
	snprintf(other, sizeof(other), "%s.1", file_path);
	assert_int_equal(rename(file_path, other), 0);
	assert_int_equal(file_watch(&store->files), 1);
	assert_non_null(strstr(told, "was moved away"));
	assert_non_null(strstr(told, other));
	expect_loss(1, 0, 0);
	enrg_file_close(begin_anew(file));
	expect_content(other, "one\n");
}

/* logrotate's copytruncate, and the store writes on before it looks: no hole, and no row of what came since is lost. */
static void a_cut_file_keeps_what_came_since(void **state)
{
	struct enrg_file *file = open_file();
	char pattern[160];
	glob_t found;

	(void)state;
	write_rows(file, "one\ntwo\nthree\n", 3);
	store_commit_alone(store);
	assert_int_equal(truncate(file_path, 0), 0);
	write_rows(file, "four\n", 1);
	store_commit_alone(store);
	expect_content(file_path, "four\n");
	assert_int_equal(file_watch(&store->files), 1);
	assert_non_null(strstr(told, "was cut"));
	expect_loss(1, 14, 3);
	begin_anew(file);
	snprintf(pattern, sizeof(pattern), "%s/out/a_until_*Z.csv", folder);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, 1);
	expect_content(found.gl_pathv[0], "four\n");
	globfree(&found);
}

static void bytes_of_others_are_told(void **state)
{
	struct enrg_file *file = open_file();
	int descriptor;

	(void)state;
	write_rows(file, "one\n", 1);
	store_commit_alone(store);
	descriptor = open(file_path, O_WRONLY | O_APPEND);
	assert_int_equal(write(descriptor, "foreign\n", 8), 8);
	close(descriptor);
	assert_int_equal(file_watch(&store->files), 1);
	assert_non_null(strstr(told, "another program wrote 8 bytes"));
	expect_loss(1, 0, 0);
	enrg_file_close(begin_anew(file));
}

/* Overwriting in a file that was cut would make it look whole. */
static void nothing_is_overwritten_behind_a_cut(void **state)
{
	struct enrg_file *file = open_file();

	(void)state;
	write_rows(file, "0123456789", 1);
	store_commit_alone(store);
	assert_int_equal(truncate(file_path, 4), 0);
	assert_true(enrg_file_write_at(file, 6, "xx", 2, NULL) < 0);
	assert_int_equal(file_watch(&store->files), 1);
	enrg_file_close(file);
}

/* The store was killed before it looked; its next life of the same run does. */
static void what_a_killed_life_lost_is_told_by_the_next(void **state)
{
	struct enrg_file *file = open_file();

	(void)state;
	write_rows(file, "one\n", 1);
	store_commit_alone(store);
	store_destroy_alone(store);
	assert_int_equal(unlink(file_path), 0);
	open_store();
	file_watch_left(&store->files);
	assert_non_null(strstr(told, "was removed"));
	expect_loss(1, 4, 0);
	file = open_file();
	assert_int_equal(alerts, 1);
	assert_false(enrg_file_is_continued(file));
	enrg_file_close(file);
}

/* A full disk, say: the store has closed its files, and somebody makes room. */
static void what_is_removed_while_a_store_waits_is_told(void **state)
{
	struct enrg_file *file = open_file();

	(void)state;
	for (int is_removed = 0; is_removed < 2; is_removed++) {
		write_rows(file, "one\n", 1);
		store_commit_alone(store);
		store->files.is_going_back = true;
		enrg_file_close(file);
		assert_int_equal(store_roll_back_alone(store, NULL), 0);
		store->files.is_going_back = false;
		if (is_removed)
			assert_int_equal(unlink(file_path), 0);
		file = open_file();
		assert_int_equal(file_watch(&store->files), 0);
		assert_int_equal(alerts, is_removed);
	}
	assert_non_null(strstr(told, "a.csv was ")); /* removed, or replaced by the one that is begun */
	expect_loss(1, 8, 1);
	assert_int_equal(file_watch(&store->files), 0);
	file_watch_forget_parted(&store->files);
	assert_int_equal(alerts, 1);
	enrg_file_close(file);
}

static int open_own(const char *text)
{
	int descriptor = open(file_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(descriptor >= 0);
	assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
	return descriptor;
}

/* Files that a store writes by a descriptor of its own. */
static void files_of_a_library_are_watched(void **state)
{
	struct enrg_watch *watch, *part;
	char text[257];

	(void)state;
	assert_int_equal(path_make_parent(file_path, 0755, NULL), 0);
	memset(text, 'x', sizeof(text) - 1);
	text[256] = '\0';
	int descriptor = open_own("");
	const struct enrg_watch_params params = {.path = file_path, .descriptor = descriptor};
	const struct enrg_watch_params of_it = {
		.path = file_path, .descriptor = -1, .kind = ENRG_WATCH_HELPER, .part_of = NULL};
	assert_int_equal(enrg_watch_open(store, &params, &watch, NULL), 0);
	assert_int_equal(write(descriptor, text, 256), 256);
	enrg_watch_count_rows(watch, 16);
	assert_int_equal(file_watch(&store->files), 0);
	/* cut, and as long as before at the next look: zeros stand where there were none */
	assert_int_equal(ftruncate(descriptor, 0), 0);
	assert_int_equal(pwrite(descriptor, "y", 1, 255), 1);
	assert_int_equal(file_watch(&store->files), 1);
	assert_non_null(strstr(told, "was cut"));
	expect_loss(1, 256, 16);
	enrg_watch_close(watch);
	assert_int_equal(store_roll_back_alone(store, NULL), 0);
	close(descriptor);

	close(open_own("helper"));
	assert_int_equal(enrg_watch_open(store, &of_it, &part, NULL), 0);
	close(open_own(""));
	assert_int_equal(file_watch(&store->files), 0);
	assert_int_equal(unlink(file_path), 0);
	assert_int_equal(file_watch(&store->files), 1);
	assert_non_null(strstr(told, "no row was in it"));
	expect_loss(2, 256, 16);
	enrg_watch_close(part);
}

static void a_log_that_grows_is_told_once(void **state)
{
	struct enrg_watch *watch;

	(void)state;
	assert_int_equal(path_make_parent(file_path, 0755, NULL), 0);
	int descriptor = open_own("small");
	const struct enrg_watch_params params = {.path = file_path,
		.descriptor = -1,
		.kind = ENRG_WATCH_LOG,
		.large_bytes = 1000,
		.large_text = "end the reader"};
	assert_int_equal(enrg_watch_open(store, &params, &watch, NULL), 0);
	assert_int_equal(file_watch(&store->files), 0);
	assert_int_equal(alerts, 0);
	assert_int_equal(ftruncate(descriptor, 2000000), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(file_watch(&store->files), 0);
	assert_int_equal(alerts, 1);
	assert_non_null(strstr(told, "has 2.0 MB: end the reader"));
	enrg_watch_allow_shorter(watch, 1);
	assert_int_equal(ftruncate(descriptor, 10), 0);
	assert_int_equal(file_watch(&store->files), 0);
	assert_non_null(strstr(told, "small again"));
	expect_loss(0, 0, 0);
	enrg_watch_close(watch);
	close(descriptor);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_as_it_was_is_not_told),
		TEST(a_removed_file_is_told_counted_and_begun_anew),
		TEST(a_replaced_file_is_gone_on_with),
		TEST(nothing_of_a_moved_file_is_gone),
		TEST(a_cut_file_keeps_what_came_since),
		TEST(bytes_of_others_are_told),
		TEST(nothing_is_overwritten_behind_a_cut),
		TEST(what_a_killed_life_lost_is_told_by_the_next),
		TEST(what_is_removed_while_a_store_waits_is_told),
		TEST(files_of_a_library_are_watched),
		TEST(a_log_that_grows_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* leftover_test.c: files that a killed life wrote into, and that its successors never open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handover/leftover.h"
#include "job/file/handle.h"

#define FILES 200u

static char folder[64], journal[96];

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/dev/shm/leftover_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(journal, sizeof(journal), "%s/store.journal", folder);
	return 0;
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static struct enrg_store *create(void)
{
	struct enrg_error err = {0};
	struct enrg_store *store = NULL;

	if (store_create_alone("csv", journal, &store, &err) < 0)
		fail_msg("%s", err.text);
	leftover_cut(store->journal);
	return store;
}

static struct enrg_file *open_file(struct enrg_store *store, const char *name)
{
	struct enrg_error err = {0};
	struct enrg_file *file = NULL;
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (enrg_file_open(store, path, &file, &err) < 0)
		fail_msg("%s", err.text);
	return file;
}

static void expect(const char *name, const char *text)
{
	char path[160], found[64] = "";

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(descriptor >= 0);
	assert_true(read(descriptor, found, sizeof(found) - 1) >= 0);
	close(descriptor);
	assert_string_equal(found, text);
}

/* Committed "one", then killed with more in the file. */
static void leave_behind(const char *name)
{
	struct enrg_store *store = create();
	struct enrg_file *file = open_file(store, name);

	assert_int_equal(enrg_file_write(file, "one\n", 4, NULL), 0);
	store_commit_alone(store);
	assert_int_equal(enrg_file_write(file, "two\nthr", 7, NULL), 0);
	store_destroy_alone(store);
	expect(name, "one\ntwo\nthr");
}

/* What follows goes into another file: of another day, or because file_path was changed. */
static void a_file_that_is_not_opened_again_is_cut(void **state)
{
	(void)state;
	leave_behind("monday.csv");
	struct enrg_store *store = create();
	struct enrg_file *file = open_file(store, "tuesday.csv");
	assert_int_equal(enrg_file_write(file, "two\n", 4, NULL), 0);
	store_commit_alone(store);
	enrg_file_close(file);
	store_destroy_alone(store);
	expect("monday.csv", "one\n");
	expect("tuesday.csv", "two\n");
}

/* Once cut, the file is its owner's: what somebody adds later stays. */
static void a_file_is_cut_once(void **state)
{
	char path[160];

	(void)state;
	leave_behind("monday.csv");
	store_destroy_alone(create());
	expect("monday.csv", "one\n");
	snprintf(path, sizeof(path), "%s/monday.csv", folder);
	int descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(descriptor, "by hand\n", 8), 8);
	close(descriptor);
	store_destroy_alone(create());
	expect("monday.csv", "one\nby hand\n");
}

static void what_is_in_use_or_gone_is_left(void **state)
{
	char path[160], away[160];
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	(void)state;
	leave_behind("monday.csv");
	snprintf(path, sizeof(path), "%s/monday.csv", folder);
	snprintf(away, sizeof(away), "%s/away.csv", folder);
	int descriptor = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(fcntl(descriptor, F_OFD_SETLK, &lock), 0);
	store_destroy_alone(create());
	expect("monday.csv", "one\ntwo\nthr");
	close(descriptor);
	/* A disk that is not mounted yet. */
	assert_int_equal(rename(path, away), 0);
	store_destroy_alone(create());
	assert_true(leftover_remains(journal));
	assert_int_equal(rename(away, path), 0);
	store_destroy_alone(create());
	expect("monday.csv", "one\n");
	assert_false(leftover_remains(journal));
}

/* A store of many tables with a file a day, killed once a day, works on after a week. */
static void kills_do_not_fill_the_journal(void **state)
{
	char name[100];

	(void)state;
	for (int gone = 0; gone < 2; gone++) {
		for (uint32_t day = 0; day < 7; day++) {
			struct enrg_store *store = create();
			for (uint32_t i = 0; i < FILES; i++) {
				snprintf(name, sizeof(name), "%d/%u_%u.csv", gone, day, i);
				assert_int_equal(enrg_file_write(open_file(store, name), "1\n", 2, NULL), 0);
			}
			store_commit_alone(store);
			store_destroy_alone(store);
			snprintf(name, sizeof(name), "rm -r %s/%d", folder, gone);
			if (gone)
				assert_int_equal(system(name), 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_that_is_not_opened_again_is_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_is_cut_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_in_use_or_gone_is_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kills_do_not_fill_the_journal, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("job.file.leftover", tests, NULL, NULL);
}

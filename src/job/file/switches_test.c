/* switches_test.c: what follows a commit is done, whoever is killed in between and whatever is opened next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/path.h"
#include "handover/leftover.h"
#include "job/file/handle.h"

static char folder[64], journal[96], note[112];
static struct enrg_store *store;

static void open_store(void)
{
	struct enrg_error err = {0};

	if (store_create_alone("test", journal, &store, &err) < 0)
		fail_msg("%s", err.text);
	leftover_cut(store->journal);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/dev/shm/switches_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(journal, sizeof(journal), "%s/store.journal", folder);
	snprintf(note, sizeof(note), "%s.switches", journal);
	open_store();
	return 0;
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	store_destroy_alone(store);
	store = NULL;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static struct enrg_file *open_file(const char *name)
{
	struct enrg_error err = {0};
	struct enrg_file *file = NULL;
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (enrg_file_open(store, path, &file, &err) < 0)
		fail_msg("%s", err.text);
	return file;
}

static void expect(const char *name, const char *want)
{
	char path[160], *bytes;
	size_t count;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(path_read_file(path, 1 << 20, &bytes, &count, NULL), 0);
	assert_string_equal(bytes, want);
	free(bytes);
}

static struct enrg_file *begin(const char *name)
{
	struct enrg_file *file = open_file(name);

	assert_int_equal(enrg_file_write(file, "0:old", 5, NULL), 0);
	store_commit_alone(store);
	assert_int_equal(enrg_file_write(file, "new", 3, NULL), 0);
	assert_int_equal(enrg_file_switch(file, 0, "1", 1, NULL), 0);
	return file;
}

/* The journal's commit is made; what would follow it is not. */
static void kill_after_the_commit(void)
{
	assert_int_equal(file_set_prepare(&store->files, NULL), 0);
	journal_commit(store->journal);
	store_destroy_alone(store);
	open_store();
}

static void a_kill_after_the_commit_is_made_up_for(void **state)
{
	(void)state;
	begin("monday.x");
	begin("monday_too.x");
	kill_after_the_commit();
	/* Before anything is opened; the next file may have another name. */
	expect("monday.x", "1:oldnew");
	expect("monday_too.x", "1:oldnew");
	struct enrg_file *file = open_file("tuesday.x");
	assert_int_equal(enrg_file_write(file, "2", 1, NULL), 0);
	store_commit_alone(store);
	expect("monday.x", "1:oldnew");
}

static void a_kill_before_the_commit_is_not(void **state)
{
	(void)state;
	begin("monday.x");
	assert_int_equal(file_set_prepare(&store->files, NULL), 0);
	store_destroy_alone(store);
	open_store();
	expect("monday.x", "0:old");
	/* The next commit has the number that the note was written for. */
	assert_int_equal(enrg_file_write(open_file("monday.x"), "!", 1, NULL), 0);
	kill_after_the_commit();
	expect("monday.x", "0:old!");
}

/* A disk that is not mounted at the start, and not at the next either. */
static void a_file_that_is_away_is_switched_when_it_is_back(void **state)
{
	char path[96], away[96];

	(void)state;
	snprintf(path, sizeof(path), "%s/monday.x", folder);
	snprintf(away, sizeof(away), "%s/away.x", folder);
	begin("monday.x");
	assert_int_equal(file_set_prepare(&store->files, NULL), 0);
	journal_commit(store->journal);
	store_destroy_alone(store);
	assert_int_equal(rename(path, away), 0);
	for (int i = 0; i < 2; i++) {
		open_store();
		assert_int_equal(enrg_file_write(open_file("tuesday.x"), "2", 1, NULL), 0);
		store_commit_alone(store);
		store_destroy_alone(store);
	}
	open_store();
	assert_int_equal(rename(away, path), 0);
	open_file("monday.x");
	expect("monday.x", "1:oldnew");
	store_destroy_alone(store);
	open_store();
	expect("monday.x", "1:oldnew");
	expect("tuesday.x", "22");
}

static void a_torn_note_counts_for_nothing(void **state)
{
	struct switches switches;

	(void)state;
	begin("monday.x");
	assert_int_equal(file_set_prepare(&store->files, NULL), 0);
	journal_commit(store->journal);
	for (int cut = 550; cut >= 0; cut -= 50) {
		assert_int_equal(truncate(note, cut), 0);
		assert_int_equal(switches_read(store->journal, &switches, NULL), 0);
		assert_int_equal(switches.count, 0);
		switches_fini(&switches);
		assert_int_equal(access(note, F_OK), -1);
		close(open(note, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	}
}

/* A disk that refuses the write, then a failure of the store: the commit before it was made. */
static void a_rollback_keeps_the_switch_that_is_due(void **state)
{
	struct rlimit before, limit;
	struct enrg_file *file = open_file("monday.x");
	static char filling[8000];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	memset(filling, '.', sizeof(filling) - 1);
	assert_int_equal(enrg_file_write(file, filling, sizeof(filling) - 1, NULL), 0);
	assert_int_equal(enrg_file_switch(file, 7000, "1", 1, NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){6000, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	store_commit_alone(store);
	assert_true(store_roll_back_alone(store, NULL) < 0);
	assert_true(enrg_file_switch(file, 7001, "2", 1, NULL) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(store_roll_back_alone(store, NULL), 0);
	filling[7000] = '1';
	expect("monday.x", filling);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_kill_after_the_commit_is_made_up_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_kill_before_the_commit_is_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_is_away_is_switched_when_it_is_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_torn_note_counts_for_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_rollback_keeps_the_switch_that_is_due, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("job.file.switches", tests, NULL, NULL);
}

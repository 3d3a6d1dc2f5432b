/* root_rotation_test.c: which files the ROOT store makes when it rotates: the module as the framework drives it
 * (tests/conformance/harness.c). In the test process.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fnmatch.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "data.h"
#include "harness.h"

#define BATCH_ROWS 2000u

static char folder[64], out_dir[80], journal_path[80];
static const struct harness_table table = {.source = "source", .tag = "", .schema = &data_narrow};

static int remove_entry(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)status, (void)flag, (void)walk;
	return remove(path);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/root_rotation.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(out_dir, sizeof(out_dir), "%s/out", folder);
	snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static struct harness *open_life(const char *keys)
{
	struct store_kind kind = {.name = "root",
		.module = "root",
		.type = "DAQJobStoreROOT",
		.store_keys = keys,
		.section_keys = "file_path = \"t.root\"\ncompression_level = 0",
		.has_out_dir = true};
	static struct store_kind kept;
	struct harness *life;
	struct enrg_error err = {0};

	kept = kind;
	if (harness_open(&kept, journal_path, out_dir, &life, &err) < 0)
		fail_msg("%s", err.text);
	return life;
}

static void write_batches(struct harness *life, uint64_t *rows, unsigned count)
{
	struct enrg_error err = {0};

	for (unsigned i = 0; i < count; i++, *rows += BATCH_ROWS)
		if (harness_write(life, &table, *rows, BATCH_ROWS, 0, &err) < 0)
			fail_msg("%s", err.text);
}

static bool is_part_name(const char *name)
{
	static const char stamp[] = "t_[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]Z";
	char pattern[200];

	snprintf(pattern, sizeof(pattern), "%s.root", stamp);
	if (fnmatch(pattern, name, 0) == 0)
		return true;
	snprintf(pattern, sizeof(pattern), "%s_[0-9][0-9][0-9].root", stamp);
	return fnmatch(pattern, name, 0) == 0;
}

/* Files in out_dir, all of them with bytes and named as parts. */
static unsigned count_parts(void)
{
	DIR *directory = opendir(out_dir);
	const struct dirent *entry;
	unsigned count = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		struct stat status;
		char path[400];
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", out_dir, entry->d_name);
		if (!is_part_name(entry->d_name) || stat(path, &status) < 0 || status.st_size == 0)
			fail_msg("%s is no part", entry->d_name);
		count++;
	}
	closedir(directory);
	return count;
}

/* --- cases -------------------------------------------------------------------------------------------------------- */

static void each_life_begins_a_part(void **state)
{
	uint64_t rows = 0;

	(void)state;
	for (unsigned life = 1; life <= 3; life++) {
		struct harness *harness = open_life("rotate_mb = 1000");
		write_batches(harness, &rows, 2);
		assert_int_equal(harness_commit(harness, rows, NULL), 0);
		if (life == 2)
			harness_kill(harness);
		else
			assert_int_equal(harness_close(harness, NULL), 0);
		assert_int_equal(count_parts(), life);
	}
}

/* What is not committed, and what is under way, belongs to the part that was left. */
static void a_part_is_left_in_the_middle_of_a_commit(void **state)
{
	struct harness *harness = open_life("rotate_mb = 0.2\nbuffer_size_bytes = 50000");
	uint64_t rows = 0;

	(void)state;
	write_batches(harness, &rows, 100);
	unsigned parts = count_parts();
	assert_true(parts > 3);
	assert_int_equal(harness_commit(harness, rows, NULL), 0);
	assert_int_equal(harness_close(harness, NULL), 0);
	assert_int_equal(count_parts(), parts);
}

/* A store that rolls back again and again, as on a full disk, leaves no trail of files. */
static void a_roll_back_takes_the_empty_part_again(void **state)
{
	struct harness *harness = open_life("rotate_mb = 1000");
	struct enrg_error err = {0};
	uint64_t rows = 0;

	(void)state;
	write_batches(harness, &rows, 2);
	assert_int_equal(harness_commit(harness, rows, NULL), 0);
	for (unsigned i = 0; i < 5; i++) {
		uint64_t lost = rows;
		write_batches(harness, &lost, 1);
		if (harness_roll_back(harness, &err) < 0)
			fail_msg("%s", err.text);
	}
	write_batches(harness, &rows, 1);
	assert_int_equal(harness_commit(harness, rows, NULL), 0);
	assert_int_equal(harness_close(harness, NULL), 0);
	assert_int_equal(count_parts(), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_life_begins_a_part, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_part_is_left_in_the_middle_of_a_commit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_roll_back_takes_the_empty_part_again, set_up, tear_down),
	};

	log_init("root", ENRG_ERROR);
	return cmocka_run_group_tests_name("plugin.root_rotation", tests, NULL, NULL);
}

/* hdf5_full_test.c: a disk that is full for a while, from each single write on: the store gives the file back, opens it
 * again, goes on, and ends in order. In children of the test process, because libhdf5 has its last word at exit.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "container.h"
#include "driver.h"
#include "job/file/handle.h"

#define BATCH_ROWS       10000u /* of a column: more than what goes straight to libhdf5 */
#define BATCHES_A_COMMIT 3u
#define COMMITS          6u
#define ATTEMPTS_MAX     64u

static char folder[64], journal_path[96], path[96], undo_path[96], counter_path[96];
static int deflate_level;

/* --- a disk that is full for some writes -------------------- */

static uint64_t writes, first_failure = UINT64_MAX, failure_count;

ssize_t __real_pwrite(int descriptor, const void *bytes, size_t count, off_t at);
ssize_t __wrap_pwrite(int descriptor, const void *bytes, size_t count, off_t at);

static bool is_same(int descriptor, const char *name)
{
	struct stat opened, named;

	return fstat(descriptor, &opened) == 0 && stat(name, &named) == 0 && opened.st_ino == named.st_ino &&
	       opened.st_dev == named.st_dev;
}

ssize_t __wrap_pwrite(int descriptor, const void *bytes, size_t count, off_t at)
{
	uint64_t number;

	if (!is_same(descriptor, path) && !is_same(descriptor, undo_path))
		return __real_pwrite(descriptor, bytes, count, at);
	number = writes++;
	if (number < first_failure || number - first_failure >= failure_count)
		return __real_pwrite(descriptor, bytes, count, at);
	errno = ENOSPC;
	return -1;
}

/* --- a store -------------------- */

static const struct enrg_column columns[] = {
	{.name = "n", .type = ENRG_I64},
	{.name = "real", .type = ENRG_F64},
};
static const struct enrg_schema schema = {.column_count = 2, .columns = columns};

struct life {
	struct enrg_store *store;
	struct container *container;
	struct hdf5_table *table;
	hid_t driver;
	uint32_t stream;
	uint64_t rows;
};

static int open_file(struct life *life, struct enrg_error *err)
{
	struct hdf5_table *table = NULL;
	int rc;

	life->driver = driver_register();
	life->container = NULL;
	rc = container_open(life->store, life->driver, path, NULL, &life->container, err);
	if (rc == 0)
		rc = hdf5_table_create("data", &schema, deflate_level, &table, err);
	if (rc == 0)
		rc = container_add_table(life->container, table, &life->table, err);
	life->rows = journal_stream(life->store->journal, life->stream).position;
	if (rc == 0 && life->table->rows != life->rows)
		rc = enrg_error_set(err, ENRG_E_CONFIG, "%llu rows in the file, %llu committed",
			(unsigned long long)life->table->rows, (unsigned long long)life->rows);
	return rc;
}

/* What the framework does where something failed. */
static int give_back(struct life *life, struct enrg_error *err)
{
	container_close(life->container, false);
	life->container = NULL;
	H5FDunregister(life->driver);
	return store_roll_back_alone(life->store, err);
}

static int write_batch(struct life *life, struct enrg_error *err)
{
	static int64_t n[BATCH_ROWS];
	static double real[BATCH_ROWS];
	const struct enrg_column_view views[] = {{.values = n}, {.values = real}};
	const struct enrg_batch batch = {
		.schema = &schema, .rows = BATCH_ROWS, .columns = views, .body_bytes = sizeof(n) + sizeof(real)};

	for (uint64_t i = 0; i < BATCH_ROWS; i++) {
		n[i] = (int64_t)(life->rows + i);
		real[i] = (double)(life->rows + i) / 3;
	}
	life->rows += BATCH_ROWS;
	return container_write(life->container, life->table, &batch, err);
}

static int write_commit(struct life *life, struct enrg_error *err)
{
	struct journal_stream_state state = {.sequence = 1};
	int rc = 0;

	for (unsigned i = 0; i < BATCHES_A_COMMIT && rc == 0; i++)
		rc = write_batch(life, err);
	if (rc == 0)
		rc = container_commit(life->container, err);
	if (rc < 0)
		return rc;
	state.position = life->rows;
	journal_set_stream(life->store->journal, life->stream, &state);
	store_commit_alone(life->store);
	return 0;
}

/* 0: all commits are made; 1: a write that was to fail never came; else something is wrong. */
static int run_life(void)
{
	static const uint8_t uuid[16] = "hdf5 full test";
	struct life life = {0};
	struct enrg_error err = {0};
	unsigned commits = 0, attempts = 0;
	bool is_open = false;

	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
	if (store_create_alone("hdf5", journal_path, &life.store, &err) < 0 ||
		journal_add_stream(life.store->journal, uuid, "source", &life.stream, &err) < 0)
		return 2;
	while (commits < COMMITS && attempts++ < ATTEMPTS_MAX) {
		int rc = is_open ? 0 : open_file(&life, &err);

		is_open = rc == 0;
		if (rc == 0)
			rc = write_commit(&life, &err);
		commits += rc == 0;
		if (rc == 0)
			continue;
		is_open = false;
		if (rc != -ENOSPC || give_back(&life, &err) < 0)
			break;
		if (H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) > 0)
			break; /* a closed file must not live on in libhdf5: each attempt would take more memory */
	}
	if (commits < COMMITS) {
		fprintf(stderr, "write %llu: attempt %u: %s; %d objects open\n", (unsigned long long)first_failure,
			attempts, err.text, (int)H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL));
		return 3;
	}
	container_close(life.container, true);
	H5FDunregister(life.driver);
	store_destroy_alone(life.store);
	return writes <= first_failure;
}

/* --- cases -------------------- */

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/enrg-hdf5-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
	snprintf(path, sizeof(path), "%s/t.h5", folder);
	snprintf(undo_path, sizeof(undo_path), "%s/.t.h5.undo", folder);
	snprintf(counter_path, sizeof(counter_path), "%s/.t.h5.commits", folder);
	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
	return 0;
}

static void remove_files(void)
{
	unlink(journal_path);
	unlink(path);
	unlink(undo_path);
	unlink(counter_path);
}

static int tear_down(void **state)
{
	(void)state;
	remove_files();
	return rmdir(folder);
}

static void check_rows(void)
{
	static int64_t n[BATCH_ROWS * BATCHES_A_COMMIT * COMMITS];
	hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), dataset, space;

	assert_true(file >= 0);
	dataset = H5Dopen2(file, "data/n", H5P_DEFAULT);
	assert_true(dataset >= 0);
	space = H5Dget_space(dataset);
	assert_int_equal(H5Sget_simple_extent_npoints(space), sizeof(n) / sizeof(n[0]));
	assert_true(H5Dread(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, n) >= 0);
	for (size_t i = 0; i < sizeof(n) / sizeof(n[0]); i++)
		if (n[i] != (int64_t)i)
			fail_msg("row %zu is %lld", i, (long long)n[i]);
	H5Sclose(space);
	H5Dclose(dataset);
	H5Fclose(file);
}

/* Full from each of the writes on, for `count` writes. */
static void fill_at_each_write(uint64_t count)
{
	for (uint64_t first = 0;; first++) {
		int status;
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0) {
			first_failure = first;
			failure_count = count;
			signal(SIGSEGV, SIG_DFL); /* not cmocka's */
			exit(run_life());
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
			fail_msg("full from write %llu on: %s %d", (unsigned long long)first,
				WIFEXITED(status) ? "exit code" : "signal",
				WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
		check_rows();
		remove_files();
		if (WEXITSTATUS(status) == 1) {
			print_message("%llu writes\n", (unsigned long long)first);
			assert_true(first > COMMITS);
			return;
		}
	}
}

static void full_for_a_write(void **state)
{
	(void)state;
	deflate_level = 0;
	fill_at_each_write(1);
}

static void full_for_a_while(void **state)
{
	(void)state;
	deflate_level = 0;
	fill_at_each_write(12);
}

static void full_for_a_while_with_deflate(void **state)
{
	(void)state;
	deflate_level = 1;
	fill_at_each_write(5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(full_for_a_write, set_up, tear_down),
		cmocka_unit_test_setup_teardown(full_for_a_while, set_up, tear_down),
		cmocka_unit_test_setup_teardown(full_for_a_while_with_deflate, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("plugin.hdf5_full", tests, NULL, NULL);
}

/* hdf5_kill_test.c: kills the writer of an HDF5 file, at random and at every single write, and reads the file with
 * libhdf5's own driver, before and after the next life. In the test process and in children that die.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "container.h"
#include "driver.h"
#include "job/file/handle.h"

#ifndef LIVES
#define LIVES 200u
#endif
#define BATCH_ROWS_MAX 100u
#define SWEEP_COMMITS  3u

/* What children tell the parent. */
struct shared {
	_Atomic uint64_t committed_rows; /* after the framework's commit */
	_Atomic uint64_t written_rows;   /* after ours: may be ahead by one commit */
};

static char folder[64], journal_path[96], path[96], undo_path[96], counter_path[96];
static struct shared *shared;
static int deflate_level;

/* --- dying at the n-th write -------------------- */

static uint64_t writes_left = UINT64_MAX;

ssize_t __real_pwrite(int descriptor, const void *bytes, size_t count, off_t at);
ssize_t __wrap_pwrite(int descriptor, const void *bytes, size_t count, off_t at);
int __real_ftruncate(int descriptor, off_t count);
int __wrap_ftruncate(int descriptor, off_t count);

ssize_t __wrap_pwrite(int descriptor, const void *bytes, size_t count, off_t at)
{
	if (writes_left-- == 0) {
		__real_pwrite(descriptor, bytes, count / 2, at);
		raise(SIGKILL);
	}
	return __real_pwrite(descriptor, bytes, count, at);
}

int __wrap_ftruncate(int descriptor, off_t count)
{
	if (writes_left-- == 0)
		raise(SIGKILL);
	return __real_ftruncate(descriptor, count);
}

/* --- a life -------------------- */

static const struct enrg_column columns[] = {
	{.name = "n", .type = ENRG_I64},
	{.name = "real", .type = ENRG_F64},
	{.name = "wave", .type = ENRG_LIST, .item = ENRG_I16},
};
static const struct enrg_schema schema = {.column_count = 3, .columns = columns};

struct life {
	struct enrg_store *store;
	struct container *container;
	struct hdf5_table *table;
	hid_t driver;
	uint32_t stream;
	uint64_t rows;
};

static bool start_life(struct life *life)
{
	static const uint8_t uuid[16] = "hdf5 kill test";
	struct enrg_error err = {0};
	struct hdf5_table *table = NULL;

	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
	life->driver = driver_register();
	if (store_create_alone("hdf5", journal_path, &life->store, &err) < 0 ||
		journal_add_stream(life->store->journal, uuid, "source", &life->stream, &err) < 0 ||
		container_open(life->store, life->driver, path, NULL, &life->container, &err) != 0 ||
		hdf5_table_create("data", &schema, deflate_level, &table, &err) < 0 ||
		container_add_table(life->container, table, &life->table, &err) != 0) {
		fprintf(stderr, "life: %s\n", err.text);
		return false;
	}
	life->rows = journal_stream(life->store->journal, life->stream).position;
	if (life->table->rows != life->rows)
		fprintf(stderr, "life: %llu rows in the file, %llu committed\n", (unsigned long long)life->table->rows,
			(unsigned long long)life->rows);
	return life->table->rows == life->rows;
}

static uint64_t wave_items(uint64_t row)
{
	return row % 7;
}

static bool write_rows(struct life *life, uint64_t count)
{
	static int64_t n[BATCH_ROWS_MAX];
	static double real[BATCH_ROWS_MAX];
	static int16_t wave[BATCH_ROWS_MAX * 8];
	static int32_t offsets[BATCH_ROWS_MAX + 1];
	const struct enrg_column_view views[] = {
		{.values = n},
		{.values = real},
		{.values = wave, .offsets = offsets},
	};
	const struct enrg_batch batch = {.schema = &schema, .rows = count, .columns = views, .body_bytes = count * 30};
	struct enrg_error err = {0};

	for (uint64_t i = 0; i < count; i++) {
		uint64_t row = life->rows + i;

		n[i] = (int64_t)row;
		real[i] = (double)row / 3;
		offsets[i + 1] = offsets[i] + (int32_t)wave_items(row);
		for (uint64_t k = 0; k < wave_items(row); k++)
			wave[(uint64_t)offsets[i] + k] = (int16_t)(row + k);
	}
	life->rows += count;
	return container_write(life->container, life->table, &batch, &err) == 0;
}

static bool commit(struct life *life)
{
	struct journal_stream_state state = {.position = life->rows, .sequence = 1};
	struct enrg_error err = {0};

	if (container_commit(life->container, &err) < 0) {
		fprintf(stderr, "life: %s\n", err.text);
		return false;
	}
	atomic_store_explicit(&shared->written_rows, life->rows, memory_order_release);
	journal_set_stream(life->store->journal, life->stream, &state);
	store_commit_alone(life->store);
	atomic_store_explicit(&shared->committed_rows, life->rows, memory_order_release);
	return true;
}

static void end_life(struct life *life)
{
	container_close(life->container, true);
	H5FDunregister(life->driver);
	store_destroy_alone(life->store);
}

/* In a child: commits until it is killed, or `commits` times. Exit code 0: it came to its end. */
static pid_t start_child(unsigned seed, uint64_t commits, uint64_t writes)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child > 0)
		return child;
	struct life life = {0};

	writes_left = writes;
	if (!start_life(&life))
		_exit(2);
	for (uint64_t i = 0; i < commits; i++) {
		uint64_t batches = 1 + (uint64_t)rand_r(&seed) % 3;

		for (uint64_t k = 0; k < batches; k++)
			if (!write_rows(&life, 1 + (uint64_t)rand_r(&seed) % BATCH_ROWS_MAX))
				_exit(3);
		if (!commit(&life))
			_exit(4);
	}
	end_life(&life);
	_exit(0);
}

/* true: it ended by itself. */
static bool wait_child(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		return false;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return true;
}

/* --- reading -------------------- */

static void *read_all(hid_t file, const char *name, hid_t type, size_t value_bytes, uint64_t *ret_count)
{
	hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT), space;
	void *values;
	hssize_t count;

	if (dataset < 0)
		return NULL;
	space = H5Dget_space(dataset);
	count = H5Sget_simple_extent_npoints(space);
	values = calloc((size_t)count + 1, value_bytes);
	if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
		free(values);
		values = NULL;
	}
	*ret_count = (uint64_t)count;
	H5Sclose(space);
	H5Dclose(dataset);
	return values;
}

/* The rows in the file; -1: it can't be read. Each value must be right. */
static int64_t read_rows(void)
{
	hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
	uint64_t counts[4] = {0}, end = 0;
	int64_t *n = NULL;
	double *real = NULL;
	int16_t *wave = NULL;
	uint64_t *offsets = NULL;
	bool is_good;

	if (file < 0)
		return -1;
	n = read_all(file, "data/n", H5T_NATIVE_INT64, 8, &counts[0]);
	real = read_all(file, "data/real", H5T_NATIVE_DOUBLE, 8, &counts[1]);
	offsets = read_all(file, "data/wave/offsets", H5T_NATIVE_UINT64, 8, &counts[2]);
	wave = read_all(file, "data/wave/values", H5T_NATIVE_INT16, 2, &counts[3]);
	is_good = n && real && offsets && wave && counts[1] == counts[0] && counts[2] == counts[0];
	for (uint64_t row = 0; is_good && row < counts[0]; row++) {
		is_good = n[row] == (int64_t)row && real[row] == (double)row / 3 &&
			  offsets[row] == end + wave_items(row) && offsets[row] <= counts[3];
		for (uint64_t k = 0; is_good && k < wave_items(row); k++)
			is_good = wave[end + k] == (int16_t)(row + k);
		end += wave_items(row);
	}
	is_good = is_good && end == counts[3];
	free(n);
	free(real);
	free(offsets);
	free(wave);
	H5Fclose(file);
	return is_good ? (int64_t)counts[0] : -1;
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
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
	return shared == MAP_FAILED ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	munmap(shared, sizeof(*shared));
	unlink(journal_path);
	unlink(path);
	unlink(undo_path);
	unlink(counter_path);
	return rmdir(folder);
}

/* After a kill, before anything repairs: what was committed is there, unless the kill met the moment of a commit in
 * which the pages go to the file. Returns whether it could be read. */
static bool check_after_kill(void)
{
	int64_t rows = read_rows();

	if (rows < 0)
		return false;
	assert_true((uint64_t)rows >= atomic_load_explicit(&shared->committed_rows, memory_order_acquire));
	return true;
}

/* The next life finds exactly what the framework has committed (start_life checks it), and ends in order. */
static void check_next_life(unsigned seed)
{
	assert_true(wait_child(start_child(seed, 1, UINT64_MAX)));
	assert_int_equal(read_rows(), atomic_load_explicit(&shared->committed_rows, memory_order_acquire));
	assert_int_equal(access(undo_path, F_OK), -1);
	assert_int_equal(access(counter_path, F_OK), -1);
}

static void kill_at_random(void)
{
	unsigned kills = 0, torn = 0;

	srand((unsigned)time(NULL));
	for (unsigned i = 0; i < LIVES; i++) {
		const struct timespec pause = {.tv_nsec = 1000000 + rand() % 15000000};
		pid_t child = start_child((unsigned)rand(), UINT64_MAX, UINT64_MAX);

		nanosleep(&pause, NULL); /* the moment of death, any one will do */
		kill(child, SIGKILL);
		if (wait_child(child))
			continue;
		kills++;
		if (atomic_load_explicit(&shared->committed_rows, memory_order_acquire) > 0)
			torn += !check_after_kill();
	}
	print_message("%u kills, %llu rows, %u times the file was between two commits\n", kills,
		(unsigned long long)atomic_load(&shared->committed_rows), torn);
	assert_int_equal(kills, LIVES);
	check_next_life(1);
}

static void random_kills(void **state)
{
	(void)state;
	deflate_level = 0;
	kill_at_random();
}

static void random_kills_with_deflate(void **state)
{
	(void)state;
	deflate_level = 1;
	kill_at_random();
}

/* A kill in the middle of each write and each cut that three commits make. */
static void kill_at_each_write(int level)
{
	unsigned torn = 0;

	deflate_level = level;
	for (uint64_t writes = 0;; writes++) {
		bool is_over;

		unlink(path);
		unlink(undo_path);
		unlink(counter_path);
		unlink(journal_path);
		atomic_store(&shared->committed_rows, 0);
		is_over = wait_child(start_child(7, SWEEP_COMMITS, writes));
		if (atomic_load(&shared->committed_rows) > 0)
			torn += !check_after_kill();
		/* Killed once more, while it puts the file back. */
		if (!is_over && writes % 2 == 0)
			wait_child(start_child(8, 1, 1 + writes % 5));
		check_next_life(9);
		if (is_over) {
			print_message("%llu places, at %u of them the file was between two commits\n",
				(unsigned long long)writes, torn);
			assert_true(writes > 20);
			return;
		}
	}
}

static void kills_at_each_write(void **state)
{
	(void)state;
	kill_at_each_write(0);
}

static void kills_at_each_write_with_deflate(void **state)
{
	(void)state;
	kill_at_each_write(6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(random_kills, set_up, tear_down),
		cmocka_unit_test_setup_teardown(random_kills_with_deflate, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kills_at_each_write, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kills_at_each_write_with_deflate, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("plugin.hdf5_kill", tests, NULL, NULL);
}

/* hdf5_container_test.c: what gets into HDF5 files, and which files are left alone. In the test process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/path.h"
#include "container.h"
#include "driver.h"
#include "handover/leftover.h"
#include "job/file/handle.h"
#include "recovery.h"
#include "shadow.h"

static char folder[64], journal_path[96], path[96];
static struct enrg_store *store;
static hid_t driver;

static const struct enrg_column one_column[] = {{"n", ENRG_I32, 0, NULL}};
static const struct enrg_column other_column[] = {{"n", ENRG_F64, 0, NULL}};
static const struct enrg_column flag_column[] = {{"n", ENRG_BOOL, 0, NULL}};
static const struct enrg_column byte_column[] = {{"n", ENRG_U8, 0, NULL}};
static const struct enrg_schema one = {.column_count = 1, .columns = one_column};
static const struct enrg_schema other = {.column_count = 1, .columns = other_column};
static const struct enrg_schema flag = {.column_count = 1, .columns = flag_column};
static const struct enrg_schema byte = {.column_count = 1, .columns = byte_column};

/* --- helpers -------------------- */

static void open_store(void)
{
	struct enrg_error err;

	assert_int_equal(store_create_alone("hdf5", journal_path, &store, &err), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/enrg-hdf5-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
	snprintf(path, sizeof(path), "%s/t.h5", folder);
	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
	driver = driver_register();
	open_store();
	return 0;
}

/* Nothing else than the journal and the HDF5 file may be left. */
static int tear_down(void **state)
{
	(void)state;
	store_destroy_alone(store);
	H5FDunregister(driver);
	unlink(journal_path);
	unlink(path);
	return rmdir(folder);
}

static struct container *open_container(void)
{
	struct container *container = NULL;
	struct enrg_error err = {0};

	if (container_open(store, driver, path, NULL, &container, &err) != 0)
		fail_msg("%s", err.text);
	return container;
}

static int add_table(
	struct container *container, const char *group, const struct enrg_schema *schema, struct hdf5_table **ret_table)
{
	struct hdf5_table *table = NULL;
	struct enrg_error err = {0};
	int rc;

	assert_int_equal(hdf5_table_create(group, schema, 0, &table, &err), 0);
	rc = container_add_table(container, table, ret_table, &err);
	if (rc != 0 || *ret_table != table)
		hdf5_table_destroy(table);
	return rc;
}

static void write_numbers(
	struct container *container, struct hdf5_table *table, int32_t first, uint64_t rows, const uint8_t *validity)
{
	int32_t *numbers = malloc((rows + 1) * sizeof(*numbers));
	const struct enrg_column_view view = {.values = numbers, .validity = validity, .null_count = validity ? 1 : 0};
	const struct enrg_batch batch = {.schema = &one, .rows = rows, .columns = &view, .body_bytes = rows * 4};
	struct enrg_error err = {0};

	for (uint64_t i = 0; i < rows; i++)
		numbers[i] = first + (int32_t)i;
	if (container_write(container, table, &batch, &err) < 0)
		fail_msg("%s", err.text);
	free(numbers);
}

static void commit(struct container *container)
{
	struct enrg_error err = {0};

	if (container_commit(container, &err) < 0)
		fail_msg("%s", err.text);
	store_commit_alone(store);
}

/* Rows of a dataset; values 0, 1, 2, … where `is_counted`. */
static int64_t count_rows(const char *name, bool is_counted)
{
	hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), dataset, space;
	int64_t count, *values;

	assert_true(file >= 0);
	dataset = H5Dopen2(file, name, H5P_DEFAULT);
	assert_true(dataset >= 0);
	space = H5Dget_space(dataset);
	count = H5Sget_simple_extent_npoints(space);
	values = calloc((size_t)count + 1, sizeof(*values));
	assert_true(H5Dread(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
	for (int64_t i = 0; i < count && is_counted; i++)
		assert_int_equal(values[i], i);
	free(values);
	H5Sclose(space);
	H5Dclose(dataset);
	H5Fclose(file);
	return count;
}

static uint64_t chunk_of(const char *name)
{
	hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
	hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT), create = H5Dget_create_plist(dataset);
	hsize_t chunk = 0;

	assert_int_equal(H5Pget_chunk(create, 1, &chunk), 1);
	H5Pclose(create);
	H5Dclose(dataset);
	H5Fclose(file);
	return chunk;
}

/* --- cases -------------------- */

static void tables_share_a_file(void **state)
{
	struct container *container = open_container();
	struct hdf5_table *a, *b, *again;

	(void)state;
	assert_int_equal(add_table(container, "a", &one, &a), 0);
	assert_int_equal(add_table(container, "deep/er/b", &one, &b), 0);
	assert_int_equal(add_table(container, "a", &one, &again), 0);
	assert_ptr_equal(again, a);
	assert_int_equal(add_table(container, "a", &other, &again), CONTAINER_IS_FOREIGN);
	write_numbers(container, a, 0, 10, NULL);
	write_numbers(container, b, 0, 20, NULL);
	commit(container);
	container_close(container, true);
	assert_int_equal(count_rows("a/n", true), 10);
	assert_int_equal(count_rows("deep/er/b/n", true), 20);
}

static void other_columns_are_foreign(void **state)
{
	struct container *container = open_container();
	struct hdf5_table *table;

	(void)state;
	assert_int_equal(add_table(container, "a", &one, &table), 0);
	assert_int_equal(add_table(container, "flags", &flag, &table), 0);
	commit(container);
	container_close(container, true);
	container = open_container();
	assert_int_equal(add_table(container, "a", &other, &table), CONTAINER_IS_FOREIGN);
	assert_false(container->is_dirty);
	assert_int_equal(add_table(container, "flags", &byte, &table), CONTAINER_IS_FOREIGN);
	assert_int_equal(add_table(container, "a/n", &one, &table), CONTAINER_IS_FOREIGN); /* a dataset, no group */
	assert_int_equal(add_table(container, "flags", &flag, &table), 0);
	container_close(container, true);
}

/* As h5py makes them: other chunks, and no attributes of ours. */
static void files_of_others_are_continued(void **state)
{
	const hsize_t count = 5, count_max = H5S_UNLIMITED, chunk = 7;
	const int32_t numbers[] = {0, 1, 2, 3, 4};
	hid_t file = H5Fcreate(path, H5F_ACC_EXCL, H5P_DEFAULT, H5P_DEFAULT);
	hid_t group = H5Gcreate2(file, "a", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
	hid_t create = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &count, &count_max), dataset;
	struct hdf5_table *table;

	(void)state;
	H5Pset_chunk(create, 1, &chunk);
	H5Pset_deflate(create, 1);
	dataset = H5Dcreate2(group, "n", H5T_STD_I32LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
	H5Dwrite(dataset, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers);
	H5Dclose(dataset);
	H5Sclose(space);
	H5Pclose(create);
	H5Gclose(group);
	H5Fclose(file);
	struct container *container = open_container();
	assert_int_equal(add_table(container, "a", &one, &table), 0);
	assert_true(container->is_packed);
	write_numbers(container, table, 5, 100, NULL);
	commit(container);
	container_close(container, true);
	assert_int_equal(count_rows("a/n", true), 105);
}

static void other_files_are_foreign(void **state)
{
	static const char notes[] = "notes of somebody";
	struct container *container = NULL;
	struct enrg_error err = {0};
	struct stat status;
	FILE *stream = fopen(path, "w");

	(void)state;
	assert_int_equal(fwrite(notes, 1, sizeof(notes), stream), sizeof(notes));
	fclose(stream);
	assert_int_equal(container_open(store, driver, path, NULL, &container, &err), CONTAINER_IS_FOREIGN);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, sizeof(notes));
}

static void missing_values_are_marked(void **state)
{
	static const uint8_t validity[] = {0xFD}; /* the second is missing */
	struct container *container = open_container();
	struct hdf5_table *table;

	(void)state;
	assert_int_equal(add_table(container, "a", &one, &table), 0);
	write_numbers(container, table, 0, 4, NULL);
	commit(container);
	write_numbers(container, table, 4, 3, NULL); /* in the same commit, before the first missing one */
	write_numbers(container, table, 7, 3, validity);
	commit(container);
	container_close(container, true);
	container = open_container();
	assert_int_equal(add_table(container, "a", &one, &table), 0);
	write_numbers(container, table, 10, 2, NULL);
	commit(container);
	container_close(container, true);
	assert_int_equal(count_rows("a/n", false), 12);
	hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), dataset = H5Dopen2(file, "a_valid/n", H5P_DEFAULT);
	uint8_t valid[12];
	assert_true(H5Dread(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, valid) >= 0);
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(valid[i], i != 8);
	H5Dclose(dataset);
	H5Fclose(file);
}

static void chunks_follow_the_rate(void **state)
{
	struct container *container = open_container();
	struct hdf5_table *slow, *medium, *fast;

	(void)state;
	assert_int_equal(add_table(container, "slow", &one, &slow), 0);
	assert_int_equal(add_table(container, "medium", &one, &medium), 0);
	assert_int_equal(add_table(container, "fast", &one, &fast), 0);
	write_numbers(container, slow, 0, 1, NULL);
	write_numbers(container, medium, 0, 10000, NULL);
	write_numbers(container, fast, 0, 3000000, NULL); /* more than waits in memory */
	assert_int_equal(fast->pending_rows, 0);
	commit(container);
	write_numbers(container, fast, 3000000, 10, NULL);
	write_numbers(container, fast, 3000010, 100000, NULL); /* so much that it is not copied */
	assert_int_equal(fast->columns[0].values.pending.count, 0);
	write_numbers(container, fast, 3100010, 10, NULL);
	commit(container);
	container_close(container, true);
	assert_int_equal(chunk_of("slow/n"), (16 << 10) / 4);
	assert_int_equal(chunk_of("medium/n"), (64 << 10) / 4);
	assert_int_equal(chunk_of("fast/n"), (1 << 20) / 4);
	assert_int_equal(count_rows("fast/n", true), 3100020);
}

/* Another file of the store failed after this one had put its commit away. */
static void a_commit_that_does_not_count_is_undone(void **state)
{
	struct container *container = open_container();
	struct enrg_error err = {0};
	struct hdf5_table *table;

	(void)state;
	assert_int_equal(add_table(container, "a", &one, &table), 0);
	write_numbers(container, table, 0, 10, NULL);
	commit(container);
	write_numbers(container, table, 10, 100000, NULL);
	assert_int_equal(container_commit(container, &err), 0);
	container_close(container, false);
	assert_int_equal(store_roll_back_alone(store, &err), 0);
	container = open_container();
	assert_int_equal(add_table(container, "a", &one, &table), 0);
	assert_int_equal(table->rows, 10);
	write_numbers(container, table, 10, 5, NULL);
	commit(container);
	container_close(container, true);
	assert_int_equal(count_rows("a/n", true), 15);
}

static void put_back(const struct container *open)
{
	char with_slash[sizeof(folder) + 1];

	snprintf(with_slash, sizeof(with_slash), "%s/", folder);
	recovery_run(store, with_slash, open);
}

/* Killed in the middle of a commit; then the file of another day comes next, and nobody opens this one. */
static void files_of_a_dead_life_are_put_back(void **state)
{
	struct container *container = open_container();
	struct enrg_error err = {0};
	struct hdf5_table *table;

	(void)state;
	assert_int_equal(add_table(container, "a", &one, &table), 0);
	write_numbers(container, table, 0, 10, NULL);
	commit(container);
	write_numbers(container, table, 10, 100000, NULL);
	assert_int_equal(container_commit(container, &err), 0);
	put_back(container); /* it is open: left alone */
	container_close(container, false);
	store_destroy_alone(store);
	assert_int_equal(count_rows("a/n", true), 100010);
	open_store();
	leftover_cut(store->journal);
	put_back(NULL);
	assert_int_equal(count_rows("a/n", true), 10);
	/* tear_down sees that no hidden file is left */
}

static void new_files_of_a_dead_life_are_removed(void **state)
{
	struct container *container = open_container();
	struct enrg_error err = {0};
	struct hdf5_table *table;

	(void)state;
	assert_int_equal(add_table(container, "a", &one, &table), 0);
	write_numbers(container, table, 0, 10, NULL);
	assert_int_equal(container_commit(container, &err), 0);
	container_close(container, false);
	store_destroy_alone(store);
	open_store();
	leftover_cut(store->journal);
	assert_int_equal(access(path, F_OK), 0);
	put_back(NULL);
	assert_int_equal(access(path, F_OK), -1);
}

/* --- which file an undo file belongs to -------------------- */

/* Ten rows are committed, and as many more by a commit that does not count; then the store is killed. */
static void leave_a_commit_to_undo(char *ret_undo_path, size_t path_bytes)
{
	struct container *container = open_container();
	struct enrg_error err = {0};
	struct hdf5_table *table;

	assert_int_equal(add_table(container, "a", &one, &table), 0);
	write_numbers(container, table, 0, 10, NULL);
	commit(container);
	write_numbers(container, table, 10, 10, NULL);
	assert_int_equal(container_commit(container, &err), 0);
	snprintf(ret_undo_path, path_bytes, "%s", container->shadow->undo_path);
	container_close(container, false);
	store_destroy_alone(store);
	assert_int_equal(count_rows("a/n", true), 20);
}

static void start_again(void)
{
	open_store();
	leftover_cut(store->journal);
	put_back(NULL);
}

/* With another inode. */
static void replace_by_copy(void)
{
	char command[4 * sizeof(path) + 400];

	snprintf(command, sizeof(command), "cp -p '%s' '%s/copy' && mv '%s/copy' '%s'", path, folder, folder, path);
	assert_int_equal(system(command), 0);
}

static void a_copy_is_put_back(void **state)
{
	char undo_path[sizeof(path) + 16];

	(void)state;
	leave_a_commit_to_undo(undo_path, sizeof(undo_path));
	replace_by_copy();
	start_again();
	assert_int_equal(count_rows("a/n", true), 10);
}

/* Somebody put a file of his own under the name, which differs in one byte of what the commit had changed. */
static void another_file_of_the_name_is_left(void **state)
{
	char undo_path[sizeof(path) + 16];
	char before, changed;
	int undo, file;
	uint64_t page;

	(void)state;
	leave_a_commit_to_undo(undo_path, sizeof(undo_path));
	replace_by_copy();
	undo = open(undo_path, O_RDONLY | O_CLOEXEC);
	file = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(undo, &page, sizeof(page), 48), sizeof(page));
	assert_int_equal(pread(file, &before, 1, (off_t)page * 4096 + 4000), 1);
	changed = (char)(before + 1);
	assert_int_equal(pwrite(file, &changed, 1, (off_t)page * 4096 + 4000), 1);
	start_again();
	assert_int_equal(pread(file, &before, 1, (off_t)page * 4096 + 4000), 1);
	assert_int_equal(before, changed);
	close(undo);
	close(file);
}

static uint64_t add_sum(uint64_t sum, const void *bytes, size_t count)
{
	for (size_t i = 0; i + 8 <= count; i += 8) {
		uint64_t word;

		memcpy(&word, (const char *)bytes + i, sizeof(word));
		sum = (sum ^ word) * 0x9E3779B97F4A7C15ull;
		sum ^= sum >> 29;
	}
	return sum;
}

/* As version 0.1.0 before wrote it: without the sums of new pages. */
static void make_undo_of_before(const char *undo_path)
{
	uint64_t head[6], sum;
	char *bytes, *to;
	size_t count, pages;
	FILE *file;

	assert_int_equal(path_read_file(undo_path, 1 << 24, &bytes, &count, NULL), 0);
	memcpy(head, bytes, sizeof(head));
	pages = head[4];
	assert_true(pages > 0 && count == sizeof(head) + pages * 4112);
	memcpy(&head[0], "EHUNDO01", 8);
	to = bytes + sizeof(head);
	for (size_t i = 0; i < pages; i++, to += 4104) {
		memmove(to, bytes + sizeof(head) + i * 4112, 8);
		memmove(to + 8, bytes + sizeof(head) + i * 4112 + 16, 4096);
	}
	sum = add_sum(1, head, 40);
	for (size_t i = 0; i < pages; i++)
		sum = add_sum(sum, bytes + sizeof(head) + i * 4104, 4104);
	head[5] = sum;
	memcpy(bytes, head, sizeof(head));
	file = fopen(undo_path, "we");
	assert_int_equal(fwrite(bytes, sizeof(head) + pages * 4104, 1, file), 1);
	fclose(file);
	free(bytes);
}

static void an_undo_file_of_before_is_read(void **state)
{
	char undo_path[sizeof(path) + 16];

	(void)state;
	leave_a_commit_to_undo(undo_path, sizeof(undo_path));
	make_undo_of_before(undo_path);
	start_again();
	assert_int_equal(count_rows("a/n", true), 10);
}

/* Killed while it closed a file: between the two hidden files. */
static void the_last_hidden_file_is_removed(void **state)
{
	struct container *container = open_container();
	struct hdf5_table *table;
	char undo_path[sizeof(path) + 16];

	(void)state;
	assert_int_equal(add_table(container, "a", &one, &table), 0);
	write_numbers(container, table, 0, 10, NULL);
	commit(container);
	snprintf(undo_path, sizeof(undo_path), "%s", container->shadow->undo_path);
	container_close(container, false);
	assert_int_equal(unlink(undo_path), 0);
	store_destroy_alone(store);
	open_store();
	leftover_cut(store->journal);
	put_back(NULL);
	assert_int_equal(count_rows("a/n", true), 10);
	/* tear_down sees that no hidden file is left */
}

static void synced_commits_are_undone_as_well(void **state)
{
	struct container *container = open_container();
	struct enrg_error err = {0};
	struct hdf5_table *table;

	(void)state;
	assert_int_equal(container_set_synced(container, &err), 0);
	assert_true(container->shadow->is_synced);
	assert_int_equal(add_table(container, "a", &one, &table), 0);
	for (int32_t i = 0; i < 10; i++) {
		write_numbers(container, table, i, 1, NULL);
		commit(container);
	}
	write_numbers(container, table, 10, 1, NULL);
	assert_int_equal(container_commit(container, &err), 0);
	container_close(container, false);
	assert_int_equal(store_roll_back_alone(store, &err), 0);
	put_back(NULL);
	assert_int_equal(count_rows("a/n", true), 10);
}

static void many_commits_restart_the_counter(void **state)
{
	struct container *container = open_container();
	struct hdf5_table *table;

	(void)state;
	assert_int_equal(add_table(container, "a", &one, &table), 0);
	for (int32_t i = 0; i < 4200; i++) {
		write_numbers(container, table, i, 1, NULL);
		commit(container);
	}
	assert_true(enrg_file_size(container->counter) < 200);
	container_close(container, true);
	assert_int_equal(count_rows("a/n", true), 4200);
}

static void names_are_escaped(void **state)
{
	static const struct enrg_column columns[] = {
		{"a/b", ENRG_I32, 0, NULL},
		{"a%2Fb", ENRG_I32, 0, NULL},
		{".", ENRG_I32, 0, NULL},
		{"100 %", ENRG_I32, 0, NULL},
	};
	static const struct enrg_schema schema = {.column_count = 4, .columns = columns};
	struct container *container = open_container();
	struct hdf5_table *table;

	(void)state;
	assert_int_equal(add_table(container, "a", &schema, &table), 0);
	assert_string_equal(table->columns[0].name, "a%2Fb");
	assert_string_equal(table->columns[1].name, "a%252Fb");
	assert_string_equal(table->columns[2].name, "%2E");
	assert_string_equal(table->columns[3].name, "100 %");
	commit(container);
	container_close(container, true);
	assert_int_equal(count_rows("a/a%252Fb", true), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tables_share_a_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_columns_are_foreign, set_up, tear_down),
		cmocka_unit_test_setup_teardown(files_of_others_are_continued, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_files_are_foreign, set_up, tear_down),
		cmocka_unit_test_setup_teardown(missing_values_are_marked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(chunks_follow_the_rate, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_commit_that_does_not_count_is_undone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_copy_is_put_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_file_of_the_name_is_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_undo_file_of_before_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(files_of_a_dead_life_are_put_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(new_files_of_a_dead_life_are_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_last_hidden_file_is_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(synced_commits_are_undone_as_well, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_commits_restart_the_counter, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_are_escaped, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("plugin.hdf5_container", tests, NULL, NULL);
}

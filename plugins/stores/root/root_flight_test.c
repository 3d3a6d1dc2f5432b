/* root_flight_test.c: clusters under way: their order in the file, whatever is committed when, trees that are given up
 * in the middle, and a page that can't be made. In the test process, with the helper of a pool.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "job/file/handle.h"
#include "tree.h"

#define CLUSTER_BYTES  20000u
#define BATCH_ROWS_MAX 3000u
#define BATCHES        400u

static char folder[64], journal_path[128], path[128];
static struct enrg_store *store;
static struct container container;
static struct pool *pool;
static struct tree *tree;
static uint64_t rows;

/* A column that takes long, so that pages of the next cluster are made before it is. */
static const struct enrg_column columns[] = {
	{.name = "n", .type = ENRG_I64}, {.name = "wave", .type = ENRG_LIST, .item = ENRG_U16}};
static const struct enrg_schema schema = {.column_count = 2, .columns = columns};

/* --- a format that fails ------------------------------------------------------------------------------------------ */

static struct tree_format failing;
static _Atomic int pages_left;

static void encode_some(const struct tree *which, const struct part *part, const struct cluster *cluster,
	struct bytes *scratch, struct encoded *ret_encoded)
{
	tree_format_ntuple.encode(which, part, cluster, scratch, ret_encoded);
	if (pages_left-- <= 0)
		scratch->is_short = true;
}

/* --- helpers ------------------------------------------------------------------------------------------------------ */

static void open_tree(uint64_t cluster_bytes)
{
	const struct tree_options options = {.name = "tree",
		.setting = {COMPRESS_ZSTD, 0}, /* pages as they are, to be read here */
		.is_ntuple = true,
		.cluster_bytes = cluster_bytes,
		.pool = pool};

	assert_int_equal(tree_create(&container, &options, &schema, &tree, NULL), 0);
}

static void open_container(void)
{
	static const struct compress_setting setting = {COMPRESS_ZSTD, 1};

	container = (struct container){.path = strdup(path)};
	assert_int_equal(enrg_file_open(store, path, &container.file, NULL), 0);
	assert_int_equal(container_create(&container, container.file, &setting, NULL), 0);
}

static void close_all(void)
{
	tree_destroy(tree);
	tree = NULL;
	enrg_file_close(container.file);
	container_fini(&container);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/root_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
	snprintf(path, sizeof(path), "%s/t.root", folder);
	assert_int_equal(store_create_alone("test", journal_path, &store, NULL), 0);
	assert_int_equal(pool_create(&pool, NULL), 0);
	open_container();
	rows = 0;
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	close_all();
	pool_destroy(pool);
	store_destroy_alone(store);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static uint64_t wave_items(uint64_t row)
{
	return row % 11 == 0 ? 150 : row % 3;
}

static int write_rows(uint64_t count, struct enrg_error *err)
{
	static int64_t n[BATCH_ROWS_MAX];
	static uint16_t wave[BATCH_ROWS_MAX * 150];
	static int32_t offsets[BATCH_ROWS_MAX + 1];
	const struct enrg_column_view views[] = {{.values = n}, {.values = wave, .offsets = offsets}};
	const struct enrg_batch batch = {.schema = &schema, .rows = count, .columns = views};

	for (uint64_t i = 0; i < count; i++) {
		n[i] = (int64_t)(rows + i);
		offsets[i + 1] = offsets[i] + (int32_t)wave_items(rows + i);
		for (uint64_t k = 0; k < wave_items(rows + i); k++)
			wave[(uint64_t)offsets[i] + k] = (uint16_t)(rows + i + k);
	}
	rows += count;
	return tree_write(tree, &batch, err);
}

static int commit(struct enrg_error *err)
{
	int rc = tree_commit(tree, err);

	if (rc == 0)
		rc = container_commit(&container, err);
	if (rc == 0)
		store_commit_alone(store);
	return rc;
}

static const struct page *find_page(const struct cluster_info *cluster, uint32_t column, bool is_ends)
{
	for (uint32_t i = 0; i < tree->part_count; i++)
		if (tree->parts[i].column == column && tree->parts[i].is_ends == is_ends)
			return &cluster->pages[i];
	fail();
	return NULL;
}

static void *read_page(const struct page *page, size_t value_bytes)
{
	size_t count = page->elements * value_bytes;
	char *values = malloc(count + 1);

	assert_non_null(values);
	assert_int_equal(pread(enrg_file_descriptor(container.file), values, count,
				 (off_t)(page->place.position + page->place.key_bytes)),
		count);
	return values;
}

/* All that the tree leads to, as its pages stand in the file. */
static void check_pages(void)
{
	uint64_t row = 0, item = 0;

	for (size_t i = 0; i < tree->cluster_count; i++) {
		const struct cluster_info *cluster = &tree->clusters[i];
		const struct page *of_items = find_page(cluster, 1, false);
		int64_t *n = read_page(find_page(cluster, 0, false), sizeof(*n));
		uint64_t *ends = read_page(find_page(cluster, 1, true), sizeof(*ends));
		uint16_t *wave = of_items->elements ? read_page(of_items, sizeof(*wave)) : NULL;
		uint64_t end = 0;
		assert_int_equal(cluster->first_row, row);
		assert_int_equal(of_items->first, item);
		for (uint64_t k = 0; k < cluster->rows; k++, row++) {
			assert_int_equal(n[k], row);
			assert_int_equal(ends[k], end + wave_items(row));
			for (uint64_t m = 0; end < ends[k]; end++, m++)
				assert_int_equal(wave[end], (uint16_t)(row + m));
		}
		assert_int_equal(of_items->elements, end);
		item += end;
		free(n);
		free(ends);
		free(wave);
	}
	assert_int_equal(row, rows);
	assert_int_equal(tree_rows(tree), rows);
}

/* --- cases -------------------------------------------------------------------------------------------------------- */

static void check_any_order(uint64_t cluster_bytes)
{
	struct enrg_error err = {0};

	srand(1);
	open_tree(cluster_bytes);
	for (unsigned i = 0; i < BATCHES; i++) {
		/* Often small ones, for tails; at times several clusters between two commits. */
		uint64_t count = (uint64_t)rand() % (rand() % 4 ? 100 : BATCH_ROWS_MAX);
		if (write_rows(count, &err) < 0)
			fail_msg("%s", err.text);
		if (rand() % 7 && i + 1 < BATCHES)
			continue;
		if (commit(&err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(tree->flight_count, 0);
		check_pages();
	}
	assert_true(tree->cluster_count > FLIGHTS);
}

static void clusters_stand_in_order(void **state)
{
	(void)state;
	check_any_order(CLUSTER_BYTES);
}

/* buffer_size_bytes = 1 */
static void each_batch_may_be_a_cluster(void **state)
{
	(void)state;
	check_any_order(1);
}

static void a_commit_without_rows_is_one(void **state)
{
	struct enrg_error err = {0};

	(void)state;
	open_tree(CLUSTER_BYTES);
	assert_int_equal(commit(&err), 0);
	assert_int_equal(write_rows(0, &err), 0);
	assert_int_equal(commit(&err), 0);
	check_pages();
	assert_int_equal(tree->cluster_count, 0);
	assert_int_equal(container.key_count, 1);
}

/* As where the framework rolls back: what is under way is waited for, and the file is as it was at the commit. */
static void a_tree_is_given_up_with_clusters_under_way(void **state)
{
	struct enrg_error err = {0};

	(void)state;
	for (unsigned flights = 1; flights <= FLIGHTS; flights++) {
		struct stat status;
		open_tree(CLUSTER_BYTES);
		rows = 0;
		assert_int_equal(write_rows(10, &err), 0);
		assert_int_equal(commit(&err), 0);
		uint64_t bytes = enrg_file_size(container.file);
		while (tree->flight_count < flights)
			assert_int_equal(write_rows(BATCH_ROWS_MAX, &err), 0);
		close_all();
		assert_int_equal(store_roll_back_alone(store, &err), 0);
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_size, bytes);
		assert_int_equal(unlink(path), 0);
		open_container();
	}
}

/* The first page that fails, wherever it is: the write or the commit that meets it says so, and all can be freed. */
static void a_page_that_fails_is_told(void **state)
{
	bool is_told = true;

	(void)state;
	failing = tree_format_ntuple;
	failing.encode = encode_some;
	for (int pages = 0; is_told; pages++) {
		struct enrg_error err = {0};
		int rc = 0;
		pages_left = pages;
		open_tree(CLUSTER_BYTES);
		tree->format = &failing;
		for (unsigned i = 0; i < 6 && rc == 0; i++)
			rc = write_rows(BATCH_ROWS_MAX, &err);
		if (rc == 0)
			rc = write_rows(10, &err);
		if (rc == 0)
			rc = commit(&err);
		is_told = rc < 0;
		if (is_told)
			assert_int_equal(rc, -ENOMEM);
		/* Three pages a cluster, seven clusters. */
		assert_true(is_told == (pages < 21));
		tree_destroy(tree); /* nothing of it is in the file's directory */
		tree = NULL;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(clusters_stand_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_batch_may_be_a_cluster, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_commit_without_rows_is_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_tree_is_given_up_with_clusters_under_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_page_that_fails_is_told, set_up, tear_down),
	};

	log_init("root", ENRG_ERROR);
	return cmocka_run_group_tests_name("plugin.root_flight", tests, NULL, NULL);
}

/* root_test.c: .root files as others see them: both formats and all compressions, cut at every byte, beyond 2 GB.
 * jsroot reads (read_root.mjs); what it must find follows from tests/conformance/data.c. The store runs as the
 * framework drives it (tests/conformance/harness.c). In the test process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arrow/ipc.h"
#include "base/log.h"
#include "job/file/handle.h"
#include "root_fixture.h"
#include "tree.h"

/* --- formats ------------------------------------------------------------------------------------------------------ */

static void all_compressions_are_read(void **state)
{
	static const char *const methods[] = {"ZSTD", "ZLIB", "LZMA", "LZ4"};
	char file[32], more[100];

	(void)state;
	for (unsigned i = 0; i < 2 * 4 * 2; i++) {
		unsigned level = i / 8 ? 9 : 0;
		snprintf(file, sizeof(file), "%s_%s_%u.root", formats[i % 2], methods[i / 2 % 4], level);
		snprintf(more, sizeof(more), "compression_type = \"%s\"\ncompression_level = %u", methods[i / 2 % 4],
			level);
		set_keys(file, formats[i % 2], more);
		unlink(journal_path);
		open_life();
		write_rows(0, 300);
		commit(1);
		write_rows(300, 3000);
		commit(2);
		write_rows(3300, 1);
		commit(3);
		close_life();
		check_file(file, &data_wide, 0, 3301);
	}
}

/* Clusters are small, so that many are under way at a time; commits come between, while they are half full. */
static void clusters_under_way_keep_their_order(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		uint64_t rows = 0;
		set_keys("flights.root", formats[i], "");
		kind.store_keys = "buffer_size_bytes = 30000";
		unlink(journal_path);
		open_life();
		for (unsigned k = 0; k < 120; k++) {
			write_rows(rows, 40 + k);
			rows += 40 + k;
			if (k % 23 == 22)
				commit(k + 1);
		}
		commit(1000);
		close_life();
		kind.store_keys = NULL;
		check_file("flights.root", &data_wide, 0, rows);
		snprintf(keys, sizeof(keys), "%s/flights.root", out_dir);
		unlink(keys);
	}
}

static long size_of(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_size;
}

/* A commit a second for half an hour, a row each: the places of old states are used again. */
static void many_small_commits_stay_small(void **state)
{
	const struct harness_table narrow = {.source = "source", .tag = "", .schema = &data_narrow};
	char path[200];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		set_keys("slow.root", formats[i], "");
		snprintf(path, sizeof(path), "%s/slow.root", out_dir);
		unlink(path);
		unlink(journal_path);
		open_life();
		for (unsigned k = 0; k < 300; k++) {
			write_table(&narrow, k, 1);
			commit(k + 1);
		}
		long early = size_of(path);
		for (unsigned k = 300; k < 1800; k++) {
			write_table(&narrow, k, 1);
			commit(k + 1);
		}
		print_message("%s: %ld bytes a commit of one row\n", formats[i], (size_of(path) - early) / 1500);
		assert_true(size_of(path) - early < 1500 * 180);
		close_life();
		check_file("slow.root", &data_narrow, 0, 1800);
	}
}

static void trees_and_formats_share_a_file(void **state)
{
	const struct harness_table second = {
		.source = "b", .tag = "", .schema = &data_narrow, .more_keys = "tree_name = \"second\""};

	(void)state;
	set_keys("shared.root", "ttree", "");
	open_life();
	for (unsigned k = 0; k < 5; k++) {
		write_rows(10 * k, 10);
		write_table(&second, 3 * k, 3);
		commit(k + 1);
	}
	close_life();
	check_file("shared.root", &data_wide, 0, 50);
	check_file("shared.root", &data_narrow, 0, 15);
	snprintf(keys, sizeof(keys), "%s/shared_1.root", out_dir);
	assert_int_not_equal(access(keys, F_OK), 0);
}

/* One page of more than 16,777,215 bytes. */
static void an_object_of_many_pieces_is_read(void **state)
{
	static const struct enrg_column column = {.name = "n", .type = ENRG_I64};
	static const struct enrg_schema schema = {.column_count = 1, .columns = &column};
	const struct harness_table table = {.source = "source", .tag = "", .schema = &schema};
	char file[32];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		snprintf(file, sizeof(file), "large_%s.root", formats[i]);
		set_keys(file, formats[i], "compression_level = 1");
		open_life();
		write_table(&table, 0, 2200000);
		commit(1);
		close_life();
		check_file(file, &schema, 0, 2200000);
	}
}
/* --- cuts --------------------------------------------------------------------------------------------------------- */

/* What lies on the disk from one commit to the next, cut at every byte, or every step-th: the head of the first, and
 * all that the second has written. jsroot reads the file, and it is cut by a step, and again. */
static void check_every_cut(
	const char *before, size_t before_count, char *after, size_t after_count, unsigned step, long rows)
{
	char path[100], command[300], line[400], *end;

	memcpy(after, before, HEAD_BYTES);
	snprintf(path, sizeof(path), "%s/cut.root", folder);
	write_file(path, after, after_count);
	snprintf(command, sizeof(command), "node '%s/tests/interop/read_root.mjs' --cut '%s' %zu %u", ENRG_BINARY_DIR,
		path, before_count, step);
	FILE *stream = popen(command, "re");
	assert_non_null(stream);
	for (size_t count = after_count; count >= before_count; count -= step) {
		assert_non_null(fgets(line, sizeof(line), stream));
		long found = strtol(line, &end, 10);
		if (end == line || found != rows)
			fail_msg("cut at %zu: %ld rows are committed, found %s", count, rows, line);
	}
	assert_null(fgets(line, sizeof(line), stream));
	assert_int_equal(pclose(stream), 0);
	unlink(path);
}

static void a_cut_at_any_byte_shows_what_was_committed(void **state)
{
	const bool is_whole = root_fixture_is_whole();
	char path[200];

	(void)state;
	snprintf(path, sizeof(path), "%s/cut.root", out_dir);
	for (unsigned i = 0; i < 2; i++) {
		const struct harness_table narrow = {.source = "source", .tag = "", .schema = &data_narrow};
		size_t before_count, after_count;
		set_keys("cut.root", formats[i], "");
		unlink(path);
		unlink(journal_path);
		open_life();
		write_table(&narrow, 0, 3);
		commit(1);
		char *before = read_file(path, &before_count);
		for (unsigned k = 1; k < 5; k++) {
			write_table(&narrow, 3 * k, 3);
			commit(k + 1);
			char *after = read_file(path, &after_count);
			char *image = malloc(after_count);
			memcpy(image, after, after_count);
			/* The commits behind the first two only use places again: by turns other bytes of them. */
			check_every_cut(
				before, before_count, image, after_count, is_whole || k == 1 ? 1 : 5 + k, 3 * k);
			free(image);
			free(before);
			before = after;
			before_count = after_count;
		}
		free(before);
		close_life();
	}
}
/* --- beyond 2 GB -------------------------------------------------------------------------------------------------- */

/* A hole of 5 GB in the file stands for data: all that is read lies behind it. */
static void positions_beyond_4_gb_are_read(void **state)
{
	const struct compress_setting setting = {COMPRESS_ZSTD, 5};
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(mkdir(out_dir, 0755), 0);
	for (unsigned i = 0; i < 2; i++) {
		struct container container = {0};
		struct enrg_store *store;
		struct pool *pool;
		struct tree *tree;
		char file[32], path[200];
		snprintf(file, sizeof(file), "beyond_%s.root", formats[i]);
		snprintf(path, sizeof(path), "%s/%s", out_dir, file);
		assert_int_equal(store_create_alone("test", journal_path, &store, &err), 0);
		assert_int_equal(pool_create(&pool, &err), 0);
		assert_int_equal(enrg_file_open(store, path, &container.file, &err), 0);
		assert_int_equal(container_create(&container, container.file, &setting, &err), 0);
		const struct tree_options options = {"tree", setting, i == 1, 1000000, pool};
		container.path = path;
		container.file->size += 5ull << 30;
		assert_int_equal(ftruncate(container.file->descriptor, (off_t)container.file->size), 0);
		assert_int_equal(tree_create(&container, &options, &data_wide, &tree, &err), 0);
		for (unsigned k = 0; k < 5; k++) {
			struct enrg_column_view views[64];
			struct enrg_batch batch = {.schema = &data_wide, .columns = views};
			size_t bytes;
			void *message = data_build_message(&(struct data_rows){.schema = &data_wide,
								   .source = "s",
								   .tag = "",
								   .sequence = k + 1,
								   .first = 50 * k,
								   .count = 50,
								   .acquired_ns = 1},
				&bytes);
			assert_int_equal(ipc_decode_batch(&data_wide, message, bytes, views, &batch, &err), 0);
			assert_int_equal(tree_write(tree, &batch, &err), 0);
			assert_int_equal(tree_commit(tree, &err), 0);
			assert_int_equal(container_commit(&container, &err), 0);
			store_commit_alone(store);
			free(message);
		}
		container.path = NULL;
		tree_destroy(tree);
		enrg_file_close(container.file);
		container_fini(&container);
		pool_destroy(pool);
		store_destroy_alone(store);
		check_file(file, &data_wide, 0, 250);
	}
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_compressions_are_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(clusters_under_way_keep_their_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_small_commits_stay_small, set_up, tear_down),
		cmocka_unit_test_setup_teardown(trees_and_formats_share_a_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_object_of_many_pieces_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_cut_at_any_byte_shows_what_was_committed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(positions_beyond_4_gb_are_read, set_up, tear_down),
	};

	setenv("TZ", "UTC", 1);
	log_init("root", ENRG_ERROR);
	if (getenv("ENRG_TEST")) /* one of them */
		cmocka_set_test_filter(getenv("ENRG_TEST"));
	return cmocka_run_group_tests_name("interop.root", tests, NULL, NULL);
}

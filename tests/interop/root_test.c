/* root_test.c: .root files as others see them: both formats and all compressions, cut at every byte, killed at any
 * moment, beyond 2 GB. jsroot reads (read_root.mjs); what it must find follows from tests/conformance/data.c. The store
 * runs as the framework drives it (tests/conformance/harness.c). In the test process and in children that it kills. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arrow/ipc.h"
#include "base/log.h"
#include "base/path.h"
#include "data.h"
#include "harness.h"
#include "job/store.h"
#include "readers.h"
#include "tree.h"

#define KILLS          200u
#define KILLS_A_ROUND  10u
#define KILL_ROWS      7u
#define ROTATED_ROUNDS 6u
#define SIGHTS_MAX     4000u
#define HEAD_BYTES     512u

static char folder[64], out_dir[80], journal_path[80], keys[300];
static struct store_kind kind = {
	.name = "root", .module = "root", .type = "DAQJobStoreROOT", .section_keys = keys, .has_out_dir = true};
static const struct harness_table wide = {.source = "source", .tag = "", .schema = &data_wide};
static struct harness *life;

static int remove_entry(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)status, (void)flag, (void)walk;
	return remove(path);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/root_interop.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(out_dir, sizeof(out_dir), "%s/out", folder);
	snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (getenv("ENRG_KEEP")) /* for a look at the files */
		return 0;
	return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void set_keys(const char *file, const char *format, const char *more)
{
	snprintf(keys, sizeof(keys), "file_path = \"%s\"\nformat = \"%s\"\n%s\n", file, format, more);
}

static void open_life(void)
{
	struct enrg_error err = {0};

	if (harness_open(&kind, journal_path, out_dir, &life, &err) < 0)
		fail_msg("%s", err.text);
}

static void write_table(const struct harness_table *table, uint64_t first, uint64_t count)
{
	struct enrg_error err = {0};

	if (harness_write(life, table, first, count, 0, &err) < 0)
		fail_msg("%s", err.text);
}

static void write_rows(uint64_t first, uint64_t count)
{
	write_table(&wide, first, count);
}

static void commit(uint64_t position)
{
	struct enrg_error err = {0};

	if (harness_commit(life, position, &err) < 0)
		fail_msg("%s", err.text);
}

static void close_life(void)
{
	struct enrg_error err = {0};

	if (harness_close(life, &err) < 0)
		fail_msg("%s", err.text);
}

static void check_file(const char *file, const struct enrg_schema *schema, uint64_t first, uint64_t count)
{
	struct cells cells = {0};
	char path[200], expected[4096];

	snprintf(path, sizeof(path), "%s/%s", out_dir, file);
	if (!read_root(path, schema, &cells))
		fail_msg("%s can't be read: %s", path, keys);
	if (cells.rows != count)
		fail_msg("%s: %llu rows, found %zu: %s", path, (unsigned long long)count, cells.rows, keys);
	for (size_t i = 0; i < cells.count; i++) {
		const struct enrg_column *column = &schema->columns[i % schema->column_count];
		data_format_cell(column, first + i / schema->column_count, expected, sizeof(expected));
		if (strcmp(cells.items[i], expected) != 0)
			fail_msg("%s: row %zu, %s: \"%s\", found \"%s\"", path, i / schema->column_count, column->name,
				expected, cells.items[i]);
	}
	cells_fini(&cells);
}

/* --- formats ------------------------------------------------------------------------------------------------------ */

static const char *const formats[] = {"ttree", "rntuple"};

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

/* --- rows that jsroot sees ---------------------------------------------------------------------------------------- */

struct sight {
	char path[200];
	long rows;
};

/* The rows of each file, as jsroot sees them: one process reads all. */
static void count_rows(struct sight *sights, size_t count)
{
	char list[200], command[600], line[400];

	snprintf(list, sizeof(list), "%s/list", folder);
	FILE *stream = fopen(list, "w");
	for (size_t i = 0; i < count; i++)
		fprintf(stream, "%s\n", sights[i].path);
	fclose(stream);
	snprintf(command, sizeof(command), "node '%s/tests/interop/read_root.mjs' --served <'%s'", ENRG_BINARY_DIR,
		list);
	stream = popen(command, "re");
	assert_non_null(stream);
	for (size_t i = 0; i < count; i++) {
		char *end;
		assert_non_null(fgets(line, sizeof(line), stream));
		sights[i].rows = strtol(line, &end, 10); /* an empty line: no tree yet */
		if (end == line && *line != '\n')
			fail_msg("%s: %s", sights[i].path, line);
	}
	pclose(stream);
}

static char *read_file(const char *path, size_t *ret_count)
{
	char *bytes = NULL;

	if (path_read_file(path, 1u << 28, &bytes, ret_count, NULL) < 0)
		fail_msg("%s can't be read", path);
	return bytes;
}

static void write_file(const char *path, const char *bytes, size_t count)
{
	assert_int_equal(path_write_file(path, bytes, count, 0, NULL), 0);
}

/* What lies on the disk from one commit to the next, cut at every byte: the head of the first, and all that the second
 * has written. */
static void check_every_cut(const char *before, size_t before_count, char *after, size_t after_count, long rows)
{
	size_t count = after_count - before_count + 1;
	struct sight *sights = calloc(count, sizeof(*sights));

	memcpy(after, before, HEAD_BYTES);
	for (size_t i = 0; i < count; i++) {
		snprintf(sights[i].path, sizeof(sights[i].path), "%s/cut_%zu.root", folder, i);
		write_file(sights[i].path, after, before_count + i);
	}
	count_rows(sights, count);
	for (size_t i = 0; i < count; i++) {
		if (sights[i].rows != rows)
			fail_msg("cut at %zu: %ld rows are committed, found %ld", before_count + i, rows,
				sights[i].rows);
		unlink(sights[i].path);
	}
	free(sights);
}

static void a_cut_at_any_byte_shows_what_was_committed(void **state)
{
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
			check_every_cut(before, before_count, image, after_count, 3 * k);
			free(image);
			free(before);
			before = after;
			before_count = after_count;
		}
		free(before);
		close_life();
	}
}

/* --- kills -------------------------------------------------------------------------------------------------------- */

static int run_until_killed(int ready)
{
	struct enrg_error err = {0};
	int rc = harness_open(&kind, journal_path, out_dir, &life, &err);

	if (rc < 0 || write(ready, "", 1) != 1)
		return 1;
	for (uint64_t position = harness_position(life); rc == 0; position++) {
		rc = harness_write(life, &wide, position * KILL_ROWS, KILL_ROWS, 0, &err);
		if (rc == 0)
			rc = harness_commit(life, position + 1, &err);
	}
	fprintf(stderr, "%s\n", err.text);
	return 1;
}

static void kill_once(unsigned delay_us_max)
{
	int ready[2], status;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(run_until_killed(ready[1]));
	/* Now and then while it is being opened. */
	if (rand() % 8)
		assert_int_equal(read(ready[0], &byte, 1), 1);
	usleep((unsigned)rand() % delay_us_max); /* any moment will do */
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	close(ready[0]);
	close(ready[1]);
}

static int is_root_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 5 && strcmp(entry->d_name + length - 5, ".root") == 0;
}

/* Copies all files that are there into the folder above, and adds them to the sights. */
static size_t keep_files(struct sight *sights, size_t count, unsigned kill_number, const char *moment)
{
	struct dirent **entries = NULL;
	int entry_count = scandir(out_dir, &entries, is_root_file, NULL);

	for (int i = 0; i < entry_count; i++) {
		struct sight *sight = &sights[count];
		char from[400];
		struct stat status;
		snprintf(from, sizeof(from), "%s/%s", out_dir, entries[i]->d_name);
		snprintf(sight->path, sizeof(sight->path), "%s/%s_%u_%.60s", folder, moment, kill_number,
			entries[i]->d_name);
		free(entries[i]);
		if (stat(from, &status) < 0 || status.st_size < (off_t)HEAD_BYTES)
			continue;
		size_t bytes;
		char *content = read_file(from, &bytes);
		/* Killed while the file was made, its end is not told yet: nothing can have been committed. */
		if (memcmp(content + 12, "\0\0\0\0\0\0\0\0", 8) != 0) {
			assert_true(count + 1 < SIGHTS_MAX);
			write_file(sight->path, content, bytes);
			count++;
		}
		free(content);
	}
	free(entries);
	return count;
}

/* Each row once, over all files: the names of parts do not follow from the number of a row. */
static void check_rows_once(uint64_t rows)
{
	uint8_t *seen = calloc(rows + 1, 1);
	uint64_t seen_count = 0, left = 0;
	unsigned long long row, table_rows, columns, names = 0;
	char command[300], line[4096];

	snprintf(command, sizeof(command), "node '%s/tests/interop/read_root.mjs' '%s'/*.root", ENRG_BINARY_DIR,
		out_dir);
	FILE *stream = popen(command, "re");
	assert_non_null(stream);
	while (fgets(line, sizeof(line), stream)) {
		if (names) {
			names--;
		} else if (left) {
			if (left-- % data_wide.column_count != 0)
				continue;
			if (sscanf(line, "i %llu", &row) != 1 || row >= rows || seen[row])
				fail_msg("one row too many: %s", line);
			seen[row] = 1;
			seen_count++;
		} else if (sscanf(line, "table %*s %*s %llu %llu", &table_rows, &columns) == 2) {
			assert_int_equal(columns, data_wide.column_count);
			names = columns;
			left = table_rows * columns;
		}
	}
	pclose(stream);
	free(seen);
	assert_int_equal(seen_count, rows);
}

/* One round in a fresh folder: kills; what is readable at once; what is readable after the next start. */
static unsigned kill_round(unsigned round, bool is_rotated, uint64_t *ret_commits)
{
	static struct sight sights[SIGHTS_MAX];
	size_t ends[2 * KILLS_A_ROUND], count = 0, at = 0;
	uint64_t positions[KILLS_A_ROUND];
	unsigned behind = 0;

	snprintf(out_dir, sizeof(out_dir), "%s/round%u", folder, round);
	snprintf(journal_path, sizeof(journal_path), "%s/journal%u", folder, round);
	set_keys("k.root", formats[round % 2], round % 4 < 2 ? "" : "compression_type = \"ZLIB\"");
	for (unsigned k = 0; k < KILLS_A_ROUND; k++) {
		kill_once(is_rotated ? 60000 : 15000);
		count = keep_files(sights, count, round * KILLS_A_ROUND + k, "before");
		ends[2 * k] = count;
		open_life();
		positions[k] = harness_position(life);
		write_rows(0, 0); /* opens the target, which mends */
		harness_kill(life);
		count = keep_files(sights, count, round * KILLS_A_ROUND + k, "after");
		ends[2 * k + 1] = count;
	}
	count_rows(sights, count);
	for (unsigned k = 0; k < 2 * KILLS_A_ROUND; k++) {
		long sum = 0, wanted = (long)(positions[k / 2] * KILL_ROWS);
		for (; at < ends[k]; at++)
			sum += sights[at].rows;
		/* Before the next start the last commit may be there or not, when the kill met the switch itself. */
		if (sum != wanted && (k % 2 == 1 || sum != wanted - (long)KILL_ROWS))
			fail_msg("round %u, kill %u, %s the next start: %ld rows are committed, jsroot sees %ld", round,
				k / 2, k % 2 ? "after" : "before", wanted, sum);
		behind += sum != wanted;
	}
	for (size_t i = 0; i < count; i++)
		unlink(sights[i].path);
	if (is_rotated)
		check_rows_once(positions[KILLS_A_ROUND - 1] * KILL_ROWS);
	else if (positions[KILLS_A_ROUND - 1])
		check_file("k.root", &data_wide, 0, positions[KILLS_A_ROUND - 1] * KILL_ROWS);
	*ret_commits += positions[KILLS_A_ROUND - 1];
	return behind;
}

static void kills_leave_what_was_committed(void **state)
{
	unsigned behind = 0;
	uint64_t commits = 0;

	(void)state;
	for (unsigned round = 0; round < KILLS / KILLS_A_ROUND; round++)
		behind += kill_round(round, false, &commits);
	assert_true(commits > KILLS / 4); /* else the kills came too early to show anything */
	print_message("%u kills; %u of them between a commit and its switch\n", KILLS, behind);
}

/* Each file is left after a few commits: kills also meet the end of one and the begin of the next. */
static void kills_between_parts_leave_what_was_committed(void **state)
{
	unsigned behind = 0;
	uint64_t commits = 0;

	(void)state;
	kind.store_keys = "rotate_mb = 0.03";
	for (unsigned round = 0; round < ROTATED_ROUNDS; round++)
		behind += kill_round(round, true, &commits);
	kind.store_keys = NULL;
	assert_true(commits > ROTATED_ROUNDS * KILLS_A_ROUND);
	print_message("%u kills, %llu commits; %u kills between a commit and its switch\n",
		ROTATED_ROUNDS * KILLS_A_ROUND, (unsigned long long)commits, behind);
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
			void *message = data_build_message(&data_wide, "s", "", k + 1, 50 * k, 50, 1, 0, &bytes);
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
		cmocka_unit_test_setup_teardown(kills_leave_what_was_committed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kills_between_parts_leave_what_was_committed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(positions_beyond_4_gb_are_read, set_up, tear_down),
	};

	setenv("TZ", "UTC", 1);
	log_init("root", ENRG_ERROR);
	if (getenv("ENRG_TEST")) /* one of them */
		cmocka_set_test_filter(getenv("ENRG_TEST"));
	return cmocka_run_group_tests_name("interop.root", tests, NULL, NULL);
}

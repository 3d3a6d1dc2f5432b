/* rules_test.c: rotation, guard of free space, syncing and direct I/O, as a store asks for them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "fixtures/store_alone.h"
#include "handover/leftover.h"
#include "job/file/file.h"
#include "job/file/guard.h"
#include "job/file/handle.h"
#include "job/file/series.h"
#include "job/file/sync.h"

#define NS_PER_S 1000000000ull

static char journal_path[128], base[128];
static struct enrg_file_options options;

static void open_store(void)
{
	struct enrg_error err = {0};

	if (store_create_alone("test", journal_path, &store, &err) != 0)
		fail_msg("%s", err.text);
	leftover_cut(store->journal);
	enrg_store_set_files(store, &options);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/policy_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
	snprintf(base, sizeof(base), "%s/out/a.csv", folder);
	options = (struct enrg_file_options){.rules = {.sync_seconds = 1}};
	open_store();
	return 0;
}

/* As by a kill. */
static void restart(void)
{
	store_destroy_alone(store);
	open_store();
}

/* The next write of whole pages ends in the middle of one, as the last that fits on a disk of smaller blocks. */
static bool is_next_torn;

static unsigned direct_writes;
static bool refuses_direct; /* as a disk would that wants pages and said otherwise */

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset)
{
	bool is_direct = fcntl(descriptor, F_GETFL) & O_DIRECT;

	direct_writes += is_direct;
	if (is_direct && refuses_direct && (uintptr_t)bytes % 4096) {
		errno = EINVAL;
		return -1;
	}
	if (is_next_torn && count > 4096 && count % 4096 == 0) {
		is_next_torn = false;
		count -= 4096 - 512;
	}
	return syscall(SYS_pwrite64, descriptor, bytes, count, offset);
}

static const char *part_of(const char *run)
{
	static char part[300];
	struct enrg_error err = {0};

	if (enrg_file_part(store, base, run, part, sizeof(part), &err) != 0)
		fail_msg("%s", err.text);
	return part;
}

static struct enrg_file *open_part(const char *run)
{
	struct enrg_file *file = NULL;
	struct enrg_error err = {0};

	if (enrg_file_open(store, part_of(run), &file, &err) != 0)
		fail_msg("%s", err.text);
	return file;
}

static void write_text(struct enrg_file *file, const char *text)
{
	assert_int_equal(enrg_file_write(file, text, strlen(text), NULL), 0);
}

/* What a store does with a batch. */
static void store_line(struct enrg_file **file, const char *text)
{
	if (enrg_file_is_due(*file, "r1")) {
		struct enrg_file *next = open_part("r1");
		enrg_file_close(*file);
		*file = next;
	}
	write_text(*file, text);
}

static size_t count_files(void)
{
	char path[128];
	size_t count = 0;

	snprintf(path, sizeof(path), "%s/out", folder);
	DIR *directory = opendir(path);
	assert_non_null(directory);
	for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory))
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

/* --- rotation ----------------------------------------------------------------------------------------------------- */

static void without_keys_a_path_stays_as_it_is(void **state)
{
	(void)state;
	assert_string_equal(part_of("r1"), base);
	struct enrg_file *file = open_part("r1");
	write_text(file, "a line\n");
	store_commit_alone(store);
	assert_false(enrg_file_is_due(file, "r2"));
	char path[8];
	assert_int_equal(enrg_file_part(store, base, "r1", path, sizeof(path), NULL), -ENAMETOOLONG);
}

static void a_full_file_is_followed_by_another(void **state)
{
	(void)state;
	options.rules.rotate_mb = 20e-6;
	struct enrg_file *file = open_part("r1");
	char first[300];
	strcpy(first, enrg_file_name_of(file));
	write_text(file, "0123456789");
	store_commit_alone(store);
	assert_false(enrg_file_is_due(file, "r1")); /* not full */
	write_text(file, "0123456789");
	assert_false(enrg_file_is_due(file, "r1")); /* not committed */
	assert_string_equal(part_of("r1"), first);
	store_commit_alone(store);
	assert_true(enrg_file_is_due(file, "r1"));
	struct enrg_file *second = open_part("r1");
	assert_string_not_equal(enrg_file_name_of(second), first);
	assert_int_equal(enrg_file_size(second), 0);
	assert_true(strcmp(enrg_file_name_of(second), first) > 0 || strstr(enrg_file_name_of(second), "Z_002"));
	/* Whoever still writes to the first leaves it too. */
	assert_true(enrg_file_is_due(file, "r1"));
	assert_false(enrg_file_is_due(second, "r1"));
	assert_true(open_part("r1") == second);
}

static void a_restart_goes_on_with_the_newest(void **state)
{
	(void)state;
	options.rules.rotate_mb = 20e-6;
	char path[300];
	snprintf(path, sizeof(path), "%s/out/x", folder);
	assert_int_equal(path_make_parent(path, 0755, NULL), 0);
	static const char *const names[] = {"a_20200101T000000Z.csv", "a_20260101T000000Z_002.csv",
		"a_20260101T000000Z.csv", "a_20251231T235959Z_010.csv", "a_99990101T000000Z.csv.zst",
		"a_b_20270101T000000Z.csv", "a_20270101T000000.csv"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/out/%s", folder, names[i]);
		assert_int_equal(path_write_file(path, "x", 1, 0, NULL), 0);
	}
	assert_non_null(strstr(part_of("r1"), "/a_20260101T000000Z_002.csv"));
	struct enrg_file *file = open_part("r1");
	write_text(file, "01234567890123456789");
	store_commit_alone(store);
	restart();
	/* Full: a restart begins another. */
	assert_null(strstr(part_of("r1"), "a_20260101"));
}

static const char *new_part_of(const char *run)
{
	static char part[300];
	struct enrg_error err = {0};

	if (enrg_file_new_part(store, base, run, part, sizeof(part), &err) != 0)
		fail_msg("%s", err.text);
	return part;
}

static void a_new_part_is_never_one_with_bytes(void **state)
{
	(void)state;
	assert_string_equal(new_part_of("r1"), base);
	options.rules.rotate_mb = 1;
	char first[300], second[300];
	snprintf(first, sizeof(first), "%s/out/a_20260101T000000Z.csv", folder);
	assert_int_equal(path_make_parent(first, 0755, NULL), 0);
	assert_int_equal(path_write_file(first, "x", 1, 0, NULL), 0);
	strcpy(second, new_part_of("r1"));
	assert_null(strstr(second, "a_20260101"));
	assert_null(strstr(second + strlen(second) - 9, "_1"));
	struct enrg_file *file = NULL;
	assert_int_equal(enrg_file_open(store, second, &file, NULL), 0);
	assert_string_equal(new_part_of("r1"), second); /* nothing is in it */
	write_text(file, "not committed");
	assert_string_not_equal(new_part_of("r1"), second);
	assert_true(strcmp(new_part_of("r1"), second) > 0 || strstr(new_part_of("r1"), "Z_00"));
	/* After a kill the cut one is taken again. */
	restart();
	assert_string_equal(new_part_of("r1"), second);
}

static void a_kill_between_two_parts_loses_and_repeats_nothing(void **state)
{
	(void)state;
	options.rules.rotate_mb = 7e-6;
	struct enrg_file *file = open_part("r1");
	store_line(&file, "batch 1\n");
	store_commit_alone(store);
	store_line(&file, "batch 2\n"); /* in another file */
	char second[300];
	strcpy(second, enrg_file_name_of(file));
	assert_int_equal(count_files(), 2);
	restart();
	file = open_part("r1");
	assert_string_equal(enrg_file_name_of(file), second);
	assert_int_equal(enrg_file_size(file), 0);
	store_line(&file, "batch 2\n");
	store_commit_alone(store);
	assert_int_equal(count_files(), 2);
	assert_int_equal(enrg_file_size(file), 8);
}

static void thousands_of_parts_do_not_fill_the_journal(void **state)
{
	(void)state;
	options.rules.rotate_mb = 1e-6;
	struct enrg_file *file = open_part("r1");
	for (int i = 0; i < 3000; i++) {
		store_line(&file, "a line\n");
		store_commit_alone(store);
		if (i % 500 == 499) { /* a new life */
			restart();
			file = open_part("r1");
		}
	}
	assert_int_equal(count_files(), 3000 + 1);                      /* the last life has opened one more */
	assert_true(store->files.series && !store->files.series->next); /* nothing is kept of those that are done */
}

static void a_run_has_a_file_of_its_own(void **state)
{
	(void)state;
	options.rules.rotate_run = true;
	struct enrg_file *file = open_part("run/1");
	assert_non_null(strstr(enrg_file_name_of(file), "/out/a_run_1.csv"));
	write_text(file, "a line\n");
	store_commit_alone(store);
	assert_false(enrg_file_is_due(file, "run/1"));
	assert_true(enrg_file_is_due(file, "run/2"));
	assert_non_null(strstr(part_of("run/2"), "/out/a_run_2.csv"));
	/* What is closed is forgotten: years of days and runs take no memory. */
	struct enrg_file *next = open_part("run/2");
	enrg_file_close(file);
	assert_true(store->files.series->file == next && !store->files.series->next);
	enrg_file_close(next);
	assert_null(store->files.series);
	options.rules.rotate_seconds = 3600;
	restart();
	assert_non_null(strstr(part_of("run/2"), "/out/a_run_2_2"));
}

static void time_rotates_at_full_multiples(void **state)
{
	(void)state;
	struct series series = {.part = "x", .started_s = 7199, .begun_mono_ns = clock_mono_ns()};
	struct enrg_file_rules rules = {.rotate_seconds = 3600};

	assert_false(series_is_full(&series, &rules, 1 << 20, 7199 * NS_PER_S));
	assert_true(series_is_full(&series, &rules, 1 << 20, 7200 * NS_PER_S));
	assert_false(series_is_full(&series, &rules, 1 << 20, 100 * NS_PER_S)); /* a clock that was set back */
	series.begun_mono_ns -= 3600 * NS_PER_S;                                /* a period ago: it holds up nothing */
	assert_true(series_is_full(&series, &rules, 1 << 20, 100 * NS_PER_S));
	rules.rotate_seconds = 0.01;
	assert_false(series_is_full(&series, &rules, 1, 7199 * NS_PER_S));
	assert_true(series_is_full(&series, &rules, 1, 7200 * NS_PER_S));
}

static void names_follow_a_clock_that_was_wrong(void **state)
{
	(void)state;
	struct series series = {.path = "/nowhere/x.csv", .begun_mono_ns = clock_mono_ns()};
	struct enrg_file_rules rules = {.rotate_seconds = 3600};

	assert_int_equal(series_advance(&series, &rules, 86400 * NS_PER_S), 0);
	assert_string_equal(series.part, "/nowhere/x_19700102T000000Z.csv");
	assert_int_equal(
		series_advance(&series, &rules, 86390 * NS_PER_S), 0); /* put right by a little: names still sort */
	assert_string_equal(series.part, "/nowhere/x_19700102T000000Z_002.csv");
	assert_int_equal(series_advance(&series, &rules, 3600 * NS_PER_S), 0);
	assert_string_equal(series.part, "/nowhere/x_19700101T010000Z.csv");
	free(series.part);
}

/* A part that was begun under a clock that was ahead is not gone on with. */
static void a_part_of_the_future_is_left(void **state)
{
	(void)state;
	options.rules.rotate_seconds = 3600;
	restart();
	const char *first = part_of("run/1");
	char future[PATH_MAX];
	const char *stamp = strrchr(first, '_');

	snprintf(future, sizeof(future), "%.*s_29991231T235959Z%s", (int)(stamp - first), first, strrchr(first, '.'));
	assert_int_equal(path_make_parent(future, 0755, NULL), 0);
	assert_int_equal(path_write_file(future, "x", 1, 0, NULL), 0);
	restart();
	assert_null(strstr(part_of("run/1"), "2999"));
	assert_int_equal(unlink(future), 0);
}

/* --- free space --------------------------------------------------------------------------------------------------- */

static enum enrg_level told;
static char told_text[500];

static void remember(void *context, enum enrg_level level, const char *text)
{
	(void)context;
	told = level;
	snprintf(told_text, sizeof(told_text), "%s", text);
}

static void writing_stops_before_the_disk_is_full(void **state)
{
	(void)state;
	struct enrg_error err = {0};
	struct statvfs disk;
	uint64_t now = 10 * NS_PER_S;

	assert_int_equal(statvfs(folder, &disk), 0);
	double is_free = (double)disk.f_bavail * (double)disk.f_frsize / 1e9;
	options.rules.has_min_free_gb = true;
	options.rules.min_free_gb = is_free / 10;
	store->files.alert = remember;
	open_part("r1");
	told_text[0] = '\0';
	assert_int_equal(file_guard_check(&store->files, now, &err), 0);
	assert_string_equal(told_text, "");
	options.rules.min_free_gb = is_free * 0.7;
	assert_int_equal(file_guard_check(&store->files, now + NS_PER_S / 2, &err), 0); /* not yet */
	assert_string_equal(told_text, "");
	assert_int_equal(file_guard_check(&store->files, now += NS_PER_S, &err), 0);
	assert_int_equal(told, ENRG_WARNING);
	assert_non_null(strstr(told_text, "min_free_gb"));
	told_text[0] = '\0';
	assert_int_equal(file_guard_check(&store->files, now += NS_PER_S, &err), 0);
	assert_string_equal(told_text, ""); /* once */
	options.rules.min_free_gb = is_free * 2;
	assert_int_equal(file_guard_check(&store->files, now += NS_PER_S, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "before the disk is full"));
	assert_memory_equal(err.text, folder, strlen(folder));
	assert_memory_equal(err.text + strlen(folder), "/out/: only", 11); /* the folder, and no file of ours */
	assert_int_equal(disk_guard_check_again(&store->files.guard, &err), -ENOSPC);
	options.rules.min_free_gb = is_free * 0.95; /* enough, but it would be too little again at once */
	assert_int_equal(disk_guard_check_again(&store->files.guard, &err), -ENOSPC);
	options.rules.min_free_gb = is_free / 10;
	assert_int_equal(disk_guard_check_again(&store->files.guard, &err), 0);
	assert_int_equal(file_guard_check(&store->files, now += NS_PER_S, &err), 0);
	assert_int_equal(told, ENRG_INFO);
	assert_non_null(strstr(told_text, "again"));
}

/* Of a store that writes through a library of its own, which the framework does not see. */
static void the_disk_of_a_folder_is_watched(void **state)
{
	(void)state;
	struct enrg_error err = {0};
	uint64_t now = 1000 * NS_PER_S;

	options.rules.has_min_free_gb = true;
	options.rules.min_free_gb = 1e8;
	enrg_store_set_files(store, &options);
	store->files.alert = remember;
	assert_int_equal(file_guard_check(&store->files, now, &err), 0); /* no file, no folder */
	assert_true(enrg_store_guard_folder(store, "/nowhere/at/all", &err) < 0);
	assert_int_equal(enrg_store_guard_folder(store, folder, &err), 0);
	assert_int_equal(enrg_store_guard_folder(store, folder, &err), 0);
	assert_int_equal(store->files.guard.folder_count, 1);
	assert_int_equal(file_guard_check(&store->files, now += NS_PER_S, &err), -ENOSPC);
	assert_non_null(strstr(err.text, folder));
	assert_int_equal(disk_guard_check_again(&store->files.guard, &err), -ENOSPC);
	options.rules.min_free_gb = 1e-6;
	assert_int_equal(disk_guard_check_again(&store->files.guard, &err), 0);
	told_text[0] = '\0';
	assert_int_equal(file_guard_check(&store->files, now += NS_PER_S, &err), 0);
	assert_string_equal(told_text, ""); /* the store says that it goes on; nothing was told before */
}

/* On a disk smaller than the default reserve a store without keys must work. */
static void the_default_reserve_is_at_most_a_tenth(void **state)
{
	(void)state;
	struct enrg_error err = {0};

	options.rules.min_free_gb = 1e8;
	open_part("r1");
	int rc = file_guard_check(&store->files, NS_PER_S, &err);
	struct statvfs disk;
	assert_int_equal(statvfs(folder, &disk), 0);
	assert_int_equal(rc, disk.f_bavail < disk.f_blocks / 10 ? -ENOSPC : 0);
	options.rules.min_free_gb = 0;
	store->files.guard.next_check_ns = 0;
	assert_int_equal(file_guard_check(&store->files, NS_PER_S, &err), 0);
}

/* --- syncing ------------------------------------------------------------------------------------------------------ */

static void files_are_synced_in_time(void **state)
{
	(void)state;
	options.sync = ENRG_FILE_SYNC_INTERVAL;
	struct enrg_file *file = open_part("r1");
	write_text(file, "a line\n");
	store_commit_alone(store);
	uint64_t since = file->unsynced_ns;
	assert_true(since > 0);
	assert_int_equal(file_sync_due(&store->files, since + NS_PER_S / 2, 0, NULL), 0);
	assert_int_equal(file->unsynced_ns, since);
	assert_int_equal(file_sync_due(&store->files, since + NS_PER_S / 2, NS_PER_S, NULL), 0);
	assert_int_equal(file->unsynced_ns, 0);
	/* A store that asks for each commit is never behind. */
	enrg_file_set_sync(file, 0);
	write_text(file, "a line\n");
	assert_int_equal(file_sync_due(&store->files, since, 0, NULL), 0);
	store_commit_alone(store);
	assert_int_equal(file->unsynced_ns, 0);
	enrg_file_set_sync(file, 5);
	assert_int_equal(file->sync_ns, 0);
}

/* In place of the C library's: counts, and syncs nothing. */
static unsigned data_syncs, folder_syncs;

int fdatasync(int descriptor)
{
	data_syncs += descriptor >= 0;
	return 0;
}

int fsync(int descriptor)
{
	folder_syncs += descriptor >= 0;
	return 0;
}

static void a_replaced_file_is_synced_where_each_commit_is(void **state)
{
	(void)state;
	options.sync = ENRG_FILE_SYNC_INTERVAL;
	data_syncs = folder_syncs = 0;
	assert_int_equal(enrg_file_replace(store, base, "image", 5, NULL), 0);
	assert_int_equal(data_syncs + folder_syncs, 0);
	options.sync = ENRG_FILE_SYNC_COMMIT;
	assert_int_equal(enrg_file_replace(store, base, "image", 5, NULL), 0);
	assert_int_equal(data_syncs, 1);
	assert_int_equal(folder_syncs, 1);
}

static void none_is_never_synced(void **state)
{
	(void)state;
	struct enrg_file *file = open_part("r1");
	write_text(file, "a line\n");
	store_commit_alone(store);
	uint64_t since = file->unsynced_ns;
	assert_int_equal(file_sync_due(&store->files, since + 1000000 * NS_PER_S, NS_PER_S, NULL), 0);
	assert_int_equal(file->unsynced_ns, since);
	enrg_file_set_sync(file, 5);
	assert_int_equal(file_sync_due(&store->files, since + 6 * NS_PER_S, 0, NULL), 0);
	assert_int_equal(file->unsynced_ns, 0);
}

/* --- direct I/O --------------------------------------------------------------------------------------------------- */

static void expect_bytes(const char *path, const uint8_t *want, size_t want_count)
{
	char *bytes;
	size_t count;

	assert_int_equal(path_read_file(path, 64 << 20, &bytes, &count, NULL), 0);
	assert_int_equal(count, want_count);
	assert_memory_equal(bytes, want, count);
	free(bytes);
}

static void large_batches_go_past_the_page_cache(void **state)
{
	enum { BYTES = 3 << 20, ROUNDS = 4 };
	uint8_t *want = calloc(1, (size_t)ROUNDS * (BYTES + 8192)), *ring = aligned_alloc(4096, BYTES + 4096);
	size_t count = 0;

	(void)state;
	assert_true(want && ring);
	options.rules.direct_io = true;
	struct enrg_file *file = open_part("r1");
	for (int round = 0; round < ROUNDS; round++) {
		const uint8_t *body = ring + 200 + round * 8;
		size_t body_bytes = BYTES - 1000 + (size_t)round;
		static const uint8_t zeros[4096];
		memset(ring, 'a' + round, BYTES + 4096);
		assert_int_equal(enrg_file_write(file, "head", 4, NULL), 0);
		memcpy(want + count, "head", 4);
		count += 4;
		uint32_t padding = enrg_file_padding(file, 16, body, body_bytes);
		assert_in_range(padding, 1, 4095);
		assert_int_equal(enrg_file_write(file, zeros, 16 + padding, NULL), 0);
		count += 16 + padding;
		assert_int_equal(((uintptr_t)body - enrg_file_size(file)) % 4096, 0);
		is_next_torn = round == 2;
		assert_int_equal(enrg_file_write(file, body, body_bytes, NULL), 0);
		memcpy(want + count, body, body_bytes);
		count += body_bytes;
		store_commit_alone(store);
		expect_bytes(base, want, count);
		/* -2: this file system can't, and the page cache took it. */
		assert_true(file->direct >= 0 || file->direct == -2);
	}
	assert_int_equal(enrg_file_padding(file, 0, ring, 1000), 0);
	options.rules.direct_io = false;
	assert_int_equal(enrg_file_padding(file, 0, ring + 1, BYTES), 0);
	free(want);
	free(ring);
}

/* Whole pages of the file from memory that begins anywhere the disk can read: past the page cache, and nothing lost
 * where the disk then refuses. Elsewhere a copy is wanted. */
static void direct_from_anywhere(void **state)
{
	enum { BYTES = 3 << 20 };
	static const size_t places[] = {0, 512, 3584, 100, 4, 2048, 512};
	uint8_t *memory = aligned_alloc(4096, BYTES + 4096), *want = malloc(7 * (size_t)BYTES);
	size_t count = 0;

	(void)state;
	assert_true(memory && want);
	options.rules.direct_io = true;
	struct enrg_file *file = open_part("r1");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		memset(memory, 'a' + (int)i, BYTES + 4096);
		bool wants_copy = enrg_file_wants_copy(file, memory + places[i], BYTES);
		bool is_placed = file->direct >= 0 && places[i] % file->memory_align == 0;
		assert_int_equal(wants_copy, file->direct >= 0 && !is_placed);
		direct_writes = 0;
		refuses_direct = i == 5;
		assert_int_equal(enrg_file_write(file, memory + places[i], BYTES, NULL), 0);
		assert_int_equal(direct_writes, is_placed);
		memcpy(want + count, memory + places[i], BYTES);
		count += BYTES;
		store_commit_alone(store);
		expect_bytes(base, want, count);
	}
	/* what was refused is not asked for again, pages still are */
	assert_true(file->direct < 0 || file->memory_align == 4096);
	assert_false(enrg_file_wants_copy(file, memory + 1, 1000));
	options.rules.direct_io = false;
	assert_false(enrg_file_wants_copy(file, memory + 1, BYTES));
	free(memory);
	free(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_keys_a_path_stays_as_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_file_is_followed_by_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_new_part_is_never_one_with_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_restart_goes_on_with_the_newest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_kill_between_two_parts_loses_and_repeats_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(thousands_of_parts_do_not_fill_the_journal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_run_has_a_file_of_its_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(time_rotates_at_full_multiples, set_up, tear_down),
		cmocka_unit_test(names_follow_a_clock_that_was_wrong),
		cmocka_unit_test_setup_teardown(a_part_of_the_future_is_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(writing_stops_before_the_disk_is_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_disk_of_a_folder_is_watched, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_default_reserve_is_at_most_a_tenth, set_up, tear_down),
		cmocka_unit_test_setup_teardown(files_are_synced_in_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_replaced_file_is_synced_where_each_commit_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(none_is_never_synced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(large_batches_go_past_the_page_cache, set_up, tear_down),
		cmocka_unit_test_setup_teardown(direct_from_anywhere, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("job.file.rules", tests, NULL, NULL);
}

/* placing_test.c: a copy gets its name when it was read back, and takes nobody else's place. */
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "placing.h"

static char work[64], from[80], target[80];
static int folder;
static struct way way;
static struct way_result result;
static struct enrg_error err;

static void write_file(const char *base, const char *name, const char *text, size_t repeat)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	for (size_t i = 0; i < repeat; i++)
		fputs(text, file);
	fclose(file);
}

static void expect_file(const char *base, const char *name, const char *text, size_t repeat)
{
	char path[300], line[64];
	size_t length = strlen(text);

	snprintf(path, sizeof(path), "%s/%s", base, name);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	for (size_t i = 0; i < repeat; i++) {
		assert_int_equal(fread(line, 1, length, file), length);
		assert_memory_equal(line, text, length);
	}
	assert_int_equal(fgetc(file), EOF);
	fclose(file);
}

static int run(void)
{
	int rc;

	do
		rc = way.type->step(way.self, &result, &err);
	while (rc == WAY_AGAIN);
	return rc;
}

static int copy(const char *name, const struct way_result *earlier)
{
	const struct way_file file = {.folder = folder,
		.root = from,
		.name = name,
		.earlier_bytes = earlier ? earlier->bytes : 0,
		.earlier_name = earlier ? earlier->archived : NULL,
		.earlier_digest = earlier ? earlier->digest : NULL};
	int rc = way.type->begin(way.self, &file, &err);

	return rc < 0 ? rc : run();
}

/* Names in the target, but for the marker. */
static unsigned count_files(const char *path)
{
	DIR *entries = opendir(path);
	unsigned count = 0;

	assert_non_null(entries);
	for (struct dirent *entry; (entry = readdir(entries));)
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			 strcmp(entry->d_name, "marker") != 0;
	closedir(entries);
	return count;
}

/* In place of libc's: which folders are on the disk. */
static ino_t synced[16];
static unsigned synced_count;

int fsync(int descriptor)
{
	struct stat status;

	if (fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode) && synced_count < 16)
		synced[synced_count++] = status.st_ino;
	return (int)syscall(SYS_fsync, descriptor);
}

static bool is_synced(const char *name)
{
	struct stat status;
	char path[300];
	bool is_found = false;

	snprintf(path, sizeof(path), "%s/%s", target, name);
	assert_int_equal(stat(path, &status), 0);
	for (unsigned i = 0; i < synced_count; i++)
		is_found = is_found || synced[i] == status.st_ino;
	return is_found;
}

/* A power cut behind the removal of the original takes no folder away that was made for its copy. */
static void new_folders_are_synced(void **state)
{
	char path[300];

	(void)state;
	snprintf(path, sizeof(path), "%s/new", from);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/new/er", from);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file(from, "new/er/a.csv", "1", 1);
	synced_count = 0;
	assert_int_equal(copy("new/er/a.csv", NULL), WAY_DONE);
	assert_true(is_synced("new/er") && is_synced("new") && is_synced("."));
}

static void a_copy_is_the_same(void **state)
{
	char path[300];
	struct stat original, there;

	(void)state;
	snprintf(path, sizeof(path), "%s/deep", from);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file(from, "deep/a b.csv", "12345678", 300000); /* 2.4 MB: three pieces */
	const struct timespec times[2] = {{1000, 1}, {1000000000, 123456789}};
	assert_int_equal(utimensat(folder, "deep/a b.csv", times, 0), 0);
	assert_int_equal(copy("deep/a b.csv", NULL), WAY_DONE);
	assert_string_equal(result.archived, "deep/a b.csv");
	assert_int_equal(result.bytes, 2400000);
	assert_true(result.changed_ns == 1000000000123456789);
	expect_file(target, "deep/a b.csv", "12345678", 300000);
	assert_int_equal(fstatat(folder, "deep/a b.csv", &original, 0), 0);
	snprintf(path, sizeof(path), "%s/deep/a b.csv", target);
	assert_int_equal(stat(path, &there), 0);
	assert_true(
		there.st_mtim.tv_sec == original.st_mtim.tv_sec && there.st_mtim.tv_nsec == original.st_mtim.tv_nsec);
	snprintf(path, sizeof(path), "%s/deep", target);
	assert_int_equal(count_files(path), 1);
	write_file(from, "empty", "", 0);
	assert_int_equal(copy("empty", NULL), WAY_DONE);
	assert_int_equal(result.bytes, 0);
}

/* Twice the same is one copy; a file that grew replaces its copy; another file of that name gets another one. */
static void nothing_else_is_overwritten(void **state)
{
	struct way_result first;

	(void)state;
	write_file(from, "grows", "one", 1);
	assert_int_equal(copy("grows", NULL), WAY_DONE);
	first = result;
	assert_int_equal(copy("grows", NULL), WAY_DONE); /* killed before it was noted */
	assert_string_equal(result.archived, "grows");
	write_file(from, "grows", "one", 2);
	assert_int_equal(copy("grows", &first), WAY_DONE);
	assert_string_equal(result.archived, "grows");
	expect_file(target, "grows", "one", 2);
	first = result;
	write_file(from, "grows", "two", 3); /* not what is there, and more */
	const struct timespec times[2] = {{1000, 1}, {1795867200, 5}};
	assert_int_equal(utimensat(folder, "grows", times, 0), 0);
	assert_int_equal(copy("grows", &first), WAY_DONE);
	assert_string_equal(result.archived, "grows~20261128T120000Z");
	expect_file(target, "grows", "one", 2);
	expect_file(target, "grows~20261128T120000Z", "two", 3);
	write_file(from, "grows", "three", 1); /* of the same second */
	assert_int_equal(utimensat(folder, "grows", times, 0), 0);
	assert_int_equal(copy("grows", NULL), WAY_DONE);
	assert_string_equal(result.archived, "grows~20261128T120000Z_2");
	/* something that was put there by others */
	write_file(target, "foreign", "theirs", 1);
	write_file(from, "foreign", "ours", 1);
	assert_int_equal(utimensat(folder, "foreign", times, 0), 0);
	assert_int_equal(copy("foreign", NULL), WAY_DONE);
	assert_string_equal(result.archived, "foreign~20261128T120000Z");
	expect_file(target, "foreign", "theirs", 1);
}

static void a_target_without_its_marker_is_not_touched(void **state)
{
	char path[300];
	unsigned before = count_files(target);

	(void)state;
	write_file(from, "b", "b", 1);
	snprintf(path, sizeof(path), "%s/marker", target);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(copy("b", NULL), -ENODEV);
	assert_non_null(strstr(err.text, "touch"));
	assert_int_equal(count_files(target), before);
	write_file(target, "marker", "", 0);
	assert_int_equal(copy("none", NULL), -ENOENT);
	assert_int_equal(count_files(target), before);
}

static void what_is_given_up_leaves_nothing(void **state)
{
	unsigned before = count_files(target);
	const struct way_file file = {.folder = folder, .root = from, .name = "b"};

	(void)state;
	assert_int_equal(way.type->begin(way.self, &file, &err), 0);
	assert_int_equal(way.type->step(way.self, &result, &err), WAY_AGAIN);
	assert_int_equal(count_files(target), before + 1);
	way.type->abort(way.self);
	assert_int_equal(count_files(target), before);
	/* changed while it is read */
	assert_int_equal(way.type->begin(way.self, &file, &err), 0);
	assert_int_equal(way.type->step(way.self, &result, &err), WAY_AGAIN);
	write_file(from, "b", "other", 2);
	assert_int_equal(run(), -EBUSY);
	assert_int_equal(count_files(target), before);
}

static void proofs_hold_or_not(void **state)
{
	char path[300];

	(void)state;
	write_file(from, "p", "proof", 100);
	assert_int_equal(copy("p", NULL), WAY_DONE);
	assert_int_equal(way.type->begin_proof(way.self, "p", result.digest, &err), 0);
	assert_int_equal(run(), WAY_DONE);
	char digest[DIGEST_TEXT_BYTES];
	strcpy(digest, result.digest);
	write_file(target, "p", "prooF", 100);
	assert_int_equal(way.type->begin_proof(way.self, "p", digest, &err), 0);
	assert_int_equal(run(), ENRG_E_CORRUPT);
	snprintf(path, sizeof(path), "%s/p", target);
	unlink(path);
	assert_int_equal(way.type->begin_proof(way.self, "p", digest, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_is_the_same),
		cmocka_unit_test(new_folders_are_synced),
		cmocka_unit_test(nothing_else_is_overwritten),
		cmocka_unit_test(a_target_without_its_marker_is_not_touched),
		cmocka_unit_test(what_is_given_up_leaves_nothing),
		cmocka_unit_test(proofs_hold_or_not),
	};
	const struct placing_params params = {target, "marker", "job"};
	char command[100];

	strcpy(work, "/tmp/placing_test.XXXXXX");
	if (!mkdtemp(work))
		return 1;
	snprintf(from, sizeof(from), "%s/from", work);
	snprintf(target, sizeof(target), "%s/target", work);
	if (mkdir(from, 0700) || mkdir(target, 0700) || (folder = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return 1;
	write_file(target, "marker", "", 0);
	if (placing_create(&params, &way, &err) < 0)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	way.type->destroy(way.self);
	snprintf(command, sizeof(command), "rm -rf '%s'", work);
	return system(command) || failed;
}

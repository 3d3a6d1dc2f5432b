/* piece_test.c: parts of plain files, and of nothing else. */
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

#include "web/record/piece.h"

static char folder[64];

static const char *path_of(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int make_folder(void **state)
{
	FILE *file;

	(void)state;
	strcpy(folder, "/dev/shm/enrg-piece-XXXXXX");
	assert_non_null(mkdtemp(folder));
	file = fopen(path_of("data"), "w");
	assert_non_null(file);
	fputs("0123456789", file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(symlink("data", path_of("link")), 0);
	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	return mkdir(path_of("folder"), 0700);
}

static int remove_folder(void **state)
{
	char line[200];

	(void)state;
	snprintf(line, sizeof(line), "rm -rf %s", folder);
	return system(line);
}

static void reads(uint64_t from, size_t count, const char *wanted)
{
	struct piece piece = {0};

	assert_int_equal(piece_read(path_of("data"), from, count, &piece, NULL), 0);
	assert_int_equal(piece.count, strlen(wanted));
	assert_memory_equal(piece.bytes, wanted, piece.count);
	assert_int_equal(piece.file_bytes, 10);
	free(piece.bytes);
}

static void parts_of_a_file(void **state)
{
	(void)state;
	reads(0, 4, "0123");
	reads(4, 4, "4567");
	reads(8, 4, "89");
	reads(10, 4, "");
	reads(UINT64_MAX, 4, "");
	reads(INT64_MAX, 4, "");
	reads(0, 0, "");
	reads(0, SIZE_MAX, "0123456789");
}

static void nothing_but_files(void **state)
{
	static const char *const names[] = {"link", "fifo", "folder", "none", "..", ".", ""};
	struct piece piece;
	struct enrg_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (piece_read(path_of(names[i]), 0, 4, &piece, &err) != -ENOENT)
			fail_msg("%s: %s", names[i], err.text);
	assert_int_equal(piece_read("data", 0, 4, &piece, &err), -ENOENT);
	assert_int_equal(piece_read("", 0, 4, &piece, &err), -ENOENT);
	assert_int_equal(piece_read("/dev/zero", 0, 4, &piece, &err), -ENOENT);
	assert_int_equal(piece_read("/proc/self/exe", 0, 4, &piece, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(parts_of_a_file), cmocka_unit_test(nothing_but_files)};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

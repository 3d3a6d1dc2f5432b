/* records_test.c: what was written is there after any end of the process, and what was not whole is not believed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "records.h"

static char path[80];

static struct record make(const char *name, uint64_t bytes, bool is_removed)
{
	struct record record = {.name = (char *)(uintptr_t)name,
		.archived = (char *)(uintptr_t)name,
		.bytes = bytes,
		.changed_ns = -5,
		.proved_ns = 7,
		.is_removed = is_removed};

	assert_int_equal(digest_of(name, strlen(name), record.digest), 0);
	return record;
}

static struct records *open_records(uint64_t wanted_dropped)
{
	struct records *records = NULL;
	struct enrg_error err = {0};
	uint64_t dropped;

	if (records_open(path, &records, &dropped, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(dropped, wanted_dropped);
	return records;
}

static void put(struct records *records, const char *name, uint64_t bytes, bool is_removed)
{
	struct record record = make(name, bytes, is_removed);

	assert_int_equal(records_put(records, &record, NULL), 0);
}

static void expect(const struct records *records, const char *name, uint64_t bytes, bool is_removed)
{
	const struct record *found = records_find(records, name);
	struct record wanted = make(name, bytes, is_removed);

	assert_non_null(found);
	assert_string_equal(found->name, wanted.name);
	assert_string_equal(found->archived, wanted.archived);
	assert_string_equal(found->digest, wanted.digest);
	assert_int_equal(found->bytes, bytes);
	assert_true(found->changed_ns == -5 && found->proved_ns == 7);
	assert_int_equal(found->is_removed, is_removed);
}

static void digests_are_those_of_the_standard(void **state)
{
	char text[DIGEST_TEXT_BYTES];

	(void)state;
	assert_int_equal(digest_of("abc", 3, text), 0);
	assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(digest_of("", 0, text), 0);
	assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void what_was_put_is_there_again(void **state)
{
	struct records *records = open_records(0);
	static const char odd[] = "deep/ a%b\n\xc3\xa4\x7f.csv";

	(void)state;
	put(records, "b", 1, false);
	put(records, "a", 2, false);
	put(records, odd, UINT64_MAX, false);
	put(records, "b", 3, true);
	for (int pass = 0; pass < 2; pass++) {
		expect(records, "a", 2, false);
		expect(records, "b", 3, true);
		expect(records, odd, UINT64_MAX, false);
		assert_null(records_find(records, "c"));
		if (pass == 0) {
			records_close(records);
			records = open_records(0);
		}
	}
	uint64_t dropped;
	struct records *other;
	assert_int_equal(records_open(path, &other, &dropped, NULL), -EBUSY);
	records_close(records);
}

/* Cut at any byte, as a power cut leaves it: whole lines count, and what is put then is a line of its own. */
static void torn_lines_are_dropped(void **state)
{
	struct stat status;
	char bytes[4096];

	(void)state;
	unlink(path);
	struct records *records = open_records(0);
	put(records, "first", 1, false);
	put(records, "second", 2, false);
	records_close(records);
	assert_int_equal(stat(path, &status), 0);
	FILE *file = fopen(path, "re");
	size_t count = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	size_t first = (size_t)(strchr(bytes, '\n') - bytes) + 1;
	for (size_t end = first; end < count; end += 5) {
		assert_int_equal(truncate(path, 0), 0);
		file = fopen(path, "we");
		fwrite(bytes, 1, end, file);
		fclose(file);
		records = open_records(end > first);
		expect(records, "first", 1, false);
		assert_null(records_find(records, "second"));
		put(records, "third", 3, false);
		records_close(records);
		records = open_records(0);
		expect(records, "third", 3, false);
		records_close(records);
	}
}

static void damaged_lines_are_not_believed(void **state)
{
	(void)state;
	unlink(path);
	struct records *records = open_records(0);
	put(records, "first", 1, false);
	put(records, "second", 2, false);
	records_close(records);
	int file = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(file, "7", 1, 16), 1); /* the bytes of the first */
	close(file);
	records = open_records(1);
	assert_null(records_find(records, "first"));
	expect(records, "second", 2, false);
	records_close(records);
	file = open(path, O_RDWR | O_TRUNC | O_CLOEXEC);
	assert_int_equal(ftruncate(file, 5000), 0); /* zeros, and no line at all */
	close(file);
	records_close(open_records(1));
}

static void many_changes_are_made_one_line_each(void **state)
{
	struct stat before, after;

	(void)state;
	unlink(path);
	struct records *records = open_records(0);
	for (uint64_t i = 0; i < 1100; i++)
		put(records, i % 2 ? "odd" : "even", i, false);
	records_close(records);
	assert_int_equal(stat(path, &before), 0);
	records = open_records(0);
	expect(records, "odd", 1099, false);
	expect(records, "even", 1098, false);
	records_close(records);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_size < before.st_size / 100);
	records = open_records(0);
	expect(records, "odd", 1099, false);
	records_close(records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_are_those_of_the_standard),
		cmocka_unit_test(what_was_put_is_there_again),
		cmocka_unit_test(torn_lines_are_dropped),
		cmocka_unit_test(damaged_lines_are_not_believed),
		cmocka_unit_test(many_changes_are_made_one_line_each),
	};
	/* memory, so that a sync costs nothing */
	snprintf(path, sizeof(path), "/dev/shm/records_test.%d", getpid());
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	unlink(path);
	return failed;
}

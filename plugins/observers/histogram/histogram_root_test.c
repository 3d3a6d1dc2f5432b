/* histogram_root_test.c: the file's places point where they say. What is in it jsroot and uproot read
 * (tests/interop/check_histogram.mjs, check_histogram.py). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "root_file.h"

static uint8_t bytes[100000];
static size_t count;

static uint32_t at32(size_t at)
{
	assert_true(at + 4 <= count);
	return (uint32_t)bytes[at] << 24 | (uint32_t)bytes[at + 1] << 16 | (uint32_t)bytes[at + 2] << 8 | bytes[at + 3];
}

static const uint64_t cells[] = {1, 2, 3, 4};
static const double edges[] = {0, 1, 2};
static const struct enrg_histogram histogram = {.dimensions = 1,
	.name = "charge",
	.title = "charge of all",
	.x = {.label = "pC", .bins = 2, .low = 0, .high = 2, .edges = edges, .is_regular = true},
	.cell_count = 4,
	.counts = cells,
	.sums = {.entries = 10, .w = 5}};

static void test_file(void **state)
{
	char path[] = "/tmp/enrgdaq-histogram.XXXXXX";
	int descriptor = mkstemp(path);

	(void)state;
	assert_true(descriptor >= 0);
	close(descriptor);
	assert_int_equal(root_file_write(path, &histogram, 1, NULL), 0);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	count = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	unlink(path);
	assert_memory_equal(bytes, "root", 4);
	assert_int_equal(at32(12), count); /* where it ends */
	/* From key to key up to the end. */
	size_t at = at32(8), keys = 0;
	for (; at < count; at += at32(at))
		keys++;
	assert_int_equal(at, count);
	assert_int_equal(keys, 5);                       /* directory, histogram, list of keys, classes, free list */
	assert_int_equal(at32(at32(37) + 18), at32(37)); /* the classes' key says where it is */
}

static void test_no_folder(void **state)
{
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(root_file_write("/nowhere/at/all.root", &histogram, 1, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/at/all.root"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_no_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

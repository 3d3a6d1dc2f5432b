/* histogram_test.c: the page of a histogram as a client takes it, and what it refuses. */
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
#include <unistd.h>

#include "client/histogram.h"

/* Three by two cells. */
struct file {
	struct enrg_histogram_page page;
	uint8_t rest[ENRG_HISTOGRAM_ARRAYS_AT - sizeof(struct enrg_histogram_page)];
	double x_edges[2], y_edges[3];
	uint64_t counts[12], last_counts[12];
};

static char path[] = "/tmp/enrgdaq-histogram-test.XXXXXX";
static struct file file;

static int set_up(void **state)
{
	int descriptor = mkstemp(path);

	(void)state;
	if (descriptor < 0)
		return -1;
	close(descriptor);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static void make(void)
{
	memset(&file, 0, sizeof(file));
	file.page = (struct enrg_histogram_page){.magic = ENRG_HISTOGRAM_MAGIC,
		.version = ENRG_HISTOGRAM_VERSION,
		.dimensions = 2,
		.sequence = 4,
		.file_bytes = sizeof(file),
		.x_bins = 1,
		.y_bins = 2,
		.flags = ENRG_HISTOGRAM_RANGED | ENRG_HISTOGRAM_X_REGULAR,
		.sums = {.entries = 7, .w = 3}};
	strcpy(file.page.name, "ch\narge");
	strcpy(file.page.job, "hist");
	strcpy(file.page.x_label, "x \"quoted\"");
	file.x_edges[1] = 2;
	file.y_edges[1] = 1;
	file.y_edges[2] = 5;
	for (uint64_t i = 0; i < 12; i++)
		file.counts[i] = i;
}

static int take(size_t bytes, struct enrg_histogram **ret_histogram)
{
	int descriptor = open(path, O_WRONLY | O_TRUNC);

	assert_int_equal(write(descriptor, &file, bytes), bytes);
	close(descriptor);
	return histogram_read_file(path, ret_histogram, NULL);
}

static void test_whole(void **state)
{
	struct enrg_histogram *histogram = NULL;

	(void)state;
	make();
	assert_int_equal(take(sizeof(file), &histogram), 0);
	assert_string_equal(histogram->name, "ch arge"); /* safe for a terminal */
	assert_int_equal(histogram->cell_count, 12);
	assert_int_equal(histogram->counts[11], 11);
	assert_true(histogram->x.is_regular && !histogram->y.is_regular && histogram->y.high == 5);
	assert_null(histogram->last_counts);
	char *text = enrg_histogram_print(histogram, ENRG_HISTOGRAM_UHI);
	assert_string_equal(text,
		"{\"uhi_schema\":1,\"writer_info\":{\"enrgdaq\":{\"version\":\"1\"}},\"metadata\":{\"name\":\"ch "
		"arge\"},"
		"\"axes\":[{\"type\":\"regular\",\"lower\":0,\"upper\":2,\"bins\":1,\"underflow\":true,\"overflow\":"
		"true,"
		"\"circular\":false,\"metadata\":{\"label\":\"x "
		"\\\"quoted\\\"\"}},{\"type\":\"variable\",\"edges\":[0,1,5],"
		"\"underflow\":true,\"overflow\":true,\"circular\":false,\"metadata\":{\"label\":\"\"}}],\"storage\":{"
		"\"type\":\"int\",\"values\":[[0,3,6,9],[1,4,7,10],[2,5,8,11]]}}");
	free(text);
	text = enrg_histogram_print(histogram, ENRG_HISTOGRAM_JSROOT);
	assert_non_null(strstr(text, "\"_typename\":\"TH2D\""));
	assert_non_null(strstr(text, "\"fArray\":[0,1,2,3,4,5,6,7,8,9,10,11]}"));
	free(text);
	enrg_histogram_destroy(histogram);
}

static void test_what_can_not_be(void **state)
{
	struct enrg_histogram *histogram;

	(void)state;
	make();
	assert_int_equal(take(sizeof(file) - 1, &histogram), ENRG_E_CORRUPT);
	assert_int_equal(take(100, &histogram), ENRG_E_CORRUPT);
	file.page.version = 2;
	assert_int_equal(take(sizeof(file), &histogram), ENRG_E_CORRUPT);
	make();
	file.page.x_bins = UINT32_MAX;
	assert_int_equal(take(sizeof(file), &histogram), ENRG_E_CORRUPT);
	make();
	file.page.y_bins = 0;
	assert_int_equal(take(sizeof(file), &histogram), ENRG_E_CORRUPT);
	make();
	file.y_edges[1] = 9; /* beyond the next */
	assert_int_equal(take(sizeof(file), &histogram), ENRG_E_CORRUPT);
	make();
	file.page.sequence = 5; /* somebody was killed while he wrote */
	assert_int_equal(take(sizeof(file), &histogram), -EAGAIN);
	assert_int_equal(histogram_read_file("/nowhere", &histogram, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_what_can_not_be),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

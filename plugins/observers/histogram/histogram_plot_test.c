/* histogram_plot_test.c: what a histogram is filled from, what it says of tables that it can't use, and its page in
 * shared memory. */
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

#include "plot.h"

static unsigned told;
static char text[1000];

/* In place of the framework's, by the linker. */
void __wrap_enrg_job_alert(struct enrg_job *job, enum enrg_level level, const char *format, ...);
void __wrap_enrg_job_alert(struct enrg_job *job, enum enrg_level level, const char *format, ...)
{
	va_list arguments;

	(void)job;
	assert_int_equal(level, ENRG_WARNING);
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	told++;
}

static const struct enrg_column columns[] = {{.name = "A", .type = ENRG_I32}, {.name = "B", .type = ENRG_F64}};
static const struct enrg_schema both = {.column_count = 2, .columns = columns};
static const struct enrg_schema first_alone = {.column_count = 1, .columns = columns};
static const int32_t a[] = {1, 2, 3, 9};
static const double b[] = {0.5, 1.5, 0.5, 0.5};

static int fill(struct plot *plot, const struct enrg_schema *schema, const struct enrg_record *record)
{
	const struct enrg_column_view views[2] = {{.values = a}, {.values = b}};
	const struct enrg_batch batch = {.schema = schema, .rows = 4, .columns = views};

	return plot_fill(plot, NULL, record, &batch, NULL);
}

static const struct plot_options options = {.name = "two",
	.job = "dice",
	.x = "A",
	.y = "B",
	.x_bins = 3,
	.x_min = 1,
	.x_max = 4,
	.has_x_range = true,
	.has_x_end = true,
	.y_edges = "0 1 2",
	.channel = -1};

static void tables_fill_it_or_are_told_once(void **state)
{
	struct plot plot = {0};
	struct enrg_record record = {.tag = "", .table = 1, .instance = 1};
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(plot_check(&options, &err), 0);
	assert_int_equal(plot_open(&plot, &options, &err), 0);
	assert_true(plot_wants(&plot, "dice", "any") && !plot_wants(&plot, "other", ""));
	/* one that lacks a column, again and again, and another one */
	for (int i = 0; i < 3; i++)
		assert_int_equal(fill(&plot, &first_alone, &record), 0);
	assert_int_equal(told, 1);
	assert_non_null(strstr(text, "histogram two: the table of dice has no column \"B\""));
	record.table = 2;
	record.tag = "raw";
	assert_int_equal(fill(&plot, &first_alone, &record), 0);
	assert_int_equal(told, 2);
	assert_non_null(strstr(text, "the table raw of dice"));
	assert_int_equal(plot.bins.sums.batches, 0);
	/* one that has them: (1, .5), (2, 1.5), (3, .5), and 9, which is right of all */
	record.table = 3;
	assert_int_equal(fill(&plot, &both, &record), 0);
	assert_int_equal(plot.bins.sums.batches, 1);
	assert_int_equal(plot.bins.sums.entries, 4);
	assert_int_equal(plot.bins.counts[1 + 5 * 1], 1);
	assert_int_equal(plot.bins.counts[2 + 5 * 2], 1);
	assert_int_equal(plot.bins.counts[3 + 5 * 1], 1);
	assert_int_equal(plot.bins.counts[4 + 5 * 1], 1);
	/* filled without a tag: other tables are no news any more, also of a new instance */
	record.table = 4;
	record.instance = 2;
	assert_int_equal(fill(&plot, &first_alone, &record), 0);
	assert_int_equal(told, 2);
	plot_close(&plot);
}

static bool is_there(const char *folder, const char *ending)
{
	char command[200];

	snprintf(command, sizeof(command), "ls %s/*%s >/dev/null 2>&1", folder, ending);
	return system(command) == 0;
}

static void a_page_is_whole_or_not_there(void **state)
{
	char folder[] = "/dev/shm/histogram_plot_test.XXXXXX";
	struct histogram_page_params params = {.job = "hist", .name = "two", .title = "Two", .index = 0};
	struct histogram_page page, second;
	struct plot plot = {0};
	struct enrg_error err = {0};
	struct stat status;

	(void)state;
	assert_non_null(mkdtemp(folder));
	params.folder = folder;
	assert_int_equal(plot_open(&plot, &options, &err), 0);
	assert_int_equal(fill(&plot, &both, &(struct enrg_record){.tag = "", .table = 1, .instance = 1}), 0);
	assert_int_equal(histogram_page_open(&page, &params, &plot.bins, &err), 0);
	assert_int_equal(page.head->magic, ENRG_HISTOGRAM_MAGIC);
	assert_int_equal(page.head->sequence, 0);
	histogram_page_show(&page, &plot.bins, "run2", "run1", 7);
	assert_int_equal(page.head->sequence, 2);
	assert_string_equal(page.head->run, "run2");
	assert_int_equal(page.head->sums.entries, 4);
	assert_int_equal(stat(page.path, &status), 0);
	assert_int_equal(status.st_size, page.file_bytes);
	assert_int_equal(status.st_mode & 0777, 0600);
	/* edges of x (4) and y (3), then the cells, in which row 1 of y begins at 5 */
	const uint64_t *counts = (const uint64_t *)((const char *)page.head + ENRG_HISTOGRAM_ARRAYS_AT) + 7;
	assert_int_equal(counts[1 + 5 * 1] + counts[2 + 5 * 2] + counts[3 + 5 * 1] + counts[4 + 5 * 1], 4);
	assert_int_equal(page.file_bytes, ENRG_HISTOGRAM_ARRAYS_AT + 8 * (7 + 2 * plot.bins.cell_count));
	/* the next instance's takes its place; what it has no more of goes */
	params.index = 1;
	assert_int_equal(histogram_page_open(&second, &params, &plot.bins, &err), 0);
	assert_true(is_there(folder, ".1.histogram") && !is_there(folder, ".part"));
	histogram_page_remove_rest(&params);
	assert_true(is_there(folder, ".0.histogram") && !is_there(folder, ".1.histogram"));
	histogram_page_close(&second);
	histogram_page_close(&page);
	histogram_page_close(&page);
	assert_false(is_there(folder, ".histogram"));
	assert_int_equal(rmdir(folder), 0);
	/* and where it can't be made nothing is left */
	assert_int_equal(histogram_page_open(&page, &params, &plot.bins, &err), -ENOENT);
	assert_null(page.head);
	plot_close(&plot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_fill_it_or_are_told_once),
		cmocka_unit_test(a_page_is_whole_or_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

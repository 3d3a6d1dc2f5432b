/* histogram_bins_test.c: which cell a value goes to, what the sums say, and how a range is found. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>

#include "bins.h"

static void test_cells(void **state)
{
	const struct bins_axis axis = {.bins = 4, .low = 0, .high = 8, .label = "charge (pC)"};
	const double values[] = {-0.001, 0, 1.999, 2, 7.999, 8, 1e300, NAN, INFINITY};
	const uint64_t expected[] = {1, 2, 1, 0, 1, 2};
	struct bins bins;

	(void)state;
	assert_int_equal(bins_init(&bins, &axis, NULL, NULL), 0);
	bins_fill(&bins, values, NULL, 9);
	assert_memory_equal(bins.counts, expected, sizeof(expected));
	assert_int_equal(bins.sums.entries, 7);
	assert_int_equal(bins.sums.skipped, 2);
	assert_true(bins.sums.w == 4 && fabs(bins.sums.x - 11.998) < 1e-9);
	bins_fini(&bins);
}

static void test_edges_of_different_widths(void **state)
{
	const double edges[] = {0, 1, 2, 5, 10};
	const struct bins_axis axis = {.bins = 4, .edges = edges, .label = ""};
	const double values[] = {-1, 0, 0.5, 1, 4.999, 5, 9.999, 10};
	const uint64_t expected[] = {1, 2, 1, 1, 2, 1};
	struct bins bins;

	(void)state;
	assert_int_equal(bins_init(&bins, &axis, NULL, NULL), 0);
	bins_fill(&bins, values, NULL, 8);
	assert_memory_equal(bins.counts, expected, sizeof(expected));
	assert_false(bins.x.axis.is_regular);
	bins_fini(&bins);
}

static void test_plane(void **state)
{
	const struct bins_axis x = {.bins = 2, .low = 0, .high = 2, .label = "x"};
	const struct bins_axis y = {.bins = 3, .low = 0, .high = 3, .label = "y"};
	const double xs[] = {0.5, 1.5, 9, 0.5}, ys[] = {0.5, 2.5, 1, -1};
	struct bins bins;

	(void)state;
	assert_int_equal(bins_init(&bins, &x, &y, NULL), 0);
	bins_fill(&bins, xs, ys, 4);
	assert_int_equal(bins.cell_count, 20);
	assert_int_equal(bins.counts[1 + 4 * 1], 1);
	assert_int_equal(bins.counts[2 + 4 * 3], 1);
	assert_int_equal(bins.counts[3 + 4 * 2], 1); /* right of it */
	assert_int_equal(bins.counts[1 + 4 * 0], 1); /* below it */
	assert_true(bins.sums.w == 2 && bins.sums.xy == 0.25 + 3.75);
	bins_fini(&bins);
}

/* 1st to 99th percentile, a fifth more on either side: one value far away does not count. */
static void test_range_is_found(void **state)
{
	const struct bins_axis axis = {.bins = 100, .label = ""};
	struct bins bins;

	(void)state;
	assert_int_equal(bins_init(&bins, &axis, NULL, NULL), 0);
	for (uint32_t i = 0; i < BINS_LEARN; i++) {
		double value = i == 7 ? 1e9 : (double)(i % 1000);
		assert_false(bins_is_ranged(&bins));
		bins_fill(&bins, &value, NULL, 1);
	}
	assert_true(bins_is_ranged(&bins));
	assert_int_equal(bins.sums.entries, BINS_LEARN);
	assert_true(fabs(bins.x.axis.low - (10 - 0.2 * 979)) < 3);
	assert_true(fabs(bins.x.axis.high - (989 + 0.2 * 979)) < 3);
	assert_int_equal(bins.counts[101], 1);
	bins_fini(&bins);
}

static void test_range_of_one_value(void **state)
{
	static const double values[] = {0, 5, -1e300, 1e-300};
	const struct bins_axis axis = {.bins = 10, .label = ""};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct bins bins;
		assert_int_equal(bins_init(&bins, &axis, NULL, NULL), 0);
		bins_settle(&bins);
		assert_false(bins_is_ranged(&bins)); /* from nothing there is none */
		bins_fill(&bins, &values[i], NULL, 1);
		bins_settle(&bins);
		assert_true(bins_is_ranged(&bins));
		assert_true(bins.x.axis.low < bins.x.axis.high);
		assert_true(bins.sums.w == 1);
		bins_fini(&bins);
	}
}

static void test_a_new_run(void **state)
{
	const struct bins_axis axis = {.bins = 2, .low = 0, .high = 2, .label = ""};
	const double value = 0.5;
	struct bins bins;

	(void)state;
	assert_int_equal(bins_init(&bins, &axis, NULL, NULL), 0);
	bins_fill(&bins, &value, NULL, 1);
	bins_turn(&bins);
	assert_true(bins.has_last);
	assert_int_equal(bins.last_counts[1], 1);
	assert_int_equal(bins.last_sums.entries, 1);
	assert_int_equal(bins.counts[1], 0);
	assert_int_equal(bins.sums.entries, 0);
	bins_fini(&bins);
}

static void test_too_many_cells(void **state)
{
	const struct bins_axis axis = {.bins = 1000000, .low = 0, .high = 2, .label = ""};
	struct enrg_error err = {0};
	struct bins bins;

	(void)state;
	assert_int_equal(bins_init(&bins, &axis, &axis, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_edges_of_different_widths),
		cmocka_unit_test(test_plane),
		cmocka_unit_test(test_range_is_found),
		cmocka_unit_test(test_range_of_one_value),
		cmocka_unit_test(test_a_new_run),
		cmocka_unit_test(test_too_many_cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

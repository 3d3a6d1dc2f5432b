/* histogram_test.c: error bound, quantiles, merging, intervals. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/histogram.h"

static struct histogram a, b, c;

static void test_empty(void **state)
{
	(void)state;
	histogram_init(&a);
	assert_int_equal(histogram_quantile(&a, 0.5), 0);
	assert_int_equal(histogram_quantile(&a, 1), 0);
	assert_true(histogram_mean(&a) == 0.0);
}

static void check_value(uint64_t value)
{
	histogram_init(&a);
	histogram_add(&a, value);
	histogram_add(&a, UINT64_C(1) << 44); /* so that the maximum does not answer */
	uint64_t found = histogram_quantile(&a, 0.5);
	assert_true(found >= value);
	assert_true((double)(found - value) <= (double)value / 32.0);
	assert_int_equal(a.min, value);
}

static void test_error_below_one_part_in_32(void **state)
{
	(void)state;
	for (unsigned exponent = 0; exponent < 44; exponent++) {
		uint64_t power = UINT64_C(1) << exponent;
		check_value(power);
		check_value(power - 1);
		check_value(power + (uint64_t)rand() % power);
	}
}

static void test_quantiles_of_a_ramp(void **state)
{
	(void)state;
	histogram_init(&a);
	for (uint64_t i = 1; i <= 1000; i++)
		histogram_add(&a, i * 1000);
	assert_in_range(histogram_quantile(&a, 0.5), 500000, 516000);
	assert_in_range(histogram_quantile(&a, 0.99), 990000, 1000000);
	assert_in_range(histogram_quantile(&a, 0), 1000, 1032);
	assert_int_equal(histogram_quantile(&a, 1), 1000000);
	assert_true(histogram_mean(&a) == 500500.0);
	assert_int_equal(a.count, 1000);
}

static void test_huge_values_count_in_the_last_bucket(void **state)
{
	(void)state;
	histogram_init(&a);
	histogram_add(&a, UINT64_MAX / 4);
	histogram_add(&a, (UINT64_C(1) << 45) - 1);
	histogram_add(&a, UINT64_C(1) << 45);
	assert_int_equal(a.buckets[HISTOGRAM_BUCKETS - 1], 3);
	assert_int_equal(histogram_quantile(&a, 0.9), UINT64_MAX / 4);
}

static void test_merge_is_as_if_added_here(void **state)
{
	(void)state;
	histogram_init(&a);
	histogram_init(&b);
	histogram_init(&c);
	for (int i = 0; i < 1000; i++) {
		uint64_t value = (uint64_t)rand();
		histogram_add(i % 3 ? &a : &b, value);
		histogram_add(&c, value);
	}
	histogram_merge(&a, &b);
	assert_memory_equal(&a, &c, sizeof(a));
	histogram_init(&b);
	histogram_merge(&a, &b); /* an empty one changes nothing, nor does its minimum of 0 */
	assert_memory_equal(&a, &c, sizeof(a));
	histogram_merge(&b, &a);
	assert_memory_equal(&b, &c, sizeof(b));
}

static void test_interval(void **state)
{
	(void)state;
	histogram_init(&a);
	histogram_add(&a, 5);
	histogram_add(&a, 1000000);
	memcpy(&b, &a, sizeof(a));
	histogram_add(&a, 1000);
	histogram_add(&a, 1001);
	histogram_subtract(&c, &a, &b);
	assert_int_equal(c.count, 2);
	assert_int_equal(c.sum, 2001);
	assert_in_range(c.min, 968, 1000);
	assert_in_range(c.max, 1001, 1033);
	assert_in_range(histogram_quantile(&c, 0.5), 1000, 1033);
	histogram_subtract(&c, &a, &a);
	assert_int_equal(c.count, 0);
	assert_int_equal(histogram_quantile(&c, 0.99), 0);
}

static void test_cumulated(void **state)
{
	static const uint64_t bounds[] = {0, 999, 1000, 100000, UINT64_C(1) << 60};
	uint64_t counts[5];

	(void)state;
	histogram_init(&a);
	histogram_add(&a, 0);
	for (int i = 0; i < 10; i++)
		histogram_add(&a, 500);
	histogram_add(&a, 50000);
	histogram_add(&a, UINT64_C(1) << 50); /* in the last bucket */
	histogram_cumulate(&a, bounds, 5, counts);
	assert_int_equal(counts[0], 1);
	assert_int_equal(counts[1], 11);
	assert_int_equal(counts[2], 11);
	assert_int_equal(counts[3], 12);
	assert_int_equal(counts[4], 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_error_below_one_part_in_32),
		cmocka_unit_test(test_quantiles_of_a_ramp),
		cmocka_unit_test(test_huge_values_count_in_the_last_bucket),
		cmocka_unit_test(test_merge_is_as_if_added_here),
		cmocka_unit_test(test_interval),
		cmocka_unit_test(test_cumulated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

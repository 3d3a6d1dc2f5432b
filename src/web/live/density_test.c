/* density_test.c: each value is counted once, where it belongs; what does not fit is said. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "web/live/density.h"

static void test_cells(void **state)
{
	const struct density_map map = {.width = 2, .height = 4, .low = 0, .high = 8};
	const float wave[] = {0, 1.9f, 2, 7.9f};
	uint16_t counts[8] = {0};
	const uint16_t expected[8] = {2, 0, 0, 1, 0, 0, 0, 1};

	(void)state;
	assert_int_equal(density_add(&map, wave, 4, counts), 0);
	assert_memory_equal(counts, expected, sizeof(counts));
	density_add(&map, wave, 4, counts);
	assert_int_equal(counts[0], 4);
}

static void test_outside(void **state)
{
	const struct density_map map = {.width = 4, .height = 4, .low = -1, .high = 1};
	const float wave[] = {-1.01f, 1, NAN, 0.99f};
	uint16_t counts[16] = {0}, sum = 0;

	(void)state;
	assert_int_equal(density_add(&map, wave, 4, counts), 2);
	for (size_t i = 0; i < 16; i++)
		sum = (uint16_t)(sum + counts[i]);
	assert_int_equal(sum, 1);
	assert_int_equal(counts[3 * 4 + 3], 1);
}

static void test_full(void **state)
{
	const struct density_map map = {.width = 1, .height = 1, .low = 0, .high = 1};
	const float wave[] = {0.5f};
	uint16_t count = UINT16_MAX - 1;

	(void)state;
	density_add(&map, wave, 1, &count);
	density_add(&map, wave, 1, &count);
	assert_int_equal(count, UINT16_MAX);
}

static void test_range(void **state)
{
	const float wave[] = {-10, NAN, 10, INFINITY}, flat[] = {3, 3}, none[] = {NAN};
	float low, high;

	(void)state;
	density_range(wave, 4, &low, &high);
	assert_true(low == -12 && high == 12);
	density_range(flat, 2, &low, &high);
	assert_true(low == 2 && high == 4);
	density_range(none, 1, &low, &high);
	assert_true(low < high);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_range),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

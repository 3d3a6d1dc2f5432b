/* reduce_test.c: no extreme is lost by fewer points, whatever the widths; means are means. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "web/live/reduce.h"

/* By the definition in the header, one value after the other. */
static void check_pairs(const float *values, uint32_t count, uint32_t width)
{
	float pairs[2 * 64];

	reduce_pairs(values, count, width, pairs);
	for (uint32_t column = 0; column < width; column++) {
		float least = INFINITY, greatest = -INFINITY;

		for (uint32_t i = column * count / width; i < (column + 1) * count / width; i++) {
			least = fminf(least, values[i]);
			greatest = fmaxf(greatest, values[i]);
		}
		assert_true(pairs[2 * column] == least && pairs[2 * column + 1] == greatest);
	}
}

static void test_every_width(void **state)
{
	float values[64];
	uint32_t seed = 1;

	(void)state;
	for (uint32_t i = 0; i < 64; i++) {
		seed = seed * 1664525u + 1013904223u;
		values[i] = (float)(int32_t)(seed >> 16) - 32768.0f;
	}
	for (uint32_t count = 1; count <= 64; count++)
		for (uint32_t width = 1; width <= count; width++)
			check_pairs(values, count, width);
}

static void test_no_numbers(void **state)
{
	const float values[] = {NAN, 3, -1, NAN, NAN, NAN};
	float pairs[4];

	(void)state;
	reduce_pairs(values, 6, 2, pairs);
	assert_true(pairs[0] == -1 && pairs[1] == 3);
	assert_true(isnan(pairs[2]) && isnan(pairs[3]));
}

static void test_average(void **state)
{
	const float first[] = {1, 2, 3, 4}, second[] = {3, 4, 5, 6}, third[] = {5, 6, 7, 8};
	float mean[4] = {0};

	(void)state;
	reduce_average(mean, first, 4, 0, 0, 3);
	reduce_average(mean, second, 4, 0, 1, 3);
	reduce_average(mean, third, 4, 0, 2, 3);
	for (uint32_t i = 0; i < 4; i++)
		assert_float_equal(mean[i], (float)i + 3.0f, 1e-5);
	/* full: each further one counts a third */
	reduce_average(mean, first, 4, 0, 3, 3);
	assert_float_equal(mean[0], 3.0f - 2.0f / 3.0f, 1e-5);
}

static void test_shift(void **state)
{
	const float wave[] = {0, 0, 9, 0}, later[] = {0, 0, 0, 5};
	float mean[4] = {0};

	(void)state;
	reduce_average(mean, wave, 4, 0, 0, 2);
	reduce_average(mean, later, 4, 1, 1, 2); /* its sample 3 belongs to 2 */
	assert_float_equal(mean[2], 7, 1e-5);
	assert_float_equal(mean[3], 0, 1e-5); /* nothing is there for it */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_width),
		cmocka_unit_test(test_no_numbers),
		cmocka_unit_test(test_average),
		cmocka_unit_test(test_shift),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

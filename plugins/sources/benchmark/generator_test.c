/* generator_test.c: the benchmark's data: range, distribution, the same numbers from every set of instructions. */
#include "generator.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ROWS 100003u

static double times[ROWS + 1], values[ROWS + 1];

static void numbers_are_uniform(void **state)
{
	struct generator generator;
	unsigned counts[10] = {0};
	double sum = 0;

	(void)state;
	generator_init(&generator, 42);
	generator_fill(&generator, times, values, ROWS, 1.5);
	for (unsigned row = 0; row < ROWS; row++) {
		assert_true(values[row] >= 0.0 && values[row] < 1.0);
		assert_true(times[row] == 1.5);
		counts[(unsigned)(values[row] * 10)]++;
		sum += values[row];
	}
	assert_true(sum / ROWS > 0.495 && sum / ROWS < 0.505);
	for (unsigned i = 0; i < 10; i++)
		assert_in_range(counts[i], ROWS / 10 - 500, ROWS / 10 + 500);
}

/* Against the scalar definition of xoshiro256+, from the state 1, 2, 3, 4. */
static void lanes_follow_the_definition(void **state)
{
	struct generator generator;
	uint64_t s[4] = {1, 2, 3, 4};

	(void)state;
	generator_init(&generator, 0);
	for (unsigned word = 0; word < 4; word++)
		generator.state[word][3] = word + 1;
	generator_fill(&generator, times, values, 50 * GENERATOR_LANES, 0);
	for (unsigned i = 0; i < 50; i++) {
		uint64_t result = s[0] + s[3], t = s[1] << 17;

		if (i == 0)
			assert_int_equal(result, 5);
		assert_true(values[i * GENERATOR_LANES + 3] == (double)(result >> 12) * 0x1p-52);
		s[2] ^= s[0];
		s[3] ^= s[1];
		s[1] ^= s[2];
		s[0] ^= s[3];
		s[2] ^= t;
		s[3] = s[3] << 45 | s[3] >> 19;
	}
}

static void seeds_differ_and_repeat(void **state)
{
	struct generator a, b, c;
	double other[16], same[16];

	(void)state;
	generator_init(&a, 1);
	generator_init(&b, 1);
	generator_init(&c, 2);
	generator_fill(&a, times, values, 16, 0);
	generator_fill(&b, times, same, 16, 0);
	generator_fill(&c, times, other, 16, 0);
	assert_memory_equal(values, same, sizeof(same));
	assert_memory_not_equal(values, other, sizeof(other));
}

static void nothing_is_written_behind_the_rows(void **state)
{
	struct generator generator;

	(void)state;
	generator_init(&generator, 7);
	for (uint64_t rows = 0; rows <= 2 * GENERATOR_LANES; rows++) {
		values[rows] = -3;
		times[rows] = -4;
		generator_fill(&generator, times, values, rows, 9);
		assert_true(values[rows] == -3 && times[rows] == -4);
	}
}

static void unaligned_columns_work(void **state)
{
	static double wide[3 * ROWS];
	struct generator generator;

	(void)state;
	generator_init(&generator, 7);
	generator_fill(&generator, wide + 1, wide + ROWS + 2, 1001, 2.0);
	generator_init(&generator, 7);
	generator_fill(&generator, times, values, 1001, 2.0);
	assert_memory_equal(values, wide + ROWS + 2, 1001 * sizeof(double));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_uniform),
		cmocka_unit_test(lanes_follow_the_definition),
		cmocka_unit_test(seeds_differ_and_repeat),
		cmocka_unit_test(nothing_is_written_behind_the_rows),
		cmocka_unit_test(unaligned_columns_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

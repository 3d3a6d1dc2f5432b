/* sequence_set_test.c: holes open, split and close; checked against a plain table of what was seen. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include <unistd.h>

#include "arrow/sequence_set.h"

static void holes_open_split_and_close(void **state)
{
	struct sequence_set set = {0};

	(void)state;
	assert_int_equal(sequence_set_add(&set, 5), SEQUENCE_NEW); /* a rotated file begins anywhere */
	assert_int_equal(set.hole_count, 0);
	assert_int_equal(sequence_set_add(&set, 5), SEQUENCE_DUPLICATE);
	assert_int_equal(sequence_set_add(&set, 11), SEQUENCE_NEW);
	assert_int_equal(set.hole_count, 1);
	assert_int_equal(sequence_set_add(&set, 8), SEQUENCE_LATE);
	assert_int_equal(set.hole_count, 2);
	assert_int_equal(sequence_set_add(&set, 8), SEQUENCE_DUPLICATE);
	assert_int_equal(sequence_set_add(&set, 6), SEQUENCE_LATE);
	assert_int_equal(sequence_set_add(&set, 7), SEQUENCE_LATE);
	assert_int_equal(sequence_set_add(&set, 10), SEQUENCE_LATE);
	assert_int_equal(set.hole_count, 1);
	assert_int_equal(set.holes[0].first, 9);
	assert_int_equal(set.holes[0].last, 9);
	assert_int_equal(sequence_set_add(&set, 9), SEQUENCE_LATE);
	assert_int_equal(set.hole_count, 0);
	assert_int_equal(sequence_set_add(&set, 2), SEQUENCE_LATE); /* before the first: a hole up to it */
	assert_int_equal(set.hole_count, 1);
	assert_int_equal(set.holes[0].first, 3);
	assert_int_equal(set.holes[0].last, 4);
	sequence_set_fini(&set);
}

static void agrees_with_a_plain_table(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 200; seed++) {
		struct sequence_set set = {0};
		bool is_seen[101] = {false};
		uint32_t random = seed * 2654435761u;
		for (int i = 0; i < 120; i++) {
			random = random * 1664525u + 1013904223u;
			uint64_t sequence = 1 + (random >> 16) % 100;
			int outcome = sequence_set_add(&set, sequence);
			assert_int_equal(outcome == SEQUENCE_DUPLICATE, is_seen[sequence]);
			is_seen[sequence] = true;
		}
		uint64_t hole = 0, missing = 0, counted = 0;
		for (uint64_t i = set.first; i <= set.last; i++)
			missing += !is_seen[i];
		for (; hole < set.hole_count; hole++) {
			assert_true(set.holes[hole].first <= set.holes[hole].last);
			assert_true(hole == 0 || set.holes[hole - 1].last + 1 < set.holes[hole].first);
			counted += set.holes[hole].last - set.holes[hole].first + 1;
		}
		assert_int_equal(counted, missing);
		sequence_set_fini(&set);
	}
}

static void a_range_may_end_at_the_greatest_number(void **state)
{
	struct sequence_set set = {0};
	uint64_t duplicates;

	(void)state;
	alarm(60); /* it went on from 0, for ever */
	assert_int_equal(sequence_set_add_range(&set, 1, 3, &duplicates), 0);
	assert_int_equal(sequence_set_add_range(&set, UINT64_MAX, UINT64_MAX, &duplicates), 0);
	assert_int_equal(duplicates, 0);
	assert_int_equal(sequence_set_add_range(&set, UINT64_MAX - 1, UINT64_MAX, &duplicates), 0);
	assert_int_equal(duplicates, 1);
	assert_int_equal(set.last, UINT64_MAX);
	alarm(0);
	sequence_set_fini(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holes_open_split_and_close),
		cmocka_unit_test(agrees_with_a_plain_table),
		cmocka_unit_test(a_range_may_end_at_the_greatest_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

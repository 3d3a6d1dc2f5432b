/* Unit tests of the stages of a filter. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "stage.h"

static const struct enrg_column columns[] = {{"x", ENRG_F64, 0, NULL}, {"n", ENRG_I64, 0, NULL}};
static const struct enrg_schema schema = {.column_count = 2, .columns = columns};
static const double xs[] = {0, 1, 2, 3, NAN, 5, 6, 7, 8, 9};
static const int64_t ns[] = {0, 1, 2, INT64_MAX, INT64_MIN, 9007199254740993, 9007199254740992, 7, 8, 9};
static const uint8_t all_but_two[] = {0xFB, 0xFF};
static struct enrg_column_view views[2];
static const struct enrg_batch batch = {.schema = &schema, .rows = 10, .columns = views};

static int set_views(void **state)
{
	(void)state;
	views[0] = (struct enrg_column_view){.values = xs, .value_count = 10};
	views[1] = (struct enrg_column_view){.values = ns, .value_count = 10};
	return 0;
}

static void a_range_takes_both_ends_and_no_nan(void **state)
{
	const struct stage stage = {.kind = STAGE_RANGE, .min = 2, .max = 7, .has_min = true, .has_max = true};
	const uint32_t column = 0, wanted[] = {2, 3, 5, 6, 7};
	struct stage_counts counts = {0};
	struct stage_result result;
	uint32_t kept[10];

	(void)state;
	stage_select(
		&(struct stage_list){&stage, &column, 1}, &(struct stage_rows){&batch, 0, 10}, &counts, kept, &result);
	assert_int_equal(result.count, 5);
	assert_memory_equal(kept, wanted, sizeof(wanted));
	assert_int_equal(result.rejected[0], 5);
	views[0].validity = all_but_two; /* a missing value is in no range */
	views[0].null_count = 1;
	stage_select(
		&(struct stage_list){&stage, &column, 1}, &(struct stage_rows){&batch, 0, 10}, &counts, kept, &result);
	assert_int_equal(result.count, 4);
	assert_int_equal(kept[0], 3);
}

static void large_integers_are_not_rounded(void **state)
{
	const struct stage stage = {.kind = STAGE_RANGE, .max = 9007199254740992.0, .has_max = true};
	const uint32_t column = 1;
	struct stage_counts counts = {0};
	struct stage_result result;
	uint32_t kept[10];

	(void)state;
	stage_select(
		&(struct stage_list){&stage, &column, 1}, &(struct stage_rows){&batch, 0, 10}, &counts, kept, &result);
	assert_int_equal(result.count, 8); /* without INT64_MAX and 2^53 + 1 */
}

static void a_table_without_the_column_passes(void **state)
{
	const struct stage stage = {.kind = STAGE_RANGE, .min = 100, .has_min = true};
	const uint32_t column = UINT32_MAX;
	struct stage_counts counts = {0};
	struct stage_result result;
	uint32_t kept[10];

	(void)state;
	stage_select(
		&(struct stage_list){&stage, &column, 1}, &(struct stage_rows){&batch, 0, 10}, &counts, kept, &result);
	assert_int_equal(result.count, 10);
}

/* However the batches are cut, the same rows pass. */
static void pieces_give_what_the_whole_gives(void **state)
{
	const struct stage stages[] = {
		{.kind = STAGE_PRESCALE, .every = 3, .unit = STAGE_BATCHES},
		{.kind = STAGE_RANGE, .min = 1, .has_min = true},
		{.kind = STAGE_PRESCALE, .every = 4, .unit = STAGE_ROWS},
	};
	const uint32_t where[] = {UINT32_MAX, 0, UINT32_MAX};
	struct stage_counts whole = {0}, pieces = {0};
	uint32_t total = 0;

	(void)state;
	for (uint32_t time = 0; time < 60; time++) {
		uint32_t kept[10], part[10], got[10], count = 0, step = time % 9 + 1;
		struct stage_result result, piece;

		stage_select(&(struct stage_list){stages, where, 3}, &(struct stage_rows){&batch, 0, 10}, &whole, kept,
			&result);
		for (uint32_t row = 0; row < 10; row += step) {
			uint32_t rows = row + step > 10 ? 10 - row : step;
			stage_select(&(struct stage_list){stages, where, 3}, &(struct stage_rows){&batch, row, rows},
				&pieces, part, &piece);
			memcpy(got + count, part, piece.count * sizeof(*part));
			count += piece.count;
		}
		assert_int_equal(count, result.count);
		assert_memory_equal(got, kept, count * sizeof(*got));
		assert_memory_equal(&whole, &pieces, sizeof(whole));
		total += count;
	}
	assert_int_equal(total, 20 * 8 / 4); /* each third batch, eight of its rows, each fourth of those */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_range_takes_both_ends_and_no_nan, set_views),
		cmocka_unit_test_setup(large_integers_are_not_rounded, set_views),
		cmocka_unit_test_setup(a_table_without_the_column_passes, set_views),
		cmocka_unit_test_setup(pieces_give_what_the_whole_gives, set_views),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

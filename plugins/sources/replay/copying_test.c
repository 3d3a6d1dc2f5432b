/* copying_test.c: every type of column comes through value for value, also where a file begins its items elsewhere than
 * at 0; times are shifted by what their unit says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "copying.h"

enum { COLUMNS = 5, ROWS = 11 };

static const struct enrg_column columns[COLUMNS] = {
	{"flag", ENRG_BOOL, 0, NULL},
	{"wave", ENRG_LIST, ENRG_I16, "mV"},
	{"text", ENRG_STRING, 0, NULL},
	{"x", ENRG_F32, 0, NULL},
	{"time", ENRG_TIMESTAMP_NS, 0, NULL},
};
static const struct enrg_schema schema = {.column_count = COLUMNS, .columns = columns};

/* What a file may hold: items from 2 on, bits set behind the last row. */
static const uint8_t flags[2] = {0xa5, 0xff};
static const int32_t wave_offsets[ROWS + 1] = {2, 2, 3, 3, 6, 6, 6, 7, 9, 9, 9, 10};
static const int16_t waves[10] = {77, 77, 1, -2, 3, -4, 5, -6, 7, -8};
static const int32_t text_offsets[ROWS + 1] = {0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4};
static const float xs[ROWS] = {0.5f, -1, 2};
static const int64_t times[ROWS] = {INT64_MAX, INT64_MIN, 5};

static struct enrg_column_view views[COLUMNS] = {
	{.values = flags, .value_count = ROWS},
	{.offsets = wave_offsets, .values = waves, .value_count = 10},
	{.offsets = text_offsets, .values = "abcd", .value_count = 4},
	{.values = xs, .value_count = ROWS},
	{.values = times, .value_count = ROWS},
};

static void values_come_through(void **state)
{
	const struct enrg_batch batch = {.schema = &schema, .rows = ROWS, .columns = views};
	uint8_t got_flags[2] = {0};
	int32_t got_wave_offsets[ROWS + 1] = {0}, got_text_offsets[ROWS + 1] = {0};
	int16_t got_waves[8];
	char got_text[4];
	float got_xs[ROWS];
	int64_t got_times[ROWS];
	struct enrg_column_buffer buffers[COLUMNS] = {
		{got_flags, NULL, ROWS},
		{got_waves, got_wave_offsets, 8},
		{got_text, got_text_offsets, 4},
		{got_xs, NULL, ROWS},
		{got_times, NULL, ROWS},
	};
	const struct enrg_claim claim = {ROWS, buffers};
	uint64_t variable[COLUMNS];

	(void)state;
	assert_false(copying_has_missing(&batch));
	copying_measure(&batch, variable);
	assert_int_equal(variable[0] + variable[3] + variable[4], 0);
	assert_int_equal(variable[1], 8);
	assert_int_equal(variable[2], 4);
	copying_fill(&batch, &claim);
	assert_int_equal(got_flags[0], 0xa5);
	assert_int_equal(got_flags[1], 0x07); /* three rows: no bit behind them */
	for (int row = 0; row <= ROWS; row++)
		assert_int_equal(got_wave_offsets[row], wave_offsets[row] - 2);
	assert_memory_equal(got_waves, waves + 2, sizeof(got_waves));
	assert_memory_equal(got_text_offsets, text_offsets, sizeof(text_offsets));
	assert_memory_equal(got_text, "abcd", 4);
	assert_memory_equal(got_xs, xs, sizeof(xs));
	assert_memory_equal(got_times, times, sizeof(times));
}

static void a_batch_without_rows_is_one(void **state)
{
	static const struct enrg_column_view nothing[COLUMNS];
	const struct enrg_batch batch = {.schema = &schema, .rows = 0, .columns = nothing};
	const struct enrg_claim claim = {0, NULL};
	uint64_t variable[COLUMNS] = {1, 1, 1, 1, 1};

	(void)state;
	copying_measure(&batch, variable);
	for (int i = 0; i < COLUMNS; i++)
		assert_int_equal(variable[i], 0);
	copying_fill(&batch, &claim);
}

static void missing_values_are_seen(void **state)
{
	const struct enrg_batch batch = {.schema = &schema, .rows = ROWS, .columns = views};

	(void)state;
	views[3].null_count = 1;
	assert_true(copying_has_missing(&batch));
	views[3].null_count = 0;
}

static void times_are_shifted_by_their_unit(void **state)
{
	const struct enrg_column ns = {"any", ENRG_TIMESTAMP_NS, 0, NULL}, ms = {"timestamp", ENRG_I64, 0, "ms"},
				 seconds = {"timestamp", ENRG_F64, 0, "s"},
				 board = {"real_ns_timestamp", ENRG_U64, 0, "ns"}, other = {"time", ENRG_U64, 0, "ns"},
				 small = {"timestamp", ENRG_U32, 0, "ms"};
	int64_t whole[2] = {-5, 1000};
	uint64_t unsigned_ones[2] = {3000000, 4000000};
	double real[2] = {0.5, 1.0};

	(void)state;
	copying_shift(&ns, whole, 2, 2000000);
	assert_true(whole[0] == 1999995 && whole[1] == 2001000);
	copying_shift(&ms, whole, 2, 2000000);
	assert_true(whole[0] == 1999997 && whole[1] == 2001002);
	copying_shift(&seconds, real, 2, 2500000000);
	assert_true(real[0] == 3.0 && real[1] == 3.5);
	copying_shift(&board, unsigned_ones, 2, -2000000);
	assert_true(unsigned_ones[0] == 1000000 && unsigned_ones[1] == 2000000);
	copying_shift(&other, unsigned_ones, 2, 1);
	assert_true(unsigned_ones[0] == 1000000);
	assert_true(
		copying_is_time(&ns) && copying_is_time(&ms) && copying_is_time(&seconds) && copying_is_time(&board));
	assert_false(copying_is_time(&other) || copying_is_time(&small));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_through),
		cmocka_unit_test(a_batch_without_rows_is_one),
		cmocka_unit_test(missing_values_are_seen),
		cmocka_unit_test(times_are_shifted_by_their_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

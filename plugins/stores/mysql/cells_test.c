/* cells_test.c: which bytes are UTF-8, and what is left out of an array. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>

#include "cells.h"

static void utf8_ends_where_it_is_wrong(void **state)
{
	static const struct {
		const char *text;
		size_t count, good;
	} cases[] = {
		{"", 0, 0},
		{"abc", 3, 3},
		{"a\0b", 3, 3},
		{"\xC3\xBC", 2, 2},
		{"\xC3", 1, 0},
		{"a\xC3", 2, 1},
		{"\xC1\xBF", 2, 0},
		{"\xE0\x9F\x80", 3, 0},
		{"\xE0\xA0\x80", 3, 3},
		{"\xED\x9F\xBF", 3, 3},
		{"\xED\xA0\x80", 3, 0},
		{"\xF0\x8F\x80\x80", 4, 0},
		{"\xF0\x90\x80\x80", 4, 4},
		{"\xF4\x8F\xBF\xBF", 4, 4},
		{"\xF4\x90\x80\x80", 4, 0},
		{"\xF5\x80\x80\x80", 4, 0},
		{"\x80", 1, 0},
		{"\xE2\x82\xAC\xFF", 4, 3},
		{"\xE2\x82", 2, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(cells_count_utf8(cases[i].text, cases[i].count), cases[i].good);
}

static void missing_and_not_finite_are_left_out(void **state)
{
	const struct enrg_column column = {"x", ENRG_F32, 0, NULL};
	const float x[5] = {1, NAN, -INFINITY, NAN, 5};
	const uint8_t validity = 0x17; /* row 3 is missing */
	const struct enrg_column_view view = {.values = x, .validity = &validity, .value_count = 5};
	struct cells_notes notes = {0};
	struct cells cells;
	MYSQL_BIND bind;

	(void)state;
	assert_int_equal(cells_init(&cells, &(struct cells_rows){&column, &view, 1, 4}, &notes, NULL), 0);
	assert_int_equal(notes.not_finite, 2);
	assert_int_equal(cells.indicators[0], STMT_INDICATOR_NULL);
	assert_int_equal(cells.indicators[2], STMT_INDICATOR_NULL);
	assert_int_equal(cells.indicators[3], 0);
	cells_bind_one(&cells, 3, &bind);
	assert_true(*(const float *)bind.buffer == 5.0f);
	assert_null(bind.is_null);
	cells_bind_one(&cells, 0, &bind);
	assert_true(*bind.is_null);
	cells_fini(&cells);
}

static void booleans_are_unpacked_from_any_row(void **state)
{
	const struct enrg_column column = {"b", ENRG_BOOL, 0, NULL};
	const uint8_t bits[2] = {0xA5, 0x01};
	const struct enrg_column_view view = {.values = bits, .value_count = 9};
	struct cells_notes notes = {0};
	struct cells cells;

	(void)state;
	assert_int_equal(cells_init(&cells, &(struct cells_rows){&column, &view, 5, 4}, &notes, NULL), 0);
	assert_memory_equal(cells.values, "\1\0\1\1", 4);
	cells_fini(&cells);
}

static void check_extent(enum enrg_type type, const void *values, const uint8_t *validity, const char *wanted)
{
	const struct enrg_column column = {"x", type, 0, NULL};
	const struct enrg_column_view view = {.values = values, .validity = validity, .value_count = 4};
	char text[CELLS_EXTENT_BYTES];
	struct cells_notes notes = {0};
	struct cells cells;

	assert_int_equal(cells_init(&cells, &(struct cells_rows){&column, &view, 1, 3}, &notes, NULL), 0);
	cells_format_extent(&cells, 3, text);
	assert_string_equal(text, wanted);
	cells_fini(&cells);
}

static void the_extent_is_that_of_present_values(void **state)
{
	static const uint8_t not_the_last = 0x7, none = 0x1;
	static const int16_t shorts[4] = {-300, 7, -5, 300};
	static const uint8_t bytes[4] = {0, 200, 250, 255};
	static const uint32_t words[4] = {0, 4000000000u, 3, 9};
	static const uint64_t longs[4] = {0, UINT64_MAX, 1, 2};
	static const double reals[4] = {1e9, NAN, -2.5, 1e300};

	(void)state;
	check_extent(ENRG_I16, shorts, NULL, "from -5 to 300");
	check_extent(ENRG_I16, shorts, &not_the_last, "from -5 to 7");
	check_extent(ENRG_I16, shorts, &none, "");
	check_extent(ENRG_U8, bytes, NULL, "from 200 to 255");
	check_extent(ENRG_U32, words, NULL, "from 3 to 4000000000");
	check_extent(ENRG_U64, longs, NULL, "from 1 to 18446744073709551615");
	check_extent(ENRG_F64, reals, NULL, "from -2.5 to 1e+300");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_ends_where_it_is_wrong),
		cmocka_unit_test(missing_and_not_finite_are_left_out),
		cmocka_unit_test(booleans_are_unpacked_from_any_row),
		cmocka_unit_test(the_extent_is_that_of_present_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

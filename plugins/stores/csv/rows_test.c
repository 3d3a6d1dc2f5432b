/* rows_test.c: every type as a line, quotes, missing values, pieces. */
#include "rows.h"

#include <stdarg.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "number/number.h"

static char *format_all(const struct enrg_batch *batch, size_t bytes_wanted, struct text *text)
{
	uint64_t row = 0;

	assert_int_equal(rows_format_header(batch->schema, text, NULL), 0);
	while (row < batch->rows) {
		size_t wanted = text->count + bytes_wanted;

		assert_int_equal(rows_format(batch, &row, wanted, text, NULL), 0);
	}
	assert_true(text_append(text, "", 1));
	return text->bytes;
}

static void numbers_of_all_types(void **state)
{
	static const int8_t i8[] = {-128, 127};
	static const int16_t i16[] = {-32768, 32767};
	static const int32_t i32[] = {INT32_MIN, INT32_MAX};
	static const int64_t i64[] = {INT64_MIN, INT64_MAX};
	static const uint8_t u8[] = {0, 255};
	static const uint16_t u16[] = {0, 65535};
	static const uint32_t u32[] = {0, UINT32_MAX};
	static const uint64_t u64[] = {0, UINT64_MAX};
	static const float f32[] = {0.1f, -3};
	static const double f64[] = {0.1, 1e300};
	static const uint8_t bits[] = {2};
	static const struct enrg_column columns[] = {
		{.name = "b", .type = ENRG_BOOL},
		{.name = "i8", .type = ENRG_I8},
		{.name = "i16", .type = ENRG_I16},
		{.name = "i32", .type = ENRG_I32},
		{.name = "i64", .type = ENRG_I64},
		{.name = "u8", .type = ENRG_U8},
		{.name = "u16", .type = ENRG_U16},
		{.name = "u32", .type = ENRG_U32},
		{.name = "u64", .type = ENRG_U64},
		{.name = "f32", .type = ENRG_F32},
		{.name = "f64", .type = ENRG_F64},
	};
	const struct enrg_column_view views[] = {
		{.values = bits},
		{.values = i8},
		{.values = i16},
		{.values = i32},
		{.values = i64},
		{.values = u8},
		{.values = u16},
		{.values = u32},
		{.values = u64},
		{.values = f32},
		{.values = f64},
	};
	const struct enrg_schema schema = {.column_count = 11, .columns = columns};
	const struct enrg_batch batch = {.schema = &schema, .rows = 2, .columns = views};
	struct text text = {0};

	(void)state;
	assert_string_equal(format_all(&batch, 1000, &text),
		"b,i8,i16,i32,i64,u8,u16,u32,u64,f32,f64\n"
		"false,-128,-32768,-2147483648,-9223372036854775808,0,0,0,0,0.1,0.1\n"
		"true,127,32767,2147483647,9223372036854775807,255,65535,4294967295,18446744073709551615,"
		"-3.0,1e+300\n");
	text_fini(&text);
}

static void strings_are_quoted_where_needed(void **state)
{
	static const char values[] = "plaina,bsay \"hi\"two\nlines edge";
	static const int32_t offsets[] = {0, 5, 8, 16, 25, 25, 30};
	static const struct enrg_column columns[] = {{.name = "a \"name\"", .type = ENRG_STRING}};
	const struct enrg_column_view views[] = {{.offsets = offsets, .values = values}};
	const struct enrg_schema schema = {.column_count = 1, .columns = columns};
	const struct enrg_batch batch = {.schema = &schema, .rows = 6, .columns = views};
	struct text text = {0};

	(void)state;
	assert_string_equal(format_all(&batch, 1000, &text),
		"\"a \"\"name\"\"\"\nplain\n\"a,b\"\n\"say \"\"hi\"\"\"\n\"two\nlines\"\n\"\"\n\" edge\"\n");
	text_fini(&text);
}

static void bytes_and_lists(void **state)
{
	static const int32_t offsets[] = {0, 0, 1, 3, 6, 10};
	static const int16_t samples[] = {1, -2, 3, 4, 5, 6, 7, 8, 9, 10};
	static const struct enrg_column columns[] = {
		{.name = "raw", .type = ENRG_BINARY},
		{.name = "wave", .type = ENRG_LIST, .item = ENRG_I16},
	};
	const struct enrg_column_view views[] = {
		{.offsets = offsets, .values = "ffofoofoob"},
		{.offsets = offsets, .values = samples},
	};
	const struct enrg_schema schema = {.column_count = 2, .columns = columns};
	const struct enrg_batch batch = {.schema = &schema, .rows = 5, .columns = views};
	struct text text = {0};

	(void)state;
	assert_string_equal(format_all(&batch, 1000, &text),
		"raw,wave\n\"\",\"[]\"\nZg==,\"[1]\"\nZm8=,\"[-2 3]\"\nZm9v,\"[4 5 6]\"\nZm9vYg==,\"[7 8 9 10]\"\n");
	text_fini(&text);
}

static void lists_of_all_types(void **state)
{
	static const int32_t offsets[] = {0, 2, 2, 3};
	static const int8_t i8[] = {-128, 1, 127};
	static const int16_t i16[] = {-32768, 1, 32767};
	static const int32_t i32[] = {INT32_MIN, 1, INT32_MAX};
	static const int64_t i64[] = {INT64_MIN, 1, INT64_MAX};
	static const uint8_t u8[] = {255, 1, 0};
	static const uint16_t u16[] = {65535, 1, 0};
	static const uint32_t u32[] = {UINT32_MAX, 1, 0};
	static const uint64_t u64[] = {UINT64_MAX, 1, 0};
	static const float f32[] = {0.1f, 1, -3};
	static const double f64[] = {0.1, 1, -1e300};
	const struct enrg_column_view views[] = {{.values = i8}, {.values = i16}, {.values = i32}, {.values = i64},
		{.values = u8}, {.values = u16}, {.values = u32}, {.values = u64}, {.values = f32}, {.values = f64}};
	static const char *const texts[] = {"\"[-128 1]\"\n\"[]\"\n\"[127]\"\n",
		"\"[-32768 1]\"\n\"[]\"\n\"[32767]\"\n", "\"[-2147483648 1]\"\n\"[]\"\n\"[2147483647]\"\n",
		"\"[-9223372036854775808 1]\"\n\"[]\"\n\"[9223372036854775807]\"\n", "\"[255 1]\"\n\"[]\"\n\"[0]\"\n",
		"\"[65535 1]\"\n\"[]\"\n\"[0]\"\n", "\"[4294967295 1]\"\n\"[]\"\n\"[0]\"\n",
		"\"[18446744073709551615 1]\"\n\"[]\"\n\"[0]\"\n", "\"[0.1 1.0]\"\n\"[]\"\n\"[-3.0]\"\n",
		"\"[0.1 1.0]\"\n\"[]\"\n\"[-1e+300]\"\n"};

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		const struct enrg_column column = {.name = "l", .type = ENRG_LIST, .item = ENRG_I8 + i};
		const struct enrg_schema schema = {.column_count = 1, .columns = &column};
		struct enrg_column_view view = views[i];
		struct text text = {0};

		view.offsets = offsets;
		const struct enrg_batch batch = {.schema = &schema, .rows = 3, .columns = &view};
		assert_string_equal(format_all(&batch, 1000, &text) + 2, texts[i]);
		text_fini(&text);
	}
}

/* Room is made once a row, and anew behind a value that may have taken it. */
static void long_values_leave_room_for_numbers(void **state)
{
	enum { COLUMNS = 400, BYTES = 4000 };
	static char string[BYTES];
	static const double number[] = {-1.2345678901234568e-300};
	static const int32_t offsets[] = {0, BYTES};
	struct enrg_column columns[COLUMNS];
	struct enrg_column_view views[COLUMNS];
	const struct enrg_schema schema = {.column_count = COLUMNS, .columns = columns};
	const struct enrg_batch batch = {.schema = &schema, .rows = 1, .columns = views};
	struct text text = {0};
	const char *at;

	(void)state;
	memset(string, '"', sizeof(string));
	for (int i = 0; i < COLUMNS; i++) {
		bool is_string = i % 100 == 50;

		columns[i] = (struct enrg_column){.name = "c", .type = is_string ? ENRG_STRING : ENRG_F64};
		views[i] = (struct enrg_column_view){
			.values = is_string ? (const void *)string : number, .offsets = is_string ? offsets : NULL};
	}
	at = strchr(format_all(&batch, 1000, &text), '\n') + 1;
	for (int i = 0; i < COLUMNS; i++) {
		size_t length = i % 100 == 50 ? 2 * BYTES + 2 : 24;

		assert_true(length != 24 || memcmp(at, "-1.2345678901234568e-300", 24) == 0);
		assert_int_equal(at[length], i == COLUMNS - 1 ? '\n' : ',');
		at += length + 1;
	}
	text_fini(&text);
}

static void missing_values_are_empty(void **state)
{
	static const uint8_t validity[] = {5};
	static const int64_t numbers[] = {1, 2, 3};
	static const int32_t offsets[] = {0, 1, 1, 1};
	static const struct enrg_column columns[] = {
		{.name = "n", .type = ENRG_I64},
		{.name = "s", .type = ENRG_STRING},
	};
	const struct enrg_column_view views[] = {
		{.validity = validity, .values = numbers, .null_count = 1},
		{.validity = validity, .offsets = offsets, .values = "x", .null_count = 1},
	};
	const struct enrg_schema schema = {.column_count = 2, .columns = columns};
	const struct enrg_batch batch = {.schema = &schema, .rows = 3, .columns = views};
	struct text text = {0};

	(void)state;
	assert_string_equal(format_all(&batch, 1000, &text), "n,s\n1,x\n,\n3,\"\"\n");
	text_fini(&text);
}

static void pieces_give_the_same_text(void **state)
{
	static double numbers[1000];
	static const struct enrg_column columns[] = {{.name = "n", .type = ENRG_F64}};
	const struct enrg_column_view views[] = {{.values = numbers}};
	const struct enrg_schema schema = {.column_count = 1, .columns = columns};
	const struct enrg_batch batch = {.schema = &schema, .rows = 1000, .columns = views};
	struct text whole = {0}, pieces = {0};

	(void)state;
	for (int i = 0; i < 1000; i++)
		numbers[i] = i / 7.0;
	assert_string_equal(format_all(&batch, SIZE_MAX / 2, &whole), format_all(&batch, 1, &pieces));
	text_fini(&whole);
	text_fini(&pieces);
}

static int set_up(void **state)
{
	(void)state;
	number_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_all_types),
		cmocka_unit_test(strings_are_quoted_where_needed),
		cmocka_unit_test(bytes_and_lists),
		cmocka_unit_test(lists_of_all_types),
		cmocka_unit_test(long_values_leave_room_for_numbers),
		cmocka_unit_test(missing_values_are_empty),
		cmocka_unit_test(pieces_give_the_same_text),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}

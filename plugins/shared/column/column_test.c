/* column_test.c: every type as a number. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "column.h"

static double number_of(enum enrg_type type, const void *values, uint8_t validity)
{
	const struct enrg_column column = {.name = "a", .type = type, .item = type == ENRG_LIST ? ENRG_I16 : 0};
	const struct enrg_schema schema = {.column_count = 1, .columns = &column};
	const struct enrg_column_view view = {.validity = &validity, .values = values, .value_count = 2};
	const struct enrg_batch batch = {.schema = &schema, .rows = 2, .columns = &view};

	assert_int_equal(column_is_number(&schema, 0), type < ENRG_STRING || type == ENRG_TIMESTAMP_NS);
	return column_number(&batch, 0, 1);
}

#define CHECK(type, ctype, value)                                                                                      \
	assert_true(number_of(type, (const ctype[]){0, (ctype)(value)}, 2) == (double)(ctype)(value))

static void every_type(void **state)
{
	(void)state;
	CHECK(ENRG_I8, int8_t, -128);
	CHECK(ENRG_I16, int16_t, -32768);
	CHECK(ENRG_I32, int32_t, INT32_MIN);
	CHECK(ENRG_I64, int64_t, -5000000000);
	CHECK(ENRG_TIMESTAMP_NS, int64_t, 5000000000);
	CHECK(ENRG_U8, uint8_t, 255);
	CHECK(ENRG_U16, uint16_t, 65535);
	CHECK(ENRG_U32, uint32_t, UINT32_MAX);
	CHECK(ENRG_U64, uint64_t, UINT64_MAX);
	CHECK(ENRG_F32, float, 0.5);
	CHECK(ENRG_F64, double, 0.1);
	assert_true(number_of(ENRG_BOOL, (const uint8_t[]){2}, 2) == 1);
	assert_true(number_of(ENRG_BOOL, (const uint8_t[]){1}, 2) == 0);
	assert_true(isnan(number_of(ENRG_F64, (const double[]){1, 2}, 1))); /* missing */
	assert_true(isnan(number_of(ENRG_STRING, "ab", 2)));
	assert_true(isnan(number_of(ENRG_LIST, "ab", 2)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_type)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

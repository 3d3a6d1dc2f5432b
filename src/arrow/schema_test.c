/* schema_test.c: which tables are refused, and in which words. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "enrgdaq/schema.h"

static int check_one(
	const char *name, enum enrg_type type, enum enrg_type item, const char *unit, struct enrg_error *err)
{
	const struct enrg_column column = {name, type, item, unit};
	const struct enrg_schema schema = {.column_count = 1, .columns = &column};

	*err = (struct enrg_error){0};
	return enrg_schema_check(&schema, err);
}

static void types_have_names_and_widths(void **state)
{
	(void)state;
	assert_string_equal(enrg_type_name(ENRG_I16), "int16");
	assert_string_equal(enrg_type_name(ENRG_F64), "float64");
	assert_string_equal(enrg_type_name(ENRG_LIST), "list");
	assert_string_equal(enrg_type_name(0), "?");
	assert_string_equal(enrg_type_name((enum enrg_type)99), "?");
	assert_int_equal(enrg_type_bytes(ENRG_U32), 4);
	assert_int_equal(enrg_type_bytes(ENRG_F64), 8);
	assert_int_equal(enrg_type_bytes(ENRG_BOOL), 0);
	assert_int_equal(enrg_type_bytes(ENRG_STRING), 0);
	assert_int_equal(enrg_type_bytes((enum enrg_type)99), 0);
}

/* Every type has its line in the table, and is one of: a bit, an integer, a float, of variable length. */
static void facts_of_types_agree(void **state)
{
	int known = 0;

	(void)state;
	for (int i = 0; i < 64; i++) {
		enum enrg_type type = (enum enrg_type)i;
		int kinds = (type == ENRG_BOOL) + enrg_type_is_integer(type) + enrg_type_is_float(type) +
			    enrg_type_is_variable(type) + enrg_type_is_time(type);

		assert_non_null(enrg_type_name(type));
		if (enrg_type_name(type)[0] == '?') {
			assert_int_equal(kinds, 0);
			continue;
		}
		known++;
		assert_int_equal(kinds, 1);
		assert_int_equal(enrg_type_is_number(type) || enrg_type_is_time(type), enrg_type_bytes(type) > 0);
		assert_false(enrg_type_is_signed(type) && !enrg_type_is_integer(type) && !enrg_type_is_time(type));
	}
	assert_int_equal(known, ENRG_TIMESTAMP_NS);
	assert_true(enrg_type_is_signed(ENRG_I64));
	assert_false(enrg_type_is_signed(ENRG_U8));
	assert_true(enrg_type_is_float(ENRG_F32));
}

static void reals_and_what_is_missing(void **state)
{
	static const float singles[] = {1.5f, -2.5f};
	static const double reals[] = {0.25, 1e300};

	(void)state;
	assert_true(enrg_type_real(ENRG_F32, singles, 1) == -2.5);
	assert_true(enrg_type_real(ENRG_F64, reals, 1) == 1e300);
	assert_true(isnan(enrg_type_real(ENRG_I64, reals, 0)));
	assert_true(isnan(enrg_type_real(ENRG_F32, enrg_type_missing(ENRG_F32), 0)));
	assert_true(isnan(enrg_type_real(ENRG_F64, enrg_type_missing(ENRG_F64), 0)));
	assert_memory_equal(enrg_type_missing(ENRG_I64), "\0\0\0\0\0\0\0", 8);
}

static void columns_say_what_lies_in_them(void **state)
{
	(void)state;
	assert_int_equal(enrg_column_item(&(struct enrg_column){.type = ENRG_LIST, .item = ENRG_I16}), ENRG_I16);
	assert_int_equal(enrg_column_item(&(struct enrg_column){.type = ENRG_STRING}), ENRG_U8);
	assert_int_equal(enrg_column_item(&(struct enrg_column){.type = ENRG_F32}), ENRG_F32);
	assert_int_equal(enrg_column_item_bytes(&(struct enrg_column){.type = ENRG_LIST, .item = ENRG_F64}), 8);
	assert_int_equal(enrg_column_item_bytes(&(struct enrg_column){.type = ENRG_BINARY}), 1);
	assert_int_equal(enrg_column_item_bytes(&(struct enrg_column){.type = ENRG_BOOL}), 0);
}

static void good_columns_pass(void **state)
{
	struct enrg_error err;

	(void)state;
	assert_int_equal(check_one("wave", ENRG_LIST, ENRG_I16, "mV", &err), 0);
	assert_int_equal(check_one("température", ENRG_F32, 0, "°C", &err), 0);
	assert_int_equal(check_one("\xF0\x9F\x98\x80", ENRG_BOOL, 0, NULL, &err), 0);
	assert_int_equal(enrg_schema_check(enrg_schema_blob(), &err), 0);
	assert_true(enrg_schema_blob()->is_blob);
	assert_int_equal(check_one("time", ENRG_TIMESTAMP_NS, 0, "", &err), 0);
}

static void bad_columns_are_named(void **state)
{
	struct enrg_error err;
	char name[300];

	(void)state;
	assert_int_equal(check_one("", ENRG_I8, 0, NULL, &err), -EINVAL);
	assert_string_equal(err.text, "column 1 has no name");
	assert_int_equal(check_one(NULL, ENRG_I8, 0, NULL, &err), -EINVAL);
	assert_int_equal(check_one("x", 0, 0, NULL, &err), -EINVAL);
	assert_int_equal(check_one("x", ENRG_LIST, ENRG_TIMESTAMP_NS, NULL, &err), -EINVAL);
	assert_int_equal(check_one("x", ENRG_TIMESTAMP_NS, 0, "ms", &err), -EINVAL);
	assert_string_equal(err.text, "column 1 (\"x\"): a time has no unit, found \"ms\"");
	assert_int_equal(check_one("x", ENRG_LIST, ENRG_STRING, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.text, "column 1 (\"x\"): a list holds numbers"));
	assert_int_equal(check_one("x", ENRG_LIST, 0, NULL, &err), -EINVAL);
	memset(name, 'n', 256);
	name[256] = '\0';
	assert_int_equal(check_one(name, ENRG_I8, 0, NULL, &err), -EMSGSIZE);
	assert_int_equal(check_one("x", ENRG_I8, 0, name, &err), -EMSGSIZE);
	name[255] = '\0';
	assert_int_equal(check_one(name, ENRG_I8, 0, name, &err), 0);
}

static void names_must_be_utf8(void **state)
{
	static const char *const bad[] = {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
		"\xF8\x88\x80\x80\x80", "a\xC3", "\x80", "\xC3\x28", "\xF0\x80\x80\x80"};
	struct enrg_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(check_one(bad[i], ENRG_I8, 0, NULL, &err), -EINVAL);
	assert_int_equal(check_one("x", ENRG_I8, 0, "\xFF", &err), -EINVAL);
	assert_string_equal(err.text, "column 1: its unit is not UTF-8");
}

static void wide_tables_are_refused_and_names_are_unique(void **state)
{
	static struct enrg_column columns[10000];
	static char names[10000][8];
	struct enrg_schema schema = {.column_count = 10000, .columns = columns};
	struct enrg_error err;

	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		snprintf(names[i], sizeof(names[i]), "c%u", i);
		columns[i] = (struct enrg_column){names[i], ENRG_I8, 0, NULL};
	}
	assert_int_equal(enrg_schema_check(&schema, &err), -EMSGSIZE);
	assert_string_equal(err.text, "10000 columns are too many: at most 4096 fit in one table");
	schema.column_count = ENRG_COLUMNS_MAX;
	assert_int_equal(enrg_schema_check(&schema, &err), 0);
	columns[4095].name = "c17";
	assert_int_equal(enrg_schema_check(&schema, &err), -EINVAL);
	assert_string_equal(err.text, "columns 18 and 4096 have the same name \"c17\"");
	schema.column_count = 0;
	assert_int_equal(enrg_schema_check(&schema, &err), -EINVAL);
	assert_int_equal(enrg_schema_check(NULL, NULL), -EINVAL);
}

static void blobs_have_one_column_of_bytes(void **state)
{
	const struct enrg_column column = {"image", ENRG_BINARY, 0, NULL};
	const struct enrg_schema schema = {.column_count = 1, .columns = &column, .is_blob = true};

	(void)state;
	assert_int_equal(enrg_schema_check(&schema, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_have_names_and_widths),
		cmocka_unit_test(facts_of_types_agree),
		cmocka_unit_test(reals_and_what_is_missing),
		cmocka_unit_test(columns_say_what_lies_in_them),
		cmocka_unit_test(good_columns_pass),
		cmocka_unit_test(bad_columns_are_named),
		cmocka_unit_test(names_must_be_utf8),
		cmocka_unit_test(wide_tables_are_refused_and_names_are_unique),
		cmocka_unit_test(blobs_have_one_column_of_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

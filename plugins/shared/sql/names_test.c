/* names_test.c: names that databases would mix up or refuse. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "names.h"

static void other_bytes_become_lines(void **state)
{
	char name[SQL_NAME_BYTES_MAX + 1];

	(void)state;
	sql_clean_name("a b-c`d\"e;\xC3\xBC_9", name);
	assert_string_equal(name, "a_b_c_d_e____9");
}

static void long_names_stay_apart(void **state)
{
	char text[200], first[SQL_NAME_BYTES_MAX + 1], second[SQL_NAME_BYTES_MAX + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[100] = '\0';
	sql_clean_name(text, first);
	text[99] = 'y';
	sql_clean_name(text, second);
	assert_int_equal(strlen(first), SQL_NAME_BYTES_MAX);
	assert_int_equal(strlen(second), SQL_NAME_BYTES_MAX);
	assert_string_not_equal(first, second);
	text[SQL_NAME_BYTES_MAX] = '\0';
	sql_clean_name(text, first);
	assert_string_equal(first, text);
}

static void tags_are_appended(void **state)
{
	char name[SQL_NAME_BYTES_MAX + 1];
	struct enrg_error err;

	(void)state;
	assert_int_equal(sql_table_name("hv.log", "", name, &err), 0);
	assert_string_equal(name, "hv_log");
	assert_int_equal(sql_table_name("hv", "ch/1", name, &err), 0);
	assert_string_equal(name, "hv_ch_1");
	assert_true(sql_table_name("", "x", name, &err) < 0);
	assert_true(sql_table_name("ENRGDAQ", "positions", name, &err) < 0);
}

static void equal_names_get_numbers(void **state)
{
	static const struct enrg_column columns[] = {{"A", ENRG_I8, 0, NULL}, {"a", ENRG_I8, 0, NULL},
		{"a_2", ENRG_I8, 0, NULL}, {"\xC3\xA4\xC3\xB6", ENRG_I8, 0, NULL},
		{"\xC3\xBC\xC3\xB6", ENRG_I8, 0, NULL}};
	static const char *const wanted[] = {"A", "a_2", "a_2_2", "____", "_____2"};
	const struct enrg_schema schema = {.column_count = 5, .columns = columns};
	struct sql_names names;

	(void)state;
	assert_int_equal(sql_names_init(&names, &schema, NULL), 0);
	for (uint32_t i = 0; i < 5; i++)
		assert_string_equal(names.items[i], wanted[i]);
	sql_names_fini(&names);
}

static void prints_tell_shapes_apart(void **state)
{
	static const struct enrg_column one[] = {{"ab", ENRG_I8, 0, NULL}}, two[] = {{"ab", ENRG_I16, 0, NULL}};
	const struct enrg_schema first = {.column_count = 1, .columns = one},
				 second = {.column_count = 1, .columns = two};
	char a[SQL_FINGERPRINT_BYTES], b[SQL_FINGERPRINT_BYTES];

	(void)state;
	sql_fingerprint_columns(&first, a);
	sql_fingerprint_columns(&second, b);
	assert_int_equal(strlen(a), 16);
	assert_string_not_equal(a, b);
	sql_fingerprint_columns(&first, b);
	assert_string_equal(a, b);
}

static void only_runs_with_a_time_grow_old(void **state)
{
	const time_t now = 1795046400 + 30 * 86400;
	char oldest[SQL_RUN_TIME_BYTES];

	(void)state;
	assert_false(sql_find_oldest_run("run-1", now, oldest));
	assert_false(sql_find_oldest_run("20261119T0000", now, oldest));
	assert_true(sql_find_oldest_run("20261219T000000Z-1a2b", now, oldest));
	assert_string_equal(oldest, "20261119T000000Z");
	assert_true(strcmp("20261118T235959Z-ffff", oldest) < 0);
	assert_true(strcmp("20261119T000000Z-0000", oldest) > 0);
	/* a clock that is ahead makes nothing old */
	assert_true(sql_find_oldest_run("20261219T000000Z-1a2b", now + 3650 * 86400, oldest));
	assert_string_equal(oldest, "20261119T000000Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_bytes_become_lines),
		cmocka_unit_test(long_names_stay_apart),
		cmocka_unit_test(tags_are_appended),
		cmocka_unit_test(equal_names_get_numbers),
		cmocka_unit_test(prints_tell_shapes_apart),
		cmocka_unit_test(only_runs_with_a_time_grow_old),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* query_test.c: queries as JSON of the kinds that a table names, and those that are refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "web/api/query.h"

static const struct enrg_option options[] = {
	{.key = "last", .kind = ENRG_OPTION_INT},
	{.key = "share", .kind = ENRG_OPTION_FLOAT},
	{.key = "all", .kind = ENRG_OPTION_BOOL},
	{.key = "text", .kind = ENRG_OPTION_STRING},
	{.key = "names", .kind = ENRG_OPTION_STRING_LIST},
	{.key = "numbers", .kind = ENRG_OPTION_INT_LIST},
	{0},
};
static const struct enrg_table table = {1, options};

static void expect(const char *query, const char *json)
{
	char wrong[200];
	json_t *parsed = query_parse(query, &table, wrong, sizeof(wrong));
	char *text = json_dumps(parsed, JSON_COMPACT | JSON_SORT_KEYS);

	assert_string_equal(wrong, "");
	assert_string_equal(text, json);
	free(text);
	json_decref(parsed);
}

static void refuse(const char *query, const char *part)
{
	char wrong[200];

	assert_null(query_parse(query, &table, wrong, sizeof(wrong)));
	assert_non_null(strstr(wrong, part));
}

static void test_values_have_their_kinds(void **state)
{
	(void)state;
	expect("", "{}");
	expect("&&", "{}");
	expect("last=5&all=true", "{\"all\":true,\"last\":5}");
	expect("last=-5&share=2.5e1", "{\"last\":-5,\"share\":25.0}");
	expect("text=a+b%20c%26d%3d", "{\"text\":\"a b c&d=\"}");
	expect("text=%C3%A9", "{\"text\":\"\303\251\"}");
	expect("text", "{\"text\":\"\"}");
	expect("names=a&names=b", "{\"names\":[\"a\",\"b\"]}");
	expect("numbers=1&numbers=2", "{\"numbers\":[1,2]}");
	expect("other=1", "{\"other\":\"1\"}"); /* refused where the struct is filled */
}

static void test_what_is_none_is_refused(void **state)
{
	(void)state;
	refuse("last=5x", "last: an integer");
	refuse("last=", "last: an integer");
	refuse("last=+5", "last: an integer");
	refuse("last=99999999999999999999", "last: an integer");
	refuse("last=%205", "last: an integer");
	refuse("share=nan", "share: a number");
	refuse("share=0x10", "share: a number");
	refuse("share=1e999", "share: a number");
	refuse("all=yes", "all: true or false");
	refuse("last=1&last=2", "twice");
	refuse("x=1&x=2", "twice");
}

static void test_what_is_no_text_is_refused(void **state)
{
	static char longest[5000];

	(void)state;
	refuse("text=%", "UTF-8");
	refuse("text=%2", "UTF-8");
	refuse("text=%zz", "UTF-8");
	refuse("text=%00", "UTF-8");
	refuse("text=%ff", "UTF-8");
	refuse("%ff=1", "UTF-8");
	refuse("text=%ed%a0%80", "UTF-8"); /* half of a pair */
	memset(longest, 'x', sizeof(longest) - 1);
	memcpy(longest, "text=", 5);
	refuse(longest, "too long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_have_their_kinds),
		cmocka_unit_test(test_what_is_none_is_refused),
		cmocka_unit_test(test_what_is_no_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* target_test.c: paths as they come, and those that are refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "web/http/target.h"

static void paths_are_decoded_and_normal(void **state)
{
	static const struct {
		const char *text, *path, *token, *query;
	} cases[] = {
		{"/", "/", NULL, ""},
		{"//", "/", NULL, ""},
		{"/clients", "/clients", NULL, ""},
		{"/clients/", "/clients", NULL, ""},
		{"/clients//lab/./status", "/clients/lab/status", NULL, ""},
		{"/K%C3%B6ln%20a/%2e", "/K\xc3\xb6ln a", NULL, ""},
		{"/K\xc3\xb6ln", "/K\xc3\xb6ln", NULL, ""},
		{"/a?b=%2F&c=/../", "/a", NULL, "b=%2F&c=/../"},
		{"/a?", "/a", NULL, ""},
		{"/a?b?c", "/a", NULL, "b?c"},
		{"/%3F?x", "/?", NULL, "x"},
		{"/a...", "/a...", NULL, ""},
		{"/t/secret/clients/lab", "/clients/lab", "secret", ""},
		{"/t//secret/./clients/?a=1", "/clients", "secret", "a=1"},
		{"/t/secret", "/", "secret", ""},
		{"/t/secret/", "/", "secret", ""},
		{"/%74/sec%72et/x", "/x", "secret", ""},
		{"/t/x/y", "/y", "x", ""},
		{"/t/t/t/t", "/t/t", "t", ""},
		{"/t", "/t", NULL, ""},
		{"/t/", "/t", NULL, ""},
		{"/tt/secret", "/tt/secret", NULL, ""},
	};
	struct target target;
	const char *detail;
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(text, cases[i].text);
		assert_int_equal(target_parse(text, &target, &detail), 0);
		assert_string_equal(target.path, cases[i].path);
		assert_string_equal(target.query, cases[i].query);
		if (cases[i].token)
			assert_string_equal(target.token, cases[i].token);
		else
			assert_null(target.token);
	}
}

static void what_climbs_or_hides_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"clients",
		"*",
		"http://lab/clients",
		"//../x/..",
		"/..",
		"/a/../b",
		"/a/%2e%2e/b",
		"/a/.%2E",
		"/t/../x",
		"/a%00",
		"/a%0a",
		"/a%7f",
		"/a%c2%80",
		"/a\tb",
		"/a b",
		"/a%",
		"/a%4",
		"/a%4g",
		"/a%%41",
		"/a%2fb",
		"/a%2Fb",
		"/a%ff",
		"/a%c0%af",
		"/a%ed%a0%80",
		"/a\xff",
		"/a?b\xff",
		"/a?b\x01",
		"/a#b",
		"/a?b#c",
		"/t%2Fsecret/x",
	};
	struct target target;
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *detail = NULL;
		strcpy(text, cases[i]);
		if (target_parse(text, &target, &detail) != -EINVAL)
			fail_msg("%s is taken as %s", cases[i], target.path);
		assert_non_null(detail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_decoded_and_normal),
		cmocka_unit_test(what_climbs_or_hides_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

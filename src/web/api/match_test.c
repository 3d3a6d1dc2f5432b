/* match_test.c: which row a path is for, and what a path that has rows takes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "web/api/match.h"

static const struct route one[] = {
	{.method = WEB_GET, .path = "/clients", .operation = "list"},
	{.method = WEB_GET, .path = "/clients/{id}/logs", .operation = "logs"},
	{.method = WEB_POST, .path = "/clients/{id}/{what}", .operation = "any"},
	{0},
};
static const struct route two[] = {
	{.method = WEB_POST, .path = "/clients/{id}/ping", .operation = "ping"},
	{.method = WEB_GET, .path = "/a/{b}/{c}", .operation = "parts"},
	{0},
};
static const struct route *const tables[] = {one, two, NULL};

static const char *find(enum web_method method, const char *path, struct match *ret_match)
{
	match_find(tables, method, path, ret_match);
	return ret_match->route ? ret_match->route->operation : "";
}

static void test_parts_are_taken_out(void **state)
{
	struct match match;

	(void)state;
	assert_string_equal(find(WEB_GET, "/clients/lab 1/logs", &match), "logs");
	assert_string_equal(match.parts[0], "lab 1");
	assert_null(match.parts[1]);
	assert_string_equal(find(WEB_GET, "/a/x/y", &match), "parts");
	assert_string_equal(match.parts[0], "x");
	assert_string_equal(match.parts[1], "y");
}

static void test_what_is_written_out_comes_first(void **state)
{
	struct match match;

	(void)state;
	assert_string_equal(find(WEB_POST, "/clients/lab/ping", &match), "ping");
	assert_string_equal(find(WEB_POST, "/clients/lab/pong", &match), "any");
	assert_string_equal(match.parts[1], "pong");
}

static void test_other_methods_are_named(void **state)
{
	struct match match;

	(void)state;
	assert_string_equal(find(WEB_POST, "/clients", &match), "");
	assert_string_equal(match.allow, "GET, HEAD");
	assert_string_equal(find(WEB_OTHER_METHOD, "/clients/lab/logs", &match), "");
	assert_string_equal(match.allow, "GET, HEAD, POST");
	assert_string_equal(find(WEB_GET, "/client", &match), "");
	assert_string_equal(match.allow, "");
}

static void test_near_misses_are_none(void **state)
{
	static const char *const paths[] = {"", "/", "/clients/", "/clients/a/logs/", "/clients//logs",
		"/clients/a/logs/b", "/Clients", "/clientsx", "/a/x", "/a/x/y/z"};
	struct match match;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_string_equal(find(WEB_GET, paths[i], &match), "");
}

static void test_a_part_longer_than_there_is_room_for_is_none(void **state)
{
	static char path[MATCH_PATH_BYTES + 64];
	struct match match;

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	memcpy(path, "/clients/", 9);
	memcpy(path + sizeof(path) - 6, "/logs", 6);
	assert_string_equal(find(WEB_GET, path, &match), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts_are_taken_out),
		cmocka_unit_test(test_what_is_written_out_comes_first),
		cmocka_unit_test(test_other_methods_are_named),
		cmocka_unit_test(test_near_misses_are_none),
		cmocka_unit_test(test_a_part_longer_than_there_is_room_for_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* openapi_test.c: the description of all paths is whole: references lead somewhere, names are given once, every row
 * says who may, and what can come is described. That it is valid OpenAPI is proved by tests/web/openapi.sh. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "web/api/openapi.h"
#include "web/api/routes.h"

static json_t *all;

static int make(void **state)
{
	struct enrg_error err = {0};

	(void)state;
	all = openapi_make(routes_all, &err);
	if (!all)
		print_error("%s\n", err.text);
	return !all;
}

static int drop(void **state)
{
	(void)state;
	json_decref(all);
	return 0;
}

static void walk_references(const json_t *value)
{
	static const char prefix[] = "#/components/schemas/";
	json_t *schemas = json_object_get(json_object_get(all, "components"), "schemas"), *item;
	const char *key;
	size_t i;

	if (json_is_object(value))
		json_object_foreach((json_t *)(uintptr_t)value, key, item)
		{
			if (strcmp(key, "$ref") != 0) {
				walk_references(item);
				continue;
			}
			assert_int_equal(strncmp(json_string_value(item), prefix, strlen(prefix)), 0);
			assert_non_null(json_object_get(schemas, json_string_value(item) + strlen(prefix)));
		}
	else
		json_array_foreach(value, i, item) walk_references(item);
}

static void test_references_lead_somewhere(void **state)
{
	(void)state;
	walk_references(all);
}

static bool describes(const struct route *route, const char *status)
{
	const char *method = route->method == WEB_GET ? "get" : "post";
	json_t *operation = json_object_get(json_object_get(json_object_get(all, "paths"), route->path), method);

	assert_non_null(operation);
	assert_non_null(json_object_get(operation, "x-enrgdaq-role"));
	return json_object_get(json_object_get(operation, "responses"), status) != NULL;
}

static void test_what_can_come_is_described(void **state)
{
	(void)state;
	for (const struct route *const *table = routes_all; *table; table++)
		for (const struct route *route = *table; route->path; route++) {
			assert_true(describes(route, "400") && describes(route, "403") && describes(route, "422") &&
				    describes(route, "429"));
			if (route->least > ACCESS_NOBODY)
				assert_true(describes(route, "401"));
			if (route->method == WEB_POST)
				assert_true(
					describes(route, "413") && describes(route, "415") && describes(route, "409"));
			if (!route->is_quick)
				assert_true(describes(route, "503"));
			if (!describes(route, "101") && !describes(route, "200") && !describes(route, "204") &&
				!describes(route, "303"))
				fail_msg("%s: no answer of success is described", route->path);
		}
}

/* GET changes nothing; what changes something is not for everybody. */
static void test_rows_make_sense(void **state)
{
	(void)state;
	for (const struct route *const *table = routes_all; *table; table++)
		for (const struct route *route = *table; route->path; route++) {
			assert_non_null(route->operation);
			assert_non_null(route->tag);
			assert_non_null(route->summary);
			assert_non_null(route->answers);
			assert_non_null(route->handle);
			assert_true(route->method == WEB_POST || (!route->is_change && !route->body));
			assert_true(route->method == WEB_GET || !route->is_socket);
		}
}

static enum call_outcome nothing(struct call *call)
{
	return call_refuse(call, 503, "nothing");
}

static const struct route_answer right[] = {{200, "#Done", "done"}, {0}}, wrong[] = {{200, "#Nothing", "done"}, {0}},
				 torn[] = {{200, "{\"type\":", "done"}, {0}};

static void refuse(const struct route *table, const char *part)
{
	const struct route *const tables[] = {table, NULL};
	struct enrg_error err = {0};

	assert_null(openapi_make(tables, &err));
	assert_non_null(strstr(err.text, part));
}

#define ROW(path_, operation_, answers_)                                                                               \
	{                                                                                                              \
		.method = WEB_GET, .path = path_, .operation = operation_, .tag = "t", .summary = "s",                 \
		.answers = answers_, .handle = nothing                                                                 \
	}

static void test_wrong_rows_are_named(void **state)
{
	const struct route twice[] = {ROW("/a", "a", right), ROW("/a", "b", right), {0}};
	const struct route same[] = {ROW("/a", "a", right), ROW("/b", "a", right), {0}};
	const struct route unknown[] = {ROW("/c", "c", wrong), {0}};
	const struct route cut[] = {ROW("/d", "d", torn), {0}};

	(void)state;
	refuse(twice, "/a stands in two rows");
	refuse(same, "/b: its operation a");
	refuse(unknown, "/c");
	refuse(cut, "/d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references_lead_somewhere),
		cmocka_unit_test(test_what_can_come_is_described),
		cmocka_unit_test(test_rows_make_sense),
		cmocka_unit_test(test_wrong_rows_are_named),
	};

	return cmocka_run_group_tests(tests, make, drop);
}

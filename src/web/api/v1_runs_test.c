/* v1_runs_test.c: what routes of runs ask of the run book; queries of somebody who means harm. The run book is a
 * program that answers with the question. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/options_json.h"
#include "web/api/query.h"
#include "web/api/routes.h"
#include "web/record/book_reader.h"

static char folder[64];
static struct web web;

static void write_file(const char *name, const char *text, int mode)
{
	char path[200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, (mode_t)mode), 0);
}

static int set_up(void **state)
{
	char program[200];
	const struct book_reader_params params = {.runtime_folder = folder, .program = program};

	(void)state;
	strcpy(folder, "/dev/shm/enrg-v1-XXXXXX");
	assert_non_null(mkdtemp(folder));
	write_file("book.json", "{\"database\": \"/x.sqlite\", \"folder\": \"/\"}", 0600);
	write_file("echo",
		"#!/bin/sh\nwhile IFS= read -r line; do case $line in *missing*) printf '%s\\n%s' '-2 10' 'no run "
		"\"7\"' ;;"
		" *broken*) printf '%s\\n%s' '-1002 7' damaged ;; *) printf '0 %d\\n%s' ${#line} \"$line\" ;; esac; "
		"done\n",
		0755);
	snprintf(program, sizeof(program), "%s/echo", folder);
	return book_reader_open(&params, &web.book, NULL);
}

static int tear_down(void **state)
{
	char line[200];

	(void)state;
	book_reader_close(web.book);
	snprintf(line, sizeof(line), "rm -rf %s", folder);
	return system(line);
}

static const struct route *find_route(const char *operation)
{
	for (const struct route *const *table = routes_all; *table; table++)
		for (const struct route *route = *table; route->path; route++)
			if (!strcmp(route->operation, operation))
				return route;
	fail_msg("no operation %s", operation);
	return NULL;
}

/* Status; *ret_json: the answer's body, new reference, NULL: it is not JSON. 422 where the query is refused. */
static int get(const char *operation, const char *part, const char *query, json_t **ret_json)
{
	struct options_memory *memory = options_memory_create();
	struct call call = {.web = &web, .route = find_route(operation), .parts = {part, "8"}};
	char wrong[1000] = "";
	void *filled = NULL;
	json_t *json = call.route->query ? query_parse(query, call.route->query, wrong, sizeof(wrong)) : NULL;

	*ret_json = NULL;
	if (call.route->query &&
		(!json || options_fill_json(call.route->query, json, memory, &filled, wrong, sizeof(wrong)))) {
		assert_int_not_equal(wrong[0], '\0');
		call.response.status = 422;
	} else {
		call.query = filled;
		assert_int_equal(call.route->handle(&call), CALL_ANSWERED);
		assert_non_null(call.response.body);
		*ret_json = json_loadb((char *)call.response.body->data, call.response.body->count, 0, NULL);
	}
	json_decref(json);
	web_bytes_release(call.response.body);
	options_memory_destroy(memory);
	return call.response.status;
}

static void asks(const char *operation, const char *query, const char *wanted)
{
	json_t *json = NULL, *expected = json_loads(wanted, 0, NULL), *value;
	const char *key;

	assert_non_null(expected);
	assert_int_equal(get(operation, "7", query, &json), 200);
	json_object_foreach(expected, key, value) if (!json_equal(json_object_get(json, key), value))
		fail_msg("%s?%s: %s", operation, query, key);
	json_decref(json);
	json_decref(expected);
}

static void each_route_asks_what_it_says(void **state)
{
	(void)state;
	asks("listRuns", "", "{\"do\":\"list\",\"limit\":50,\"page\":1,\"before\":0,\"open\":false,\"quality\":\"\"}");
	asks("listRuns", "words=beam%20off&quality=aborted&limit=3&open=true&number_from=5",
		"{\"words\":\"beam off\",\"quality\":\"aborted\",\"limit\":3,\"open\":true,\"number_from\":5}");
	asks("listRuns", "before=1795000000000000&deleted=true", "{\"before\":1795000000000000,\"deleted\":true}");
	asks("listRuns", "words=%27%3B+DROP+TABLE+run%3B--", "{\"words\":\"'; DROP TABLE run;--\"}");
	asks("getRun", "", "{\"do\":\"run\",\"run\":\"7\"}");
	asks("getRunAccount", "", "{\"do\":\"part\",\"run\":\"7\",\"part\":\"account\"}");
	asks("getRunHooks", "", "{\"do\":\"part\",\"run\":\"7\",\"part\":\"hooks\"}");
	asks("diffRuns", "", "{\"do\":\"diff\",\"from\":\"7\",\"to\":\"8\"}");
	asks("exportRunCrate", "", "{\"do\":\"export\",\"run\":\"7\",\"format\":\"ro-crate\"}");
}

static void hostile_queries_are_refused(void **state)
{
	static const char *const queries[] = {"page=-1", "page=0", "page=1e3", "page=99999999999999999999", "limit=0",
		"limit=501", "limit=-5", "limit=", "limit=5&limit=6", "number_from=-1", "began_from_ns=1.5", "open=1",
		"quality=good", "words=%00", "words=%ff", "words=%zz", "nothing=1", "before=-3", "before=NaN"};
	json_t *json;

	(void)state;
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		int status = get("listRuns", NULL, queries[i], &json);
		json_decref(json);
		if (status != 422)
			fail_msg("%s: %d", queries[i], status);
	}
}

static void faults_of_the_book_have_a_status(void **state)
{
	json_t *json;

	(void)state;
	assert_int_equal(get("getRun", "missing", "", &json), 404);
	assert_string_equal(json_string_value(json_object_get(json, "detail")), "no run \"7\"");
	json_decref(json);
	assert_int_equal(get("getRun", "broken", "", &json), 503);
	assert_string_equal(json_string_value(json_object_get(json, "detail")), "damaged");
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_route_asks_what_it_says),
		cmocka_unit_test(hostile_queries_are_refused),
		cmocka_unit_test(faults_of_the_book_have_a_status),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* api_fuzz.c: path, query and body of a request as the router takes them apart: three lines. Whatever comes, a struct
 * is filled within its limits, or a text says what is wrong. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/options_json.h"
#include "web/api/folder_text.h"
#include "web/api/match.h"
#include "web/api/query.h"
#include "web/api/routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The row of the path, or one that the input chooses. */
static const struct route *choose(const char *path, size_t size)
{
	struct match match;
	size_t count = 0;

	match_find(routes_all, size % 2 ? WEB_GET : WEB_POST, path, &match);
	for (const struct route *const *table = routes_all; !match.route && *table; table++)
		for (const struct route *route = *table; route->path; route++)
			count++;
	size_t wanted = count ? (size * 31 + (unsigned char)path[0]) % count : 0;
	for (const struct route *const *table = routes_all; !match.route && *table; table++)
		for (const struct route *route = *table; route->path; route++)
			if (!wanted--)
				match.route = route;
	return match.route;
}

static void fill(const struct enrg_table *table, json_t *json)
{
	struct options_memory *memory = options_memory_create();
	char wrong[200] = "";
	void *filled;

	if (memory && table && json_is_object(json) &&
		options_fill_json(table, json, memory, &filled, wrong, sizeof(wrong)) < 0 && !wrong[0])
		abort();
	options_memory_destroy(memory);
}

static void take_query(const struct route *route, const char *query)
{
	char wrong[200];
	json_t *json = query_parse(query, route->query, wrong, sizeof(wrong));

	if (!json && !wrong[0])
		abort();
	fill(route->query, json);
	json_decref(json);
}

static void take_body(const struct route *route, const char *body)
{
	json_t *json = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
	const char *file = json_string_value(json_object_get(json, "file"));

	fill(route->body, json);
	if (file && folder_text_check_name(file, NULL) == 0 &&
		(strstr(file, "..") == file || *file == '/' || strstr(file, "/../")))
		abort();
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *path = strndup((const char *)data, size);

	if (!path)
		return 0;
	char *query = strchr(path, '\n'), *body = query ? strchr(query + 1, '\n') : NULL;
	if (query)
		*query++ = '\0';
	if (body)
		*body++ = '\0';
	const struct route *route = choose(path, size);
	if (route && query)
		take_query(route, query);
	if (route && body)
		take_body(route, body);
	free(path);
	return 0;
}

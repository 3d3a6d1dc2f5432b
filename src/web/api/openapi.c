/* openapi.c: see the header. */
#include "web/api/openapi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "config/options.h"
#include "web/api/schemas.h"

#define REFERENCE "#/components/schemas/"

static bool always(const struct route *route)
{
	(void)route;
	return true;
}

static bool needs_role(const struct route *route)
{
	return route->least > ACCESS_NOBODY;
}

static bool is_post(const struct route *route)
{
	return route->method == WEB_POST;
}

static bool may_be_full(const struct route *route)
{
	return !route->is_quick;
}

static bool is_socket(const struct route *route)
{
	return route->is_socket;
}

/* What the router and those below it answer by themselves. */
static const struct {
	int status;
	bool (*applies)(const struct route *route);
	const char *help;
} by_router[] = {
	{400, always, "not a request that can be read: header, path or body"},
	{401, needs_role, "nobody is known by what was sent: a token or a session is needed"},
	{403, always, "not from this page, host or with this role"},
	{409, is_post, "the first request with this Idempotency-Key is still being carried out"},
	{413, is_post, "the body is too large"},
	{415, is_post, "the body is not application/json"},
	{422, always, /* also of a query that nobody takes */
		"a field is wrong, missing or not known; `detail` names all"},
	{426, is_socket, "it is a WebSocket"},
	{429, always, "too many requests; Retry-After says when"},
	{503, may_be_full, "too much is waiting, or the system does not run now; Retry-After says when"},
};

/* --- schemas --- */

/* "#Name" → a reference; JSON text as it is. NULL: neither. */
static json_t *schema_of(const char *text)
{
	if (text[0] != '#')
		return json_loads(text, 0, NULL);
	return schemas_find(text + 1) ? json_pack("{ss+}", "$ref", REFERENCE, text + 1) : NULL;
}

static json_t *make_schemas(void)
{
	json_t *all = json_object();

	int rc = !all;

	for (const struct schema *const *list = schemas_all; *list; list++)
		for (const struct schema *schema = *list; rc == 0 && schema->name; schema++)
			rc = json_object_set_new(all, schema->name, json_loads(schema->text, 0, NULL));
	if (rc == 0)
		return all;
	json_decref(all);
	return NULL;
}

/* --- one row --- */

static json_t *make_response(const char *help, const char *type, json_t *schema)
{
	json_t *response = json_pack("{ss}", "description", help);

	if (schema)
		json_object_set_new(response, "content", json_pack("{s{so}}", type, "schema", schema));
	return response;
}

static int add_response(json_t *responses, const struct route *route, const struct route_answer *answer)
{
	const char *type = route->type && answer->status == 200 ? route->type : "application/json";
	json_t *schema = answer->schema ? schema_of(answer->schema) : NULL;
	char status[16];

	if (answer->schema && !schema)
		return -1;
	snprintf(status, sizeof(status), "%d", answer->status);
	return json_object_set_new(responses, status, make_response(answer->help, type, schema));
}

static json_t *make_responses(const struct route *route)
{
	json_t *responses = json_object();
	int rc = !responses;
	char status[16];

	for (size_t i = 0; i < sizeof(by_router) / sizeof(by_router[0]); i++) {
		const struct route_answer answer = {by_router[i].status, "#Error", by_router[i].help};
		if (by_router[i].applies(route))
			rc = rc || add_response(responses, route, &answer);
	}
	for (const struct route_answer *answer = route->answers; answer && answer->status; answer++) {
		snprintf(status, sizeof(status), "%d", answer->status);
		rc = rc || add_response(responses, route, answer);
	}
	if (!rc)
		return responses;
	json_decref(responses);
	return NULL;
}

/* The names in {…} of a path. */
static int add_path_parameters(json_t *parameters, const char *path)
{
	int rc = 0;

	for (const char *at = strchr(path, '{'); at && rc == 0; at = strchr(at + 1, '{')) {
		size_t bytes = strcspn(at + 1, "}");
		rc = json_array_append_new(
			parameters, json_pack("{ss%sssbs{sssi}}", "name", at + 1, bytes, "in", "path", "required", 1,
					    "schema", "type", "string", "minLength", 1));
	}
	return rc;
}

static bool is_in(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) if (!strcmp(json_string_value(item), text)) return true;
	return false;
}

static int add_query_parameters(json_t *parameters, const struct enrg_table *query)
{
	json_t *schema = options_schema(query), *required = json_object_get(schema, "required"), *property;
	const char *name;
	int rc = !schema;

	json_object_foreach(json_object_get(schema, "properties"), name, property)
	{
		json_t *help = json_object_get(property, "description");
		json_t *parameter = json_pack("{sssssbsO}", "name", name, "in", "query", "required",
			is_in(required, name), "schema", property);
		if (parameter && help)
			json_object_set(parameter, "description", help);
		rc = rc || json_array_append_new(parameters, parameter);
	}
	json_decref(schema);
	return rc;
}

static json_t *make_parameters(const struct route *route)
{
	json_t *parameters = json_array();
	int rc = !parameters || add_path_parameters(parameters, route->path);

	if (route->query)
		rc = rc || add_query_parameters(parameters, route->query);
	if (route->method == WEB_POST)
		rc = rc ||
		     json_array_append_new(parameters,
			     json_pack("{sssssbsss{sssisi}}", "name", "Idempotency-Key", "in", "header", "required", 0,
				     "description", "the same key again gets the first answer, for an hour", "schema",
				     "type", "string", "minLength", 1, "maxLength", 128));
	if (!rc)
		return parameters;
	json_decref(parameters);
	return NULL;
}

static void allow_null(json_t *schema)
{
	json_t *type = json_object_get(schema, "type"), *values = json_object_get(schema, "enum");

	if (values)
		json_array_append_new(values, json_null());
	if (json_is_string(type))
		json_object_set_new(schema, "type", json_pack("[Os]", type, "null"));
}

/* A member that is null counts as absent (config/options_json.h), at every depth. */
static void allow_nulls(json_t *schema)
{
	json_t *properties = json_object_get(schema, "properties"), *required = json_object_get(schema, "required"),
	       *one;
	const char *name;

	json_object_foreach(properties, name, one)
	{
		allow_nulls(one);
		allow_nulls(json_object_get(one, "items"));
		if (!is_in(required, name))
			allow_null(one);
	}
}

/* A body may be left out where no member of it must be there. */
static json_t *make_body(const struct route *route)
{
	json_t *schema = options_schema(route->body), *required = json_object_get(schema, "required");

	if (!schema)
		return NULL;
	if (route->any)
		json_object_set_new(
			json_object_get(schema, "properties"), route->any, json_pack("{ss}", "type", "object"));
	allow_nulls(schema);
	return json_pack("{sbs{s{so}}}", "required", json_array_size(required) > 0, "content", "application/json",
		"schema", schema);
}

static json_t *make_operation(const struct route *route)
{
	json_t *responses = make_responses(route), *parameters = responses ? make_parameters(route) : NULL;
	json_t *operation = NULL;

	if (parameters)
		operation = json_pack("{sss[s]sssOsOss}", "operationId", route->operation, "tags", route->tag,
			"summary", route->summary, "parameters", parameters, "responses", responses, "x-enrgdaq-role",
			access_role_name(route->least));
	json_decref(responses);
	json_decref(parameters);
	if (!operation)
		return NULL;
	if (route->body && json_object_set_new(operation, "requestBody", make_body(route))) {
		json_decref(operation);
		return NULL;
	}
	if (route->least == ACCESS_NOBODY)
		json_object_set_new(operation, "security", json_array());
	return operation;
}

/* --- the whole --- */

static bool is_named_already(const json_t *paths, const char *operation)
{
	json_t *path, *method;
	const char *key, *name;

	json_object_foreach((json_t *)(uintptr_t)paths, key, path) json_object_foreach(path, name, method)
	{
		if (!strcmp(json_string_value(json_object_get(method, "operationId")), operation))
			return true;
	}
	return false;
}

static int add_route(json_t *paths, const struct route *route, struct enrg_error *err)
{
	const char *method = route->method == WEB_GET ? "get" : "post";
	json_t *path = json_object_get(paths, route->path);

	if (!path) {
		json_object_set_new(paths, route->path, json_object());
		path = json_object_get(paths, route->path);
	}
	if (json_object_get(path, method))
		return enrg_error_set(err, -EEXIST, "%s %s stands in two rows", method, route->path);
	if (is_named_already(paths, route->operation))
		return enrg_error_set(err, -EEXIST, "%s %s: its operation %s is that of another row", method,
			route->path, route->operation);
	json_t *operation = make_operation(route);
	if (json_object_set_new(path, method, operation))
		return enrg_error_set(
			err, -EINVAL, "%s %s: its row can't be described: a schema in it is none", method, route->path);
	return 0;
}

json_t *openapi_make(const struct route *const *tables, struct enrg_error *err)
{
	json_t *paths = json_object(), *components = make_schemas();
	int rc = paths && components ? 0 : enrg_error_set(err, -EINVAL, "a schema of schemas.c is not JSON");

	for (; rc == 0 && *tables; tables++)
		for (const struct route *route = *tables; rc == 0 && route->path; route++)
			rc = add_route(paths, route, err);
	json_t *all = rc == 0 ? json_pack("{ss s{ssssssss} sO s{sO s{s{ssss} s{ssssss}}} s[{s[]}{s[]}]}", "openapi",
					"3.1.0", "info", "title", "ENRGDAQ", "version", version_text(), "summary",
					"command and control of a data acquisition system", "description",
					"Errors are {\"detail\": …}. docs/api.md teaches it.", "paths", paths,
					"components", "schemas", components, "securitySchemes", "token", "type", "http",
					"scheme", "bearer", "session", "type", "apiKey", "in", "cookie", "name",
					"enrgdaq_session", "security", "token", "session")
			      : NULL;
	json_decref(paths);
	json_decref(components);
	if (rc == 0 && !all)
		enrg_error_set(err, -ENOMEM, "there is no memory for the description of the paths");
	return all;
}

int openapi_render(const struct route *const *tables, struct web_bytes **ret_bytes, struct enrg_error *err)
{
	json_t *all = openapi_make(tables, err);
	char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;
	struct web_bytes *bytes = text ? web_bytes_create(text, strlen(text)) : NULL;

	free(text);
	json_decref(all);
	if (!bytes)
		return all ? enrg_error_set(err, -ENOMEM, "there is no memory for the description of the paths")
			   : -EINVAL;
	*ret_bytes = bytes;
	return 0;
}

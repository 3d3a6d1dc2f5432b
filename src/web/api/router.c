/* router.c: see the header. */
#include "web/api/router.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "config/options_json.h"
#include "web/api/call.h"
#include "web/api/openapi.h"
#include "web/api/query.h"

#define WRONG_BYTES 1800u
#define LATE_NS     30000000000ull

struct router {
	struct web *web;
};

static const struct enrg_option no_options[] = {{.key = NULL}};
static const struct enrg_table no_fields = {.size = 1, .options = no_options};

int router_create(
	struct web *web, const struct route *const *tables, struct router **ret_router, struct enrg_error *err)
{
	struct router *router = calloc(1, sizeof(*router));
	int rc = router ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");

	if (rc < 0)
		return rc;
	router->web = web;
	web->routes = tables;
	web->repeats = repeats_create();
	rc = web->repeats ? openapi_render(tables, &web->openapi, err) : enrg_error_set(err, -ENOMEM, "out of memory");
	if (rc < 0) {
		router_destroy(router);
		return rc;
	}
	*ret_router = router;
	return 0;
}

void router_destroy(struct router *router)
{
	if (!router)
		return;
	repeats_destroy(router->web->repeats);
	web_bytes_release(router->web->openapi);
	router->web->repeats = NULL;
	router->web->openapi = NULL;
	free(router);
}

/* --- refusals without a call --- */

static void set_header(struct web_response *response, const char *name, const char *value)
{
	response->headers[0].name = name;
	snprintf(response->headers[0].value, sizeof(response->headers[0].value), "%s", value);
}

static void refuse(
	struct router *router, const struct web_request *request, struct web_response *response, const char *detail)
{
	json_t *json = json_pack("{ss}", "detail", detail);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	response->body = text ? web_bytes_create(text, strlen(text)) : NULL;
	free(text);
	json_decref(json);
	http_answer(router->web->http, request->id, response);
}

/* Host, and who asks: false: answered. */
static bool judge(
	struct router *router, const struct web_request *request, const struct route *route, struct access_who *ret_who)
{
	struct access_verdict verdict = {0};

	access_judge(router->web->access, request, route ? route->least : ACCESS_NOBODY, route && route->is_change,
		&verdict);
	*ret_who = verdict.who;
	if (!verdict.status)
		return true;
	struct web_response response = {.status = verdict.status, .retry_after_s = verdict.retry_after_s};
	if (verdict.status == 401)
		set_header(&response, "WWW-Authenticate", "Bearer realm=\"enrgdaq\"");
	refuse(router, request, &response, verdict.detail ? verdict.detail : "not allowed");
	return false;
}

static void refuse_unknown(struct router *router, const struct web_request *request, const struct match *match)
{
	struct web_response response = {.status = match->allow[0] ? 405 : 404};
	char detail[256];

	if (match->allow[0])
		set_header(&response, "Allow", match->allow);
	snprintf(detail, sizeof(detail),
		match->allow[0] ? "this path takes %s alone"
				: "there is no such path; /openapi.json lists those there are",
		match->allow);
	refuse(router, request, &response, detail);
}

/* --- query and body; false: answered --- */

static bool read_query(struct call_ticket *ticket)
{
	const struct enrg_table *table = ticket->call.route->query ? ticket->call.route->query : &no_fields;
	char wrong[WRONG_BYTES];
	void *filled;

	ticket->query = query_parse(ticket->call.request->query, table, wrong, sizeof(wrong));
	if (ticket->query && !options_fill_json(table, ticket->query, ticket->memory, &filled, wrong, sizeof(wrong))) {
		ticket->call.query = ticket->call.route->query ? filled : NULL;
		return true;
	}
	call_refuse(&ticket->call, 422, "query: %s", wrong[0] ? wrong : "there is no memory for it");
	return false;
}

static bool is_json_type(const char *type)
{
	static const char json[] = "application/json";
	size_t bytes = sizeof(json) - 1;

	if (!type || strncasecmp(type, json, bytes) != 0)
		return false;
	type += bytes;
	type += strspn(type, " \t");
	return !*type || *type == ';';
}

static bool parse_body(struct call_ticket *ticket)
{
	const struct web_request *request = ticket->call.request;
	json_error_t problem;

	if (!request->body_bytes)
		return true;
	if (!is_json_type(request->content_type)) {
		call_refuse(&ticket->call, 415, "the body has to be JSON: Content-Type: application/json");
		return false;
	}
	ticket->body =
		json_loadb(request->body, request->body_bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
	if (!ticket->body)
		call_refuse(&ticket->call, 400, "the body is not JSON: line %d, column %d: %s", problem.line,
			problem.column, problem.text);
	else if (!json_is_object(ticket->body))
		call_refuse(&ticket->call, 400, "the body is not a JSON object");
	else
		return true;
	return false;
}

/* The members that the table is for: all but the one that may be anything. NULL: out of memory, or that one is no
 * object. New reference. */
static json_t *select_fields(const struct call_ticket *ticket)
{
	const char *any = ticket->call.route->any;
	const json_t *value = any ? json_object_get(ticket->body, any) : NULL;

	if (value && !json_is_object(value) && !json_is_null(value))
		return NULL;
	json_t *fields = ticket->body ? json_copy(ticket->body) : json_object();
	if (fields && value)
		json_object_del(fields, any);
	return fields;
}

static bool read_body(struct call_ticket *ticket)
{
	const struct route *route = ticket->call.route;
	const struct enrg_table *table = route->body ? route->body : &no_fields;
	char wrong[WRONG_BYTES] = "";
	void *filled;

	if (route->method != WEB_POST)
		return true;
	if (!parse_body(ticket))
		return false;
	ticket->call.json = ticket->body;
	json_t *fields = select_fields(ticket);
	int rc = fields ? options_fill_json(table, fields, ticket->memory, &filled, wrong, sizeof(wrong)) : -1;
	json_decref(fields);
	if (rc == 0) {
		ticket->call.body = route->body ? filled : NULL;
		return true;
	}
	if (fields)
		call_refuse(&ticket->call, 422, "%s", wrong);
	else
		call_refuse(&ticket->call, 422, "%s: an object was expected", route->any ? route->any : "body");
	return false;
}

/* --- what has an Idempotency-Key --- */

static bool is_new(struct call_ticket *ticket)
{
	struct call *call = &ticket->call;
	const char *key = call->request->idempotency_key;

	if (!key || call->route->method != WEB_POST)
		return true;
	if (!*key || strlen(key) > REPEATS_KEY_BYTES_MAX) {
		call_refuse(call, 422, "Idempotency-Key: 1 to %u characters were expected", REPEATS_KEY_BYTES_MAX);
		return false;
	}
	switch (repeats_begin(call->web->repeats, call->request, &call->who, &ticket->repeat, &call->response)) {
	case REPEATS_FIRST:
		return true;
	case REPEATS_AGAIN:
		break;
	case REPEATS_RUNNING:
		call_refuse(call, 409, "the request with this Idempotency-Key is still being carried out");
		break;
	case REPEATS_OTHER:
		call_refuse(call, 422, "Idempotency-Key: it came with another request before; take a new one");
		break;
	case REPEATS_FULL:
		call_refuse(call, 503, "too many requests with an Idempotency-Key are under way");
		break;
	}
	return false;
}

/* --- carried out --- */

static void finish(struct call_ticket *ticket)
{
	call_finish(ticket, &ticket->call.response);
	call_release(ticket);
}

/* Whoever asked has given up, and may have done something else since: a run that begins minutes later, when a
 * supervisor that hung goes on, is worse than none. */
static bool is_late(struct call_ticket *ticket)
{
	if (!ticket->call.route->is_change || clock_mono_ns() - ticket->came_ns < LATE_NS)
		return false;
	call_refuse(&ticket->call, 503,
		"nothing was done: this has waited for 30 s behind other commands; the system hangs, or too much is "
		"asked of it");
	return true;
}

static void run(void *context)
{
	struct call_ticket *ticket = context;

	if (is_late(ticket) || ticket->call.route->handle(&ticket->call) == CALL_ANSWERED)
		call_finish(ticket, &ticket->call.response);
	call_release(ticket);
}

static bool is_socket_right(struct call_ticket *ticket)
{
	if (!ticket->call.route->is_socket || ticket->call.request->is_upgrade)
		return true;
	call_refuse(&ticket->call, 426, "this is a WebSocket: ask for it with Upgrade: websocket");
	return false;
}

static int add_work(struct router *router, struct call_ticket *ticket)
{
	struct web_system *system = router->web->system;

	return ticket->call.route->is_change ? system_work_change(system, run, ticket)
					     : system_work(system, run, ticket);
}

void router_take(struct router *router, const struct web_request *request)
{
	struct access_who who;
	struct match match;

	match_find(router->web->routes, request->method, request->path, &match);
	if (!judge(router, request, match.route, &who))
		return;
	if (!match.route) {
		refuse_unknown(router, request, &match);
		return;
	}
	struct call_ticket *ticket = call_create(router->web, request, &match, &who);
	if (!ticket) {
		struct web_response response = {.status = 503, .retry_after_s = 1};
		http_answer(router->web->http, request->id, &response);
		return;
	}
	if (!is_socket_right(ticket) || !read_query(ticket) || !read_body(ticket) || !is_new(ticket)) {
		finish(ticket);
	} else if (match.route->is_quick) {
		run(ticket);
	} else if (add_work(router, ticket) < 0) {
		call_refuse(&ticket->call, 503, "too much is waiting to be carried out; try again in a second");
		finish(ticket);
	}
}

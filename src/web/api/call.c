/* call.c: see call.h and route.h. */
#include "web/api/call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "web/system/shown_text.h"

#define DIGEST_BYTES_MIN 200u /* longer texts stand in the audit by their digest */
#define AUDIT_DEPTH_MAX  8u

struct call_ticket *call_create(
	struct web *web, const struct web_request *request, const struct match *match, const struct access_who *who)
{
	struct call_ticket *ticket = calloc(1, sizeof(*ticket));

	if (!ticket)
		return NULL;
	ticket->memory = options_memory_create();
	if (!ticket->memory) {
		free(ticket);
		return NULL;
	}
	atomic_init(&ticket->references, 1);
	ticket->match = *match;
	ticket->came_ns = clock_mono_ns();
	ticket->call.web = web;
	ticket->call.route = match->route;
	ticket->call.request = request;
	ticket->call.who = *who;
	for (size_t i = 0; i < sizeof(match->parts) / sizeof(match->parts[0]); i++)
		if (match->parts[i])
			ticket->call.parts[i] = ticket->match.text + (match->parts[i] - match->text);
	return ticket;
}

void call_release(struct call_ticket *ticket)
{
	/* acq_rel: whoever frees sees all that the other thread did with it */
	if (!ticket || atomic_fetch_sub_explicit(&ticket->references, 1, memory_order_acq_rel) > 1)
		return;
	json_decref(ticket->query);
	json_decref(ticket->body);
	json_decref(ticket->shown);
	options_memory_destroy(ticket->memory);
	free(ticket);
}

/* --- answers --- */

enum call_outcome call_json(struct call *call, int status, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	struct web_bytes *bytes = text ? web_bytes_create(text, strlen(text)) : NULL;

	free(text);
	json_decref(json);
	call->response.status = bytes ? status : 503;
	call->response.retry_after_s = bytes ? 0 : 1;
	call->response.body = bytes;
	return CALL_ANSWERED;
}

enum call_outcome call_bytes(struct call *call, int status, const char *type, struct web_bytes *bytes)
{
	call->response.status = bytes ? status : 503;
	call->response.retry_after_s = bytes ? 0 : 1;
	call->response.type = type;
	call->response.body = bytes;
	call->response.has_etag = bytes && status == 200;
	return CALL_ANSWERED;
}

enum call_outcome call_refuse(struct call *call, int status, const char *format, ...)
{
	char detail[2000];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(detail, sizeof(detail), format, arguments);
	va_end(arguments);
	text_make_safe(detail, strlen(detail)); /* it may have been cut */
	call_json(call, status, json_pack("{ss}", "detail", detail));
	if (status == 503 || status == 429)
		call->response.retry_after_s = 1;
	return CALL_ANSWERED;
}

static const struct {
	int status;
	const char *name;
} codes[] = {
	[ENRG_ANSWER_OK] = {200, "ok"},
	[ENRG_ANSWER_REFUSED] = {409, "refused"},
	[ENRG_ANSWER_WRONG_FIELDS] = {422, "wrong_fields"},
	[ENRG_ANSWER_NO_KIND] = {404, "no_kind"},
	[ENRG_ANSWER_NOBODY] = {404, "nobody"},
	[ENRG_ANSWER_EXPIRED] = {504, "expired"},
	[ENRG_ANSWER_FAILED] = {409, "failed"},
	[ENRG_ANSWER_UNKNOWN] = {504, "unknown"},
};

enum call_outcome call_command(struct call *call, int rc, struct system_answer *answer, const struct enrg_error *err)
{
	/* what is no command: too long, too deep, no name */
	bool is_wrong = rc == -EINVAL || rc == -ENAMETOOLONG || rc == ENRG_E_PROTOCOL;

	if (rc < 0)
		return call_refuse(call, is_wrong ? 422 : 503, "%s", err->text);
	bool is_known = (size_t)answer->code < sizeof(codes) / sizeof(codes[0]);
	unsigned code = is_known ? (unsigned)answer->code : ENRG_ANSWER_UNKNOWN;
	json_t *fields = answer->fields ? answer->fields : json_null();
	text_make_safe(answer->text, strlen(answer->text));
	if (code == ENRG_ANSWER_OK)
		return call_json(call, 200, json_pack("{ssso}", "message", answer->text, "fields", fields));
	return call_json(call, codes[code].status,
		json_pack("{ssssso}", "detail", answer->text, "answer", codes[code].name, "fields", fields));
}

enum call_outcome call_ask(struct call *call, const char *to, const char *kind, json_t *fields)
{
	const struct system_command command = {.to = to, .kind = kind, .fields = fields, .who = &call->who};
	struct system_answer answer;
	struct enrg_error err = {0};
	int rc = system_ask(call->web->system, &command, &answer, &err);

	return call_command(call, rc, &answer, &err);
}

/* --- the audit --- */

static const struct enrg_option *find_option(const struct enrg_table *table, const char *key)
{
	for (const struct enrg_option *option = table ? table->options : NULL; option && option->key; option++)
		if (!strcmp(option->key, key))
			return option;
	return NULL;
}

void call_show(struct call *call, const char *key, json_t *text)
{
	struct call_ticket *ticket = (struct call_ticket *)(void *)call; /* its first member */

	if (!ticket->shown)
		ticket->shown = json_object();
	json_object_set_new(ticket->shown, key, text);
}

/* A member that the route does not know may be a password under a mistyped name. */
static json_t *mask(const json_t *value, const struct enrg_option *option, bool is_any)
{
	char *text;

	if (option ? option->secret : !is_any)
		return json_string("***");
	if (json_is_string(value) && json_string_length(value) >= DIGEST_BYTES_MIN)
		return shown_text_digest(json_string_value(value), json_string_length(value));
	if (!json_is_object(value) && !json_is_array(value))
		return json_incref((json_t *)(uintptr_t)value);
	text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
	json_t *masked = text ? shown_text_digest(text, strlen(text)) : NULL;
	free(text);
	return masked;
}

/* What was asked for, as far as it is no secret; texts as their handler has shown them, else by their digest. NULL:
 * nothing. free() */
static char *format_about(const struct call_ticket *ticket)
{
	const struct route *route = ticket->call.route;
	json_t *about = json_object(), *value;
	char *text = NULL;
	const char *key;

	json_object_foreach(ticket->body, key, value)
	{
		const struct enrg_option *option = find_option(route->body, key);
		bool is_text = !strcmp(key, "config") || !strcmp(key, "payload") || !strcmp(key, "text");
		json_t *shown = json_object_get(ticket->shown, key);
		if (shown)
			json_object_set(about, key, shown);
		else if (is_text && json_is_string(value))
			json_object_set_new(
				about, key, shown_text_digest(json_string_value(value), json_string_length(value)));
		else
			json_object_set_new(about, key, mask(value, option, route->any && !strcmp(key, route->any)));
	}
	if (json_object_size(about))
		text = json_dumps(about, JSON_COMPACT);
	json_decref(about);
	return text;
}

static void audit(const struct call_ticket *ticket, int status)
{
	const struct call *call = &ticket->call;
	char what[512], result[16];

	if (!call->route->is_change)
		return;
	char *about = format_about(ticket);
	snprintf(what, sizeof(what), "%s %s", call->route->method == WEB_GET ? "GET" : "POST", call->request->path);
	text_make_safe(what, strlen(what));
	snprintf(result, sizeof(result), "%d", status);
	access_audit(call->web->access, &call->who, what, about, result);
	free(about);
}

void call_finish(struct call_ticket *ticket, struct web_response *response)
{
	struct call *call = &ticket->call;

	if (!response->status) /* a handler that has forgotten to answer: nobody is left waiting for that */
		call_refuse(call, 503, "the request was not answered"), *response = call->response;
	audit(ticket, response->status);
	if (ticket->repeat)
		repeats_end(call->web->repeats, ticket->repeat, response);
	ticket->repeat = NULL;
	http_answer(call->web->http, call->request->id, response);
	call->request = NULL; /* it is gone */
}

/* --- later --- */

struct call_ticket *call_keep(struct call *call)
{
	struct call_ticket *ticket = (struct call_ticket *)(void *)call; /* its first member */

	atomic_fetch_add_explicit(&ticket->references, 1, memory_order_relaxed);
	return ticket;
}

void call_answer(struct call_ticket *ticket, struct web_response *response)
{
	call_finish(ticket, response);
	call_release(ticket);
}

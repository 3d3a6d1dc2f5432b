/* serve.c: see the header. The end is short: what is under way is left where it is, since nothing here has to be
 * finished that is not on a disk already, and a supervisor that ends waits for nobody. */
#include "web/program/serve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/web_options.h"
#include "web/live/live.h"
#include "web/program/link.h"
#include "web/program/listener.h"
#include "web/program/rooms.h"

#define TURN_MS     100
#define SETTINGS_MS 20000 /* for the first line */

struct program {
	struct link *link;
	struct web web;
	struct listener listener;
	struct router *router;               /* NULL: nothing is served over HTTP yet */
	uint64_t noted_ns;                   /* of the snapshot whose run the audit names */
	_Atomic(struct http_server *) wakes; /* that waits, for the thread of the link */
};

/* --- what the server calls --- */

static void on_request(void *context, const struct web_request *request)
{
	struct program *program = context;

	router_take(program->router, request);
}

static void on_socket_open(void *context, uint64_t socket, const struct web_request *request)
{
#ifdef ENRG_WEB_LIVE
	struct program *program = context;
	struct access_verdict verdict = {0};

	access_judge(program->web.access, request, ACCESS_VISITOR, false, &verdict);
	if (verdict.status)
		http_socket_close(program->web.http, socket, 1008, "not allowed any more");
	else
		live_on_open(program->web.live, socket, &verdict.who);
#else
	(void)context, (void)socket, (void)request;
#endif
}

static void on_socket_message(void *context, uint64_t socket, const void *bytes, size_t count, bool is_binary)
{
#ifdef ENRG_WEB_LIVE
	live_on_message(((struct program *)context)->web.live, socket, bytes, count, is_binary);
#else
	(void)context, (void)socket, (void)bytes, (void)count, (void)is_binary;
#endif
}

static void on_socket_close(void *context, uint64_t socket)
{
#ifdef ENRG_WEB_LIVE
	live_on_close(((struct program *)context)->web.live, socket);
#else
	(void)context, (void)socket;
#endif
}

/* --- the supervisor --- */

static void wake(void *context)
{
	struct program *program = context;
	/* acquire pairs with the release where the server is opened */
	struct http_server *http = atomic_load_explicit(&program->wakes, memory_order_acquire);

	if (http)
		http_wake(http);
}

static void take_lines(struct program *program)
{
	json_t *line, *pong;

	while ((line = link_next(program->link))) {
		const char *what = json_string_value(json_object_get(line, "do"));
		if (what && !strcmp(what, "ping")) {
			pong = json_pack("{ss}", "do", "pong");
			link_send(program->link, pong);
			json_decref(pong);
		}
		json_decref(line);
	}
}

/* Which run lines of the audit name. */
static void note_run(struct program *program)
{
	struct snapshot *snapshot = system_hold_snapshot(program->web.system);
	char run[32] = "";

	if (snapshot->looked_ns != program->noted_ns) {
		const json_t *runs = json_object_get(snapshot->status, "runs");
		json_int_t number = json_integer_value(json_object_get(runs, "number"));
		if (number > 0)
			snprintf(run, sizeof(run), "%lld", (long long)number);
		access_set_run(program->web.access, run);
		program->noted_ns = snapshot->looked_ns;
	}
	snapshot_release(snapshot);
}

static void on_turn(void *context)
{
	take_lines(context);
	note_run(context);
#ifdef ENRG_WEB_LIVE
	if (((struct program *)context)->web.live)
		live_turn(((struct program *)context)->web.live);
#endif
}

/* --- life --- */

/* The first line; NULL: it did not come. */
static json_t *wait_for_settings(struct link *link)
{
	uint64_t until_ns = clock_mono_ns() + SETTINGS_MS * 1000000ull;

	while (!link_has_ended(link) && clock_mono_ns() < until_ns) {
		json_t *line = link_next(link);
		const char *what = json_string_value(json_object_get(line, "do"));
		if (what && !strcmp(what, "settings"))
			return line;
		json_decref(line);
		link_wait(link, TURN_MS);
	}
	return NULL;
}

/* The link with a token goes to a terminal alone: a log is read by many. */
static void say_first_token(const struct program *program, const struct web_settings *settings)
{
	char token[64], path[4096], address[320];
	struct enrg_error err = {0};

	if (!access_make_first(program->web.access, token, path, &err)) {
		if (err.code)
			log_line(ENRG_ERROR, "no first token could be made, nobody can log in from elsewhere: %s",
				err.text);
		return;
	}
	listener_format_address(&program->listener, address, sizeof(address));
	if (settings->is_terminal)
		dprintf(STDERR_FILENO,
			"\n    To look at this system, and to command it, with a browser:\n    %s/login?token=%s\n"
			"    For the control panel: ENRGDAQ_API_BASE=%s/t/%s\n\n",
			address, token, address, token);
	log_line(ENRG_INFO,
		"the first token, of an admin, lies in %s (for this user alone); `enrgdaq token` makes others", path);
	explicit_bzero(token, sizeof(token));
}

static int begin(struct program *program, struct enrg_error *err)
{
	const struct http_params params = {.context = program,
		.on_request = on_request,
		.on_socket_open = on_socket_open,
		.on_socket_message = on_socket_message,
		.on_socket_close = on_socket_close,
		.on_turn = on_turn};
	json_t *line = wait_for_settings(program->link);
	struct web_settings *settings;

	if (!line)
		return enrg_error_set(err, -EPIPE,
			"no settings came over standard input: `enrgdaq run` starts this program where supervisor.toml "
			"has "
			"[cnc]");
	int rc = settings_parse(line, &settings, err);
	json_decref(line);
	if (rc == 0)
		rc = rooms_open(&program->web, settings, err);
	if (rc < 0)
		return rc;
	listener_init(&program->listener, settings, program->link, &params);
	if (settings->cnc->rest_api_enabled)
		say_first_token(program, settings);
	return 0;
}

/* One turn. <0: it can't go on. */
static int turn(struct program *program, struct enrg_error *err)
{
	listener_try(&program->listener);
	if (!program->listener.http) {
		link_wait(program->link, TURN_MS);
		take_lines(program);
		note_run(program); /* of CNC's lines, too */
		return 0;
	}
	if (!program->router) {
		program->web.http = program->listener.http;
		int rc = rooms_open_http(&program->web, &program->router, err);
		if (rc < 0)
			return rc;
		/* release: the thread of the link sees a server that is whole */
		atomic_store_explicit(&program->wakes, program->web.http, memory_order_release);
	}
	return http_turn(program->web.http, TURN_MS) < 0 ? enrg_error_set(err, -EIO, "the server can't go on") : 0;
}

int serve(int socket)
{
	static struct program program;
	const struct link_params params = {.socket = socket, .wake = wake, .context = &program};
	struct enrg_error err = {0};

	program.link = link_start(&params);
	int rc = program.link ? begin(&program, &err)
			      : enrg_error_set(&err, -ENOMEM, "there is no memory, or no thread");
	while (rc == 0 && !link_has_ended(program.link))
		rc = turn(&program, &err);
	if (program.web.access)
		access_flush(program.web.access);
	if (rc < 0)
		log_line(ENRG_ERROR, "enrgdaq-web ends, data taking is not touched: %s", err.text);
	return rc < 0;
}

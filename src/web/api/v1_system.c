/* v1_system.c: the system as a whole: is it well, what does it do, what can be asked; its end, its folder read anew. */
#include "web/api/routes.h"

#include <math.h>

#include "base/clock.h"

#define LOOK_S  10.0 /* without a look at the system the thread that looks hangs */
#define FRESH_S 15.0 /* the supervisor writes each second, 10 s apart at most */

/* What is wrong, in a sentence that names nothing: everybody may read it. "": nothing. */
static const char *judge(const struct snapshot *snapshot)
{
	double looked_s = (double)(clock_mono_ns() - snapshot->looked_ns) / 1e9;

	if (looked_s > LOOK_S)
		return "enrgdaq-web has not looked at the system for some time: what it shows is old";
	if (!snapshot->is_there)
		return "the supervisor does not run, or has not written its state yet";
	if (snapshot->age_s + looked_s > FRESH_S)
		return "the supervisor has not written its state for some time: it hangs, or the machine is overloaded";
	return "";
}

static enum call_outcome get_health(struct call *call)
{
	struct snapshot *snapshot = system_hold_snapshot(call->web->system);
	const char *wrong = judge(snapshot);
	double age_s = snapshot->age_s + (double)(clock_mono_ns() - snapshot->looked_ns) / 1e9;
	json_t *age = snapshot->status && isfinite(age_s) ? json_real(age_s) : json_null();
	json_t *answer = json_pack("{ssssso}", "status", *wrong ? "not well" : "ok", "detail", wrong, "age_s", age);

	call_json(call, *wrong ? 503 : 200, answer);
	snapshot_release(snapshot);
	return CALL_ANSWERED;
}

static enum call_outcome get_description(struct call *call)
{
	return call_bytes(call, 200, NULL, web_bytes_hold(call->web->openapi));
}

static enum call_outcome get_status(struct call *call)
{
	struct snapshot *snapshot = system_hold_snapshot(call->web->system);

	call_bytes(call, 200, NULL, web_bytes_hold(snapshot->bytes));
	snapshot_release(snapshot);
	return CALL_ANSWERED;
}

static enum call_outcome get_graph(struct call *call)
{
	struct snapshot *snapshot = system_hold_snapshot(call->web->system);

	call_bytes(call, 200, NULL, web_bytes_hold(snapshot->graph));
	snapshot_release(snapshot);
	return CALL_ANSWERED;
}

/* Of the machine, and of jobs that say how theirs is. */
static enum call_outcome get_clocks(struct call *call)
{
	struct snapshot *snapshot = system_hold_snapshot(call->web->system);
	json_t *host = json_object_get(snapshot->status, "clock"), *jobs = json_array(), *job;
	size_t i;

	json_array_foreach(json_object_get(snapshot->status, "jobs"), i, job)
	{
		json_t *clock = json_object_get(job, "clock");
		if (clock)
			json_array_append_new(
				jobs, json_pack("{sOsO}", "job", json_object_get(job, "name"), "clock", clock));
	}
	call_json(call, 200, json_pack("{sOso}", "host", host ? host : json_null(), "jobs", jobs));
	snapshot_release(snapshot);
	return CALL_ANSWERED;
}

struct stop_body {
	bool hurry;
};
static const struct enrg_option stop_options[] = {
	{.key = "hurry",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct stop_body, hurry),
		.default_value = "false",
		.help = "What is not stored within 2 s stays in shared memory for the next start."},
	{0},
};
static const struct enrg_table stop_table = {sizeof(struct stop_body), stop_options};

static enum call_outcome post_stop(struct call *call)
{
	const struct stop_body *body = call->body;

	return call_ask(call, "supervisor", "stop", json_pack("{sb}", "hurry", body->hurry));
}

struct reload_body {
	bool dry_run;
};
static const struct enrg_option reload_options[] = {
	{.key = "dry_run",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct reload_body, dry_run),
		.default_value = "false",
		.help = "Says what would be done, and does nothing."},
	{0},
};
static const struct enrg_table reload_table = {sizeof(struct reload_body), reload_options};

static enum call_outcome post_reload(struct call *call)
{
	const struct reload_body *body = call->body;

	return call_ask(call, "supervisor", "reload", json_pack("{sb}", "dry_run", body->dry_run));
}

static const struct route_answer health_answers[] = {
	{200, "#Health", "the state of the system is known, and fresh"},
	{503, "#Health", "it is not: `detail` says why"},
	{0},
};
static const struct route_answer description_answers[] = {
	{200, "{\"type\":\"object\"}", "this description"},
	{304, NULL, "it is what the client has (If-None-Match)"},
	{0},
};
static const struct route_answer status_answers[] = {
	{200, "#Status", "as it was seen last, at most a second ago; where the system is away, the last that is known"},
	{304, NULL, "it is what the client has (If-None-Match)"},
	{0},
};
static const struct route_answer graph_answers[] = {
	{200, "#Graph", "jobs, and who reads whom"},
	{304, NULL, "it is what the client has (If-None-Match)"},
	{0},
};
static const struct route_answer clock_answers[] = {
	{200, "#Clocks", "null where nothing is known"},
	{0},
};
static const struct route_answer command_answers[] = {
	{200, "#Done", "done, or under way where the summary says so"},
	ROUTE_COMMAND_ANSWERS,
	{0},
};

const struct route v1_system_routes[] = {
	{.method = WEB_GET,
		.path = "/healthz",
		.least = ACCESS_NOBODY,
		.is_quick = true,
		.operation = "getHealth",
		.tag = "system",
		.summary = "Is the state of the system known, and fresh?",
		.answers = health_answers,
		.handle = get_health},
	{.method = WEB_GET,
		.path = "/openapi.json",
		.least = ACCESS_VISITOR,
		.is_quick = true,
		.operation = "getDescription",
		.tag = "system",
		.summary = "This description of all paths",
		.answers = description_answers,
		.handle = get_description},
	{.method = WEB_GET,
		.path = "/api/v1/status",
		.least = ACCESS_VISITOR,
		.is_quick = true,
		.operation = "getStatus",
		.tag = "system",
		.summary = "What the system does now, all of it",
		.answers = status_answers,
		.handle = get_status},
	{.method = WEB_GET,
		.path = "/api/v1/graph",
		.least = ACCESS_VISITOR,
		.is_quick = true,
		.operation = "getGraph",
		.tag = "system",
		.summary = "Who sends to whom, with rates and what waits",
		.answers = graph_answers,
		.handle = get_graph},
	{.method = WEB_GET,
		.path = "/api/v1/clocks",
		.least = ACCESS_VISITOR,
		.is_quick = true,
		.operation = "getClocks",
		.tag = "system",
		.summary = "How well the clocks are held to a reference",
		.answers = clock_answers,
		.handle = get_clocks},
	{.method = WEB_POST,
		.path = "/api/v1/stop",
		.least = ACCESS_ADMIN,
		.is_change = true,
		.operation = "stopSystem",
		.tag = "system",
		.summary = "Ends the system in order; answered when the end is under way",
		.body = &stop_table,
		.answers = command_answers,
		.handle = post_stop},
	{.method = WEB_POST,
		.path = "/api/v1/reload",
		.least = ACCESS_ADMIN,
		.is_change = true,
		.operation = "reload",
		.tag = "jobs",
		.summary = "Makes the system what its folder says now; `fields.plan` has a line a job",
		.body = &reload_table,
		.answers = command_answers,
		.handle = post_reload},
	{0},
};

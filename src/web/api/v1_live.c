/* v1_live.c: the WebSocket of events and scope frames (docs/live-protocol.md); sources, and their newest rows. */
#include "web/api/routes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "web/live/preview.h"

#define PROTOCOL     "enrgdaq-live.1"
#define PREVIEWS_MAX 3 /* that wait for batches at once: workers are for others, too */

/* Is it one of a list, as in Sec-WebSocket-Protocol? */
static bool is_offered(const char *list, const char *name)
{
	while (*list) {
		size_t length = strcspn(list, ", \t");

		if (length == strlen(name) && !strncmp(list, name, length))
			return true;
		list += length;
		list += strspn(list, ", \t");
	}
	return false;
}

/* What then comes over it goes to the room `live`. */
static enum call_outcome open_live(struct call *call)
{
	const char *offered = call->request->protocols;

	if (offered && !is_offered(offered, PROTOCOL))
		return call_refuse(call, 400, "of the sub-protocols that were offered none is " PROTOCOL);
	call->response.status = 101;
	if (offered) {
		call->response.headers[0].name = "Sec-WebSocket-Protocol";
		snprintf(call->response.headers[0].value, sizeof(call->response.headers[0].value), PROTOCOL);
	}
	return CALL_ANSWERED;
}

/* --- sources ------------------------------------------------------------------------------------------------------ */

static const json_t *find_job(const json_t *status, const char *name)
{
	const json_t *jobs = json_object_get(status, "jobs");

	for (size_t i = 0; i < json_array_size(jobs); i++) {
		const json_t *job = json_array_get(jobs, i);
		const char *found = json_string_value(json_object_get(job, "name"));

		if (found && !strcmp(found, name))
			return job;
	}
	return NULL;
}

static json_t *describe_source(const json_t *status, const char *name)
{
	static const char *const members[] = {"type", "state", "out", "acquires"};
	const json_t *job = status ? find_job(status, name) : NULL;
	json_t *source = json_pack("{s:s}", "name", name);

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		json_t *value = json_object_get(job, members[i]);

		json_object_set_new(source, members[i], value ? json_incref(value) : json_null());
	}
	return source;
}

static enum call_outcome get_sources(struct call *call)
{
	struct snapshot *snapshot = system_hold_snapshot(call->web->system);
	struct enrg_client *client = NULL;
	const char *const *names = NULL;
	json_t *sources = json_array();

	if (enrg_client_open(system_settings(call->web->system)->supervisor_id, &client, NULL) == 0 &&
		enrg_client_sources(client, &names, NULL) == 0)
		for (size_t i = 0; names[i]; i++)
			json_array_append_new(sources, describe_source(snapshot->status, names[i]));
	call_json(call, 200, json_pack("{s:b, s:o}", "is_there", snapshot->is_there, "sources", sources));
	enrg_client_close(client);
	snapshot_release(snapshot);
	return CALL_ANSWERED;
}

struct latest_query {
	int64_t rows, tables, wait_ms;
};

static enum call_outcome get_latest(struct call *call)
{
	static _Atomic int under_way;
	const struct latest_query *query = call->query;
	const struct preview_params params = {.supervisor = system_settings(call->web->system)->supervisor_id,
		.source = call->parts[0],
		.rows = (uint32_t)query->rows,
		.tables = (uint32_t)query->tables,
		.wait_ms = (uint32_t)query->wait_ms};
	struct enrg_error err = {0};
	json_t *preview = NULL;
	int rc = -EBUSY;

	if (atomic_fetch_add(&under_way, 1) < PREVIEWS_MAX)
		rc = preview_make(&params, &preview, &err);
	atomic_fetch_sub(&under_way, 1);
	if (rc == 0)
		return call_json(call, 200, preview);
	call->response.retry_after_s = rc == -EBUSY || rc == -EAGAIN ? 1 : 0;
	if (rc == -EBUSY)
		return call_refuse(call, 503, "three previews wait for batches already; try again in a second");
	return call_refuse(call, rc == -ENOENT ? 404 : 503, "%s", err.text);
}

static const struct enrg_option latest_options[] = {
	{.key = "rows",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct latest_query, rows),
		.default_value = "10",
		.min = 1,
		.max = PREVIEW_ROWS_MAX,
		.help = "How many rows of each table, the last ones."},
	{.key = "tables",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct latest_query, tables),
		.default_value = "1",
		.min = 1,
		.max = PREVIEW_TABLES_MAX,
		.help = "It answers as soon as there are batches of so many tables."},
	{.key = "wait_ms",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct latest_query, wait_ms),
		.default_value = "2000",
		.min = 0,
		.max = PREVIEW_WAIT_MS_MAX,
		.unit = "ms",
		.help = "Or after so long, with what has come."},
	{0},
};
static const struct enrg_table latest_table = {.size = sizeof(struct latest_query), .options = latest_options};

static const struct route_answer live_answers[] = {{101, NULL, "the connection is a WebSocket"},
	{400, "#Error", "none of the sub-protocols that were offered is enrgdaq-live.1"}, {0}};
static const struct route_answer sources_answers[] = {{200, "#Sources", "jobs that have a stream now"}, {0}};
static const struct route_answer latest_answers[] = {
	{200, "#Preview", "what came while it was looked; `tables` is empty where nothing came"},
	{404, "#Error", "no source of that name has a stream"},
	{503, "#Error", "the system does not run, or three others wait for batches"},
	{0},
};

const struct route v1_live_routes[] = {
	{.method = WEB_GET,
		.path = "/api/v1/live",
		.least = ACCESS_VISITOR,
		.is_quick = true,
		.is_socket = true,
		.operation = "openLive",
		.tag = "live",
		.summary = "Events and scope frames as they come: docs/live-protocol.md",
		.answers = live_answers,
		.handle = open_live},
	{.method = WEB_GET,
		.path = "/api/v1/sources",
		.least = ACCESS_VISITOR,
		.operation = "getSources",
		.tag = "live",
		.summary = "What can be looked at",
		.answers = sources_answers,
		.handle = get_sources},
	{.method = WEB_GET,
		.path = "/api/v1/sources/{name}/latest",
		.least = ACCESS_VISITOR,
		.operation = "getLatest",
		.tag = "live",
		.summary = "The next batches of a source: their columns and last rows",
		.query = &latest_table,
		.answers = latest_answers,
		.handle = get_latest},
	{0},
};

/* live_status.c: the status once a second, short, rendered once for all who listen. Main thread. Process: enrgdaq-web.
 */
#include <stdlib.h>
#include <string.h>

#include "web/live/viewer.h"

/* Members of a job, of the whole, as `status --json` has them. */
static const char *const job_members[] = {"name", "type", "state", "is_store", "in", "out", "backlog_batches",
	"backlog_bytes", "blocked_percent", "cpu_percent", "restarts", "acquires"};
static const char *const members[] = {
	"run", "state", "summary", "time", "totals", "ledger", "run_control", "alarms", "interval_s"};

static json_t *pick(const json_t *from, const char *const *names, size_t count)
{
	json_t *picked = json_object();

	for (size_t i = 0; i < count; i++) {
		json_t *value = json_object_get(from, names[i]);

		if (value)
			json_object_set(picked, names[i], value);
	}
	return picked;
}

static json_t *shorten(const json_t *status)
{
	json_t *picked = pick(status, members, sizeof(members) / sizeof(members[0]));
	const json_t *jobs = json_object_get(status, "jobs");
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(jobs); i++)
		json_array_append_new(
			list, pick(json_array_get(jobs, i), job_members, sizeof(job_members) / sizeof(job_members[0])));
	json_object_set_new(picked, "jobs", list);
	return picked;
}

static void tell_run(struct live *live, const json_t *status)
{
	const json_t *control = json_object_get(status, "run_control");
	const char *run = json_string_value(json_object_get(control ? control : status, "run"));
	json_int_t number =
		json_integer_value(json_object_get(control ? control : status, control ? "number" : "run_number"));

	scope_set_run(live->scope, run ? run : "", number > 0 ? (uint64_t)number : 0);
}

static void render(struct live *live, const struct snapshot *snapshot)
{
	json_t *message = json_pack("{s:s, s:I, s:b, s:f, s:s}", "type", "status", "number",
		(json_int_t)events_last(live->events), "is_there", snapshot->is_there, "age_s", snapshot->age_s,
		"reason", snapshot->reason);

	if (message)
		json_object_set_new(message, "system", snapshot->status ? shorten(snapshot->status) : json_null());
	char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
	web_bytes_release(live->status);
	live->status = text ? web_bytes_create(text, strlen(text)) : NULL;
	live->status_ns = snapshot->looked_ns;
	free(text);
	json_decref(message);
	if (snapshot->status)
		tell_run(live, snapshot->status);
}

struct web_bytes *live_get_status(struct live *live, uint64_t *ret_looked_ns)
{
	struct snapshot *snapshot = system_hold_snapshot(live->system);

	if (snapshot->looked_ns != live->status_ns)
		render(live, snapshot);
	snapshot_release(snapshot);
	*ret_looked_ns = live->status_ns;
	return live->status;
}

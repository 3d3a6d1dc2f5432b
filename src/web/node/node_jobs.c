/* node_jobs.c: requests that start, stop and restart: one command of the supervisor each. None waits until a job has
 * stored what it has: the panel takes an answer that comes late for a failure. */
#include "web/node/node_state.h"

#include <string.h>

int node_restart(struct node_call *call)
{
	const struct node_command command = {.to = "supervisor",
		.kind = "restart",
		.done = "the system stops in order, reads its folder again and starts"};
	bool update;

	if (!node_get_flag(call, "update", false, &update))
		return 422;
	if (update)
		return node_say(call, 409,
			"update: this program does not update itself, nothing was done. Update it with the packages of "
			"this machine (apt) or `git pull` and `make install`, then restart without `update`");
	return node_command(call, &command, NULL);
}

int node_stop_jobs(struct node_call *call)
{
	struct node_command command = {
		.to = "supervisor", .kind = "jobs.restart", .done = "all jobs stop in order and are started again"};
	const json_t *names;

	if (!node_get_list(call, "daq_job_unique_ids", &names))
		return 422;
	if (names)
		command.done = "these jobs stop in order and are started again";
	command.fields = json_pack("{s:b}", "wait", 0);
	if (names)
		json_object_set_new(command.fields, "names", json_deep_copy(names));
	return node_command(call, &command, NULL);
}

int node_run_job(struct node_call *call)
{
	struct node_command command = {.to = "supervisor", .kind = "job.add", .done = "the job is started"};
	json_t *fields = NULL;
	const char *text;
	bool comes_again;

	if (!node_need_text(call, "config", &text) || !node_get_flag(call, "restart_on_crash", true, &comes_again))
		return 422;
	command.fields = json_pack(
		"{s:s, s:b, s:b, s:b}", "text", text, "restart_on_crash", comes_again, "in_run", 1, "wait", 0);
	int status = node_command(call, &command, &fields);
	if (json_is_string(json_object_get(fields, "job")))
		json_object_set(call->answer, "daq_job_unique_id", json_object_get(fields, "job"));
	if (json_is_array(json_object_get(fields, "problems")))
		json_object_set(call->answer, "problems", json_object_get(fields, "problems"));
	json_decref(fields);
	return status;
}

/* The first whose `key` that is, in the list of a status. */
static const json_t *find_by(const json_t *jobs, const char *key, const char *wanted)
{
	for (size_t i = 0; i < json_array_size(jobs); i++) {
		const char *text = json_string_value(json_object_get(json_array_get(jobs, i), key));
		if (text && !strcmp(text, wanted))
			return json_array_get(jobs, i);
	}
	return NULL;
}

/* The job of that name, or the first of that type, as the Python program takes it. NULL: there is none. */
static const char *find_job(const json_t *jobs, const char *name)
{
	const json_t *job = find_by(jobs, "name", name);

	return json_string_value(json_object_get(job ? job : find_by(jobs, "type", name), "name"));
}

static int stop_one(struct node_call *call, const char *job, bool is_removed)
{
	const struct node_command command = {.to = "supervisor",
		.kind = is_removed ? "job.remove" : "job.stop",
		.fields = json_pack("{s:s, s:b}", "name", job, "wait", 0),
		.done = is_removed ? "it stops, and is out of the list when what it has is stored"
				   : "it stops, and is not started again"};

	return node_command(call, &command, NULL);
}

int node_stop_job(struct node_call *call)
{
	struct snapshot *snapshot;
	const char *name, *id, *job;
	bool is_removed;
	int status;

	if (!node_get_text(call, "daq_job_name", &name) || !node_get_text(call, "daq_job_unique_id", &id) ||
		!node_get_flag(call, "remove", false, &is_removed))
		return 422;
	if (!name && !id)
		return node_say(call, 422, "daq_job_unique_id: it is required, or daq_job_name (a type of jobs)");
	if (id)
		return stop_one(call, id, is_removed);
	snapshot = system_hold_snapshot(call->node->system);
	job = find_job(json_object_get(snapshot->status, "jobs"), name);
	status = job ? stop_one(call, job, is_removed)
		     : node_say(call, 409, "there is no job of type or name \"%.200s\", nothing was done", name);
	snapshot_release(snapshot);
	return status;
}

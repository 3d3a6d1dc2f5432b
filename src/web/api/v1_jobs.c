/* v1_jobs.c: the jobs of the system and their files; one job changed, a message to it. */
#include "web/api/routes.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "web/api/folder_text.h"

/* --- the list --- */

/* What a list shows of a job. */
static json_t *format_job(const json_t *job, const char *folder)
{
	static const char *const keys[] = {"name", "type", "is_store", "pid", "state", "reason", "restarts",
		"last_exit", "acquires", "in", "out", "backlog_batches", "backlog_bytes", "cpu_percent", "rss_mb"};
	const char *path = json_string_value(json_object_get(job, "file"));
	char file[FOLDER_TEXT_NAME_BYTES];
	json_t *shown = json_object();

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		json_t *value = json_object_get(job, keys[i]);
		json_object_set(shown, keys[i], value ? value : json_null());
	}
	bool is_ours = path && folder_text_relative(folder, path, file, sizeof(file)) == 0;
	json_object_set_new(shown, "file", is_ours ? json_string(file) : json_null());
	return shown;
}

static enum call_outcome get_jobs(struct call *call)
{
	const char *folder = system_settings(call->web->system)->config_folder;
	struct snapshot *snapshot = system_hold_snapshot(call->web->system);
	json_t *jobs = json_array(), *job;
	size_t i;

	json_array_foreach(json_object_get(snapshot->status, "jobs"), i, job)
		json_array_append_new(jobs, format_job(job, folder));
	call_json(call, 200,
		json_pack("{sbsoso}", "is_there", snapshot->is_there, "age_s",
			snapshot->status ? json_real(snapshot->age_s) : json_null(), "jobs", jobs));
	snapshot_release(snapshot);
	return CALL_ANSWERED;
}

static enum call_outcome get_files(struct call *call)
{
	struct enrg_error err = {0};
	json_t *files = folder_text_list(system_settings(call->web->system)->config_folder, &err);

	if (!files)
		return call_refuse(call, 409, "%s", err.text);
	return call_json(call, 200, json_pack("{so}", "files", files));
}

/* --- one job --- */

struct job_body {
	const char *name, *file;
	bool now;
};
#define NAME_OPTION                                                                                                    \
	{                                                                                                              \
		.key = "name", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct job_body, name),                  \
		.required = true, .help = "Of the job."                                                                \
	}
static const struct enrg_option name_options[] = {NAME_OPTION, {0}};
static const struct enrg_table name_table = {sizeof(struct job_body), name_options};

static enum call_outcome change(struct call *call, const char *kind)
{
	const struct job_body *body = call->body;

	return call_ask(call, "supervisor", kind, json_pack("{ss}", "name", body->name));
}

static enum call_outcome post_stop(struct call *call)
{
	return change(call, "job.stop");
}

static enum call_outcome post_start(struct call *call)
{
	return change(call, "job.start");
}

static enum call_outcome post_restart(struct call *call)
{
	return change(call, "job.restart");
}

static const struct enrg_option remove_options[] = {
	NAME_OPTION,
	{.key = "now",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct job_body, now),
		.default_value = "false",
		.help = "Does not wait until what it has sent, or was sent, is stored: that stays in shared memory."},
	{0},
};
static const struct enrg_table remove_table = {sizeof(struct job_body), remove_options};

static enum call_outcome post_remove(struct call *call)
{
	const struct job_body *body = call->body;

	return call_ask(call, "supervisor", "job.remove", json_pack("{sssb}", "name", body->name, "now", body->now));
}

static const struct enrg_option add_options[] = {
	{.key = "file",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct job_body, file),
		.required = true,
		.help = "Of the configuration folder, such as camera.toml."},
	{0},
};
static const struct enrg_table add_table = {sizeof(struct job_body), add_options};

static enum call_outcome post_add(struct call *call)
{
	const char *folder = system_settings(call->web->system)->config_folder;
	const struct job_body *body = call->body;
	struct enrg_error err = {0};
	char path[PATH_MAX + FOLDER_TEXT_NAME_BYTES], root[PATH_MAX], *text;
	size_t bytes;
	int rc = folder_text_read(folder, body->file, &text, &bytes, &err); /* it is there, and no link out of it */

	if (rc < 0)
		return call_refuse(call, rc == -ENOENT ? 404 : 422, "%s", err.text);
	free(text);
	if (!realpath(folder, root))
		return call_refuse(call, 409, "the configuration folder %s can't be found", folder);
	snprintf(path, sizeof(path), "%s/%s", root, body->file);
	return call_ask(call, "supervisor", "job.add", json_pack("{ss}", "file", path));
}

/* --- messages --- */

struct message_body {
	const char *to, *kind;
};
static const struct enrg_option message_options[] = {
	{.key = "to",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct message_body, to),
		.required = true,
		.help = "\"job NAME\", \"type DAQJobX\" (all of that type) or \"all\"."},
	{.key = "kind",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct message_body, kind),
		.required = true,
		.help = "One that the type takes; GET /api/v1/types lists them."},
	{0},
};
static const struct enrg_table message_table = {sizeof(struct message_body), message_options};

static enum call_outcome post_message(struct call *call)
{
	const struct message_body *body = call->body;
	const json_t *fields = json_object_get(call->json, "fields");
	bool is_job = !strncmp(body->to, "job ", 4) || !strncmp(body->to, "type ", 5) || !strcmp(body->to, "all");

	if (!is_job) /* what the supervisor is asked for has routes, and roles, of its own */
		return call_refuse(call, 422, "to: \"job NAME\", \"type DAQJobX\" or \"all\" was expected");
	return call_ask(call, body->to, body->kind, fields && !json_is_null(fields) ? json_deep_copy(fields) : NULL);
}

static const struct route_answer jobs_answers[] = {
	{200, "#Jobs", "as they were seen last; `file`: of the configuration folder, null: it lies elsewhere"},
	{0},
};
static const struct route_answer files_answers[] = {
	{200, "#Files", "all that the supervisor reads"},
	{409, "#Error", "there is no configuration folder, or it can't be read"},
	{0},
};
static const struct route_answer command_answers[] = {
	{200, "#Done", "done"},
	ROUTE_COMMAND_ANSWERS,
	{0},
};

#define CHANGE(last, name, text, table, handler)                                                                       \
	{                                                                                                              \
		.method = WEB_POST, .path = "/api/v1/jobs/" last, .least = ACCESS_ADMIN, .is_change = true,            \
		.operation = name, .tag = "jobs", .summary = text, .body = &(table), .answers = command_answers,       \
		.handle = handler                                                                                      \
	}

const struct route v1_jobs_routes[] = {
	{.method = WEB_GET,
		.path = "/api/v1/jobs",
		.least = ACCESS_VISITOR,
		.operation = "getJobs",
		.tag = "jobs",
		.summary = "The jobs of the system, with their files",
		.answers = jobs_answers,
		.handle = get_jobs},
	{.method = WEB_GET,
		.path = "/api/v1/jobs/files",
		.least = ACCESS_VISITOR,
		.operation = "getFiles",
		.tag = "jobs",
		.summary = "The files of the configuration folder",
		.answers = files_answers,
		.handle = get_files},
	CHANGE("stop", "stopJob", "Ends a job in order; it stays in the list", name_table, post_stop),
	CHANGE("start", "startJob", "Starts one that is stopped, done or given up", name_table, post_start),
	CHANGE("restart", "restartJob", "Ends a job in order and starts it again", name_table, post_restart),
	CHANGE("remove", "removeJob", "Ends a job, and takes it out of the list; its file stays", remove_table,
		post_remove),
	CHANGE("add", "addJob", "Takes in the job of a file of the folder", add_table, post_add),
	{.method = WEB_POST,
		.path = "/api/v1/jobs/message",
		.least = ACCESS_USER,
		.is_change = true,
		.operation = "sendMessage",
		.tag = "jobs",
		.summary = "Gives a command to a job; `fields` are those of its kind",
		.body = &message_table,
		.any = "fields",
		.answers = command_answers,
		.handle = post_message},
	{0},
};

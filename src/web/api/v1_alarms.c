/* v1_alarms.c: what is wrong now, who knows of it, and by which rules it is judged. */
#include "web/api/routes.h"

#include <errno.h>

#include "config/folder.h"
#include "web/api/folder_text.h"

static enum call_outcome get_alarms(struct call *call)
{
	struct snapshot *snapshot = system_hold_snapshot(call->web->system);
	json_t *alarms = json_object_get(snapshot->status, "alarms");
	json_t *list = alarms ? json_incref(alarms) : json_array();

	call_json(call, 200,
		json_pack("{sbsoso}", "is_there", snapshot->is_there, "age_s",
			snapshot->status ? json_real(snapshot->age_s) : json_null(), "alarms", list));
	snapshot_release(snapshot);
	return CALL_ANSWERED;
}

struct alarm_body {
	const char *name, *reason;
	double hours;
};
static const struct enrg_option acknowledge_options[] = {
	{.key = "name",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct alarm_body, name),
		.required = true,
		.help = "Its key, such as silent/camera."},
	{0},
};
static const struct enrg_table acknowledge_table = {sizeof(struct alarm_body), acknowledge_options};

static enum call_outcome post_acknowledge(struct call *call)
{
	const struct alarm_body *body = call->body;

	return call_ask(call, "supervisor", "alarm.ack", json_pack("{ss}", "name", body->name));
}

static const struct enrg_option mute_options[] = {
	{.key = "name",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct alarm_body, name),
		.required = true,
		.help = "Its key, such as lag/arrow; it need not be on."},
	{.key = "hours",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct alarm_body, hours),
		.required = true,
		.min = 0,
		.max = 8760,
		.unit = "h",
		.help = "For so long; 0: no longer."},
	{.key = "reason",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct alarm_body, reason),
		.default_value = "\"\"",
		.help = "Why; needed where hours is not 0."},
	{0},
};
static const struct enrg_table mute_table = {sizeof(struct alarm_body), mute_options};

static enum call_outcome post_mute(struct call *call)
{
	const struct alarm_body *body = call->body;

	return call_ask(call, "supervisor", "alarm.mute",
		json_pack("{sssfss}", "name", body->name, "hours", body->hours, "reason", body->reason));
}

/* --- rules --- */

/* A text of the folder as a tree; NULL where there is none, or it is wrong: `enrgdaq check` says how. */
static struct toml_node *parse(const struct web_settings *settings, const char *file)
{
	struct toml_node *root = NULL;
	char *text = NULL;
	size_t bytes;

	if (folder_text_read(settings->config_folder, file, &text, &bytes, NULL) == 0)
		(void)toml_parse(file, text, bytes, &root, NULL);
	free(text);
	return root;
}

/* By the table that the supervisor reads them with, so that its defaults stand here too. */
static json_t *format_rules(const struct web_settings *settings)
{
	struct options_memory *memory = options_memory_create();
	struct supervisor_options options = {0};
	struct toml_node *root = parse(settings, "supervisor.toml");
	struct problems problems;

	if (!memory) {
		toml_free(root);
		return NULL;
	}
	problems_init(&problems);
	const struct options_text text = {.node = root, .file = "supervisor.toml"};
	options_fill(&supervisor_table, &text, &options, memory, &problems);
	json_t *rules = json_pack("{sbsfsfsb}", "enabled", options.alarms.enabled, "silent_after_seconds",
		options.alarms.silent_after_seconds, "lag_after_seconds", options.alarms.lag_after_seconds, "is_right",
		problems.errors == 0);
	problems_fini(&problems);
	options_memory_destroy(memory);
	toml_free(root);
	return rules;
}

/* Jobs whose file has a time of its own. */
static json_t *format_job_rules(const struct web_settings *settings, const json_t *status)
{
	json_t *rules = json_array(), *job;
	struct toml_node *root;
	char file[FOLDER_TEXT_NAME_BYTES];
	size_t i;

	json_array_foreach(json_object_get(status, "jobs"), i, job)
	{
		const char *path = json_string_value(json_object_get(job, "file"));
		if (!path || folder_text_relative(settings->config_folder, path, file, sizeof(file)) < 0)
			continue;
		root = parse(settings, file);
		const struct toml_node *own = root ? toml_find(root, "silent_after_seconds") : NULL;
		if (own && (own->kind == TOML_FLOAT || own->kind == TOML_INTEGER))
			json_array_append_new(rules, json_pack("{sOsf}", "job", json_object_get(job, "name"),
							     "silent_after_seconds", own->number));
		toml_free(root);
	}
	return rules;
}

static enum call_outcome get_rules(struct call *call)
{
	const struct web_settings *settings = system_settings(call->web->system);
	struct snapshot *snapshot = system_hold_snapshot(call->web->system);
	json_t *rules = format_rules(settings), *jobs = format_job_rules(settings, snapshot->status);

	if (rules && json_object_set_new(rules, "jobs", jobs)) {
		json_decref(rules);
		rules = NULL;
	}
	snapshot_release(snapshot);
	return call_json(call, 200, rules);
}

static const struct route_answer alarm_answers[] = {
	{200, "#Alarms", "those that are on, and those that are muted"},
	{0},
};
static const struct route_answer command_answers[] = {
	{200, "#Done", "done"},
	ROUTE_COMMAND_ANSWERS,
	{0},
};
static const struct route_answer rule_answers[] = {
	{200, "#Rules", "as the folder has them now"},
	{0},
};

const struct route v1_alarms_routes[] = {
	{.method = WEB_GET,
		.path = "/api/v1/alarms",
		.least = ACCESS_VISITOR,
		.is_quick = true,
		.operation = "getAlarms",
		.tag = "alarms",
		.summary = "What is wrong now, with cause and remedy",
		.answers = alarm_answers,
		.handle = get_alarms},
	{.method = WEB_POST,
		.path = "/api/v1/alarms/acknowledge",
		.least = ACCESS_USER,
		.is_change = true,
		.operation = "acknowledgeAlarm",
		.tag = "alarms",
		.summary = "Ends the repetition of an alarm that is on",
		.body = &acknowledge_table,
		.answers = command_answers,
		.handle = post_acknowledge},
	{.method = WEB_POST,
		.path = "/api/v1/alarms/mute",
		.least = ACCESS_USER,
		.is_change = true,
		.operation = "muteAlarm",
		.tag = "alarms",
		.summary = "Keeps an alarm from being reported for some hours",
		.body = &mute_table,
		.answers = command_answers,
		.handle = post_mute},
	{.method = WEB_GET,
		.path = "/api/v1/rules",
		.least = ACCESS_VISITOR,
		.operation = "getRules",
		.tag = "alarms",
		.summary = "When alarms begin: [alarms] of supervisor.toml, and jobs with times of their own",
		.answers = rule_answers,
		.handle = get_rules},
	{0},
};

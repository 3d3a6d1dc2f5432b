/* v1_logs.c: lines of the log of the supervisor and its jobs, read where they are written. */
#include "web/api/routes.h"

#include <errno.h>
#include <string.h>

#include "enrgdaq/job.h"

#define LOOKED_AT_MAX 20000u /* lines; a filter finds nothing beyond */

struct logs_query {
	int level;
	const char *process, *text;
	int64_t last;
};
static const struct enrg_choice levels[] = {
	{"DEBUG", ENRG_DEBUG}, {"INFO", ENRG_INFO}, {"WARNING", ENRG_WARNING}, {"ERROR", ENRG_ERROR}, {0}};
static const struct enrg_option logs_options[] = {
	{.key = "level",
		.kind = ENRG_OPTION_CHOICE,
		.offset = offsetof(struct logs_query, level),
		.default_value = "\"DEBUG\"",
		.choices = levels,
		.help = "Lines of this level and above."},
	{.key = "process",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct logs_query, process),
		.help = "Of this job, or of the supervisor."},
	{.key = "text",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct logs_query, text),
		.help = "Lines with this in them, whatever the case."},
	{.key = "last",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct logs_query, last),
		.default_value = "200",
		.min = 1,
		.max = 2000,
		.help = "So many at most, the newest."},
	{0},
};
static const struct enrg_table logs_table = {sizeof(struct logs_query), logs_options};

static int level_of(const char *name)
{
	for (const struct enrg_choice *level = levels; level->name; level++)
		if (!strcmp(level->name, name))
			return level->value;
	return ENRG_INFO; /* it names none */
}

static bool is_wanted(const struct logs_query *query, const struct enrg_log_line *line)
{
	if (level_of(line->level) < query->level)
		return false;
	if (query->process && *query->process && strcmp(query->process, line->process) != 0)
		return false;
	return !query->text || !*query->text || strcasestr(line->line, query->text);
}

static json_t *format_line(const struct enrg_log_line *line)
{
	return json_pack("{ssssssss}", "time", line->time, "level", line->level, "process", line->process, "message",
		line->message);
}

static json_t *collect(struct enrg_logs *logs, const struct logs_query *query)
{
	const struct enrg_log_line *line;
	json_t *found = json_array();
	unsigned seen = 0;

	while (found && seen++ < 2 * LOOKED_AT_MAX && enrg_logs_next(logs, &line, NULL) == 1) {
		if (!is_wanted(query, line))
			continue;
		json_array_append_new(found, format_line(line));
		if ((int64_t)json_array_size(found) > query->last)
			json_array_remove(found, 0);
	}
	return found;
}

/* Where nobody can read along (journal, terminal, pipe) the answer says so, and how it is read there. */
static enum call_outcome get_logs(struct call *call)
{
	const char *supervisor = system_settings(call->web->system)->supervisor_id;
	struct enrg_error err = {0};
	struct enrg_client *client;
	struct enrg_logs *logs = NULL;
	json_t *lines = NULL;
	int rc = enrg_client_open(supervisor, &client, &err);

	if (rc == 0) {
		rc = enrg_logs_open(client, LOOKED_AT_MAX, &logs, &err);
		if (rc == 0)
			lines = collect(logs, call->query);
		enrg_logs_close(logs);
		enrg_client_close(client);
	}
	if (rc < 0 && rc != -ENOTSUP)
		return call_refuse(call, 503, "%s", err.text);
	if (!lines)
		lines = json_array();
	return call_json(call, 200, json_pack("{sssosb}", "reason", err.text, "lines", lines, "is_readable", rc == 0));
}

static const struct route_answer logs_answers[] = {
	{200, "#Logs", "oldest first; not readable: it goes where nobody can read along, and `reason` says where"},
	{0},
};

const struct route v1_logs_routes[] = {
	{.method = WEB_GET,
		.path = "/api/v1/logs",
		.least = ACCESS_VISITOR,
		.operation = "getLogs",
		.tag = "system",
		.summary = "The newest lines of the log, filtered",
		.query = &logs_table,
		.answers = logs_answers,
		.handle = get_logs},
	{0},
};

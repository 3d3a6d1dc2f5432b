/* panel_runs.c: see the header. One thread. */
#include "runs/panel_runs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/sha256.h"
#include "runs/number.h"
#include "runs/panel_dump.h"

#define WHO "import of the panel"

/* --- secrets ------------------------------------------------------------------------------------------------------ */

static bool is_secret_key(const char *line, size_t length)
{
	static const char *const words[] = {
		"password", "passwd", "secret", "token", "webhook", "authorization", "api_key"};

	for (size_t at = 0; at < length; at++)
		for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
			if (!strncasecmp(line + at, words[i], strlen(words[i])))
				return true;
	return false;
}

char *panel_runs_mask(const char *text)
{
	char *masked = NULL;
	size_t bytes = 0;
	FILE *stream = open_memstream(&masked, &bytes);

	while (stream && *text) {
		size_t length = strcspn(text, "\n"), key = strcspn(text, "=:\n");
		/* Of a line with several keys nothing behind the first is shown. */
		if (key < length && is_secret_key(text, length))
			fprintf(stream, "%.*s%c \"***\"", (int)key, text, text[key]);
		else
			fprintf(stream, "%.*s", (int)length, text);
		text += length;
		if (*text == '\n')
			fputc(*text++, stream);
	}
	if (stream)
		fclose(stream);
	return masked;
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

static const json_t *find_row(const json_t *tables, const char *table, const char *key, int64_t value)
{
	const json_t *rows = json_object_get(tables, table);

	for (size_t i = 0; i < json_array_size(rows); i++)
		if (panel_number(json_array_get(rows, i), key) == value)
			return json_array_get(rows, i);
	return NULL;
}

static json_t *format_values(const json_t *tables, int64_t run)
{
	const json_t *rows = json_object_get(tables, "run_parameter_values");
	json_t *values = json_object();
	char room[32], other[32];

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const json_t *parameter =
			find_row(tables, "template_parameters", "id", panel_number(row, "parameter_id"));
		const char *name = panel_text(row, "name", room);
		if (panel_number(row, "run_id") != run)
			continue;
		if (!*name)
			name = panel_text(row, "parameter_name", room);
		if (!*name && !parameter)
			parameter = find_row(
				tables, "template_parameters", "id", panel_number(row, "template_parameter_id"));
		if (!*name)
			name = panel_text(parameter, "name", room);
		const char *value = panel_text(row, "value", other);
		if (*name)
			json_object_set_new(
				values, name, json_string(is_secret_key(name, strlen(name)) ? "***" : value));
	}
	return values;
}

/* --- entries ------------------------------------------------------------------------------------------------------ */

struct panel_run {
	const struct enter_context *context;
	const json_t *tables, *row;
	int64_t number;
	uint64_t began_ns, ended_ns;
	char uuid[ENTRY_UUID_BYTES], run[64], supervisor[200];
};

/* Steals `body`. 0: entered; 1: it was there. */
static int put(const struct panel_run *run, const char *kind, uint64_t wall_ns, const char *who, json_t *body,
	struct enrg_error *err)
{
	char *text = body ? json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS) : NULL, known[400], id[SHA256_HEX_BYTES];
	struct entry entry;
	int rc = text ? 0 : enrg_error_set(err, -ENOMEM, "out of memory, or a text that is not UTF-8");

	if (rc == 0) {
		sha256_format(text, strlen(text), id);
		snprintf(known, sizeof(known), "panel %s %s %llu %s", run->uuid, kind, (unsigned long long)wall_ns, id);
		sha256_format(known, strlen(known), id);
		id[32] = '\0';
		json_t *json = json_pack("{s:i, s:s, s:s, s:s, s:I, s:s, s:O}", "v", ENTRY_VERSION, "id", id, "kind",
			kind, "uuid", run->uuid, "wall_ns", (json_int_t)wall_ns, "who", who, "body", body);
		rc = entry_parse_json(json, &entry, err);
		json_decref(json);
	}
	if (rc == 0) {
		rc = enter_entry(run->context, &entry, err);
		entry_fini(&entry);
	}
	free(text);
	json_decref(body);
	return rc;
}

static json_t *make_begin(const struct panel_run *run)
{
	char room[32];
	const json_t *type = find_row(run->tables, "run_types", "id", panel_number(run->row, "run_type_id"));
	char *config = panel_runs_mask(panel_text(run->row, "config", room)), hex[SHA256_HEX_BYTES];

	sha256_format(config ? config : "", config ? strlen(config) : 0, hex);
	json_t *body = json_pack("{s:s, s:I, s:s, s:s, s:s, s:{s:s}, s:I, s:I, s:s, s:s, s:o, s:b}", "run", run->run,
		"number", (json_int_t)run->number, "supervisor", run->supervisor, "type",
		panel_text(type, "name", room), "description", panel_text(run->row, "description", (char[32]){0}), "by",
		"who", WHO, "wall_ns", (json_int_t)run->began_ns, "planned_end_ns",
		(json_int_t)panel_time_ns(run->row, "scheduled_end_time"), "config", config ? config : "",
		"config_sha256", hex, "values", format_values(run->tables, run->number), "has_control", 1);
	free(config);
	return body;
}

static int put_end(const struct panel_run *run, struct enrg_error *err)
{
	char room[32], reason[200];
	const char *status = panel_text(run->row, "status", room);
	bool is_fine = run->ended_ns && (!strcasecmp(status, "COMPLETED") || !strcasecmp(status, "STOPPED"));

	snprintf(reason, sizeof(reason), "imported; the panel says %.40s, and has no account of what was stored",
		*status ? status : "nothing");
	/* The panel's word, for there is no account. */
	int rc = put(run, "end", run->ended_ns ? run->ended_ns : run->began_ns, WHO,
		json_pack("{s:I, s:s, s:[], s:s}", "wall_ns",
			(json_int_t)(run->ended_ns ? run->ended_ns : run->began_ns), "quality",
			is_fine ? "complete" : "aborted", "flags", "reason", reason),
		err);
	if (rc >= 0 && panel_is(run->row, "is_deleted"))
		rc = put(run, "delete", run->began_ns, WHO, json_pack("{s:b}", "is_deleted", 1), err);
	return rc;
}

static int put_notes(const struct panel_run *run, struct enrg_error *err)
{
	const json_t *rows = json_object_get(run->tables, "run_metadata");
	char room[32], who[32];
	int rc = 0;

	for (size_t i = 0; i < json_array_size(rows) && rc >= 0; i++) {
		const json_t *row = json_array_get(rows, i);
		if (panel_number(row, "run_id") != run->number)
			continue;
		char *text = panel_dump_strip_html(panel_text(row, "details", room));
		const char *author = panel_text(row, "updated_by", who);
		uint64_t wall_ns = panel_time_ns(row, "updated_at");
		if (!*author)
			author = panel_text(row, "user_id", who);
		if (text && *text)
			rc = put(run, "note", wall_ns ? wall_ns : run->began_ns, *author ? author : WHO,
				json_pack("{s:s}", "text", text), err);
		free(text);
	}
	return rc;
}

static int put_messages(const struct panel_run *run, struct enrg_error *err)
{
	const json_t *rows = json_object_get(run->tables, "messages");
	char room[32], to[400];
	int rc = 0;

	for (size_t i = 0; i < json_array_size(rows) && rc >= 0; i++) {
		const json_t *row = json_array_get(rows, i);
		if (panel_number(row, "run_id") != run->number)
			continue;
		const char *target = panel_text(row, "target_daq_job_type", room);
		uint64_t wall_ns = panel_time_ns(row, "sent_at");
		snprintf(to, sizeof(to), *target ? "type %.300s" : "all", target);
		rc = put(run, "message", wall_ns ? wall_ns : run->began_ns, WHO,
			json_pack("{s:s, s:s, s:s, s:s, s:I}", "to", to, "kind",
				panel_text(row, "message_type", (char[32]){0}), "answer",
				strcasecmp(panel_text(row, "status", (char[32]){0}), "SENT") ? "failed" : "ok", "text",
				panel_text(row, "error_message", (char[32]){0}), "panel_id",
				(json_int_t)panel_number(row, "id")),
			err);
	}
	return rc;
}

static int enter_run(
	const struct enter_context *context, const json_t *tables, const json_t *row, struct enrg_error *err)
{
	struct panel_run run = {.context = context, .tables = tables, .row = row, .number = panel_number(row, "id")};
	char room[32];
	const char *client = panel_text(row, "client_id", room);

	run.began_ns = panel_time_ns(row, "start_time");
	run.ended_ns = panel_time_ns(row, "end_time");
	if (run.number <= 0 || run.number > NUMBER_MAX || !run.began_ns)
		return enrg_error_set(err, -EINVAL, "runs: a row has no id or no start_time: %" PRId64, run.number);
	snprintf(run.run, sizeof(run.run), "panel-%" PRId64, run.number);
	snprintf(run.supervisor, sizeof(run.supervisor), "%.190s", *client ? client : "panel");
	entry_make_uuid(run.supervisor, run.run, run.began_ns, run.uuid);
	int is_old = put(&run, "begin", run.began_ns, WHO, make_begin(&run), err);
	int rc = is_old;
	if (rc >= 0)
		rc = put_end(&run, err);
	if (rc >= 0)
		rc = put_notes(&run, err);
	if (rc >= 0)
		rc = put_messages(&run, err);
	return rc < 0 ? enrg_error_add(err, rc, "run %" PRId64, run.number) : is_old;
}

int panel_runs_enter(const struct enter_context *context, const json_t *tables, unsigned *ret_runs, uint64_t *ret_last,
	struct enrg_error *err)
{
	const json_t *rows = json_object_get(tables, "runs");
	int rc = 0;

	*ret_runs = 0;
	*ret_last = 0;
	for (size_t i = 0; i < json_array_size(rows) && rc >= 0; i++) {
		const json_t *row = json_array_get(rows, i);
		int64_t number = panel_number(row, "id");
		rc = enter_run(context, tables, row, err);
		*ret_runs += rc == 0;
		if (number > 0 && (uint64_t)number > *ret_last)
			*ret_last = (uint64_t)number;
	}
	return rc < 0 ? rc : 0;
}

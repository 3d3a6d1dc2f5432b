/* panel_plans.c: see the header. The panel pastes {NAME} as text; here a value that is one placeholder becomes a typed
 * parameter, and what is pasted into a longer text is left to a person. */
#include "runs/panel_plans.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/path.h"
#include "base/text.h"
#include "runs/panel_dump.h"

#define NAME_BYTES 200u

struct plan {
	const json_t *tables, *row;
	FILE *stream;
	json_t *by_hand;
};

static void tell(struct plan *plan, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tell(struct plan *plan, const char *format, ...)
{
	char text[600];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	text_make_safe(text, strlen(text)); /* one line, and UTF-8 where it was cut, or the file would be none */
	fprintf(plan->stream, "# by hand: %s\n", text);
	json_array_append_new(plan->by_hand, json_string(text));
}

/* A basic string of TOML is written as one of JSON. */
static void put_string(FILE *stream, const char *text)
{
	json_t *json = json_string(text);
	char *quoted = json ? json_dumps(json, JSON_ENCODE_ANY) : NULL;

	fputs(quoted ? quoted : "\"\"", stream);
	free(quoted);
	json_decref(json);
}

static void put_text(const struct plan *plan, const char *key, const json_t *row, const char *column)
{
	char room[32];
	const char *text = panel_text(row, column, room);

	if (!*text)
		return;
	fprintf(plan->stream, "%s = ", key);
	put_string(plan->stream, text);
	fputc('\n', plan->stream);
}

/* Names of parameters are lower case here. */
static void lower(const char *name, size_t length, char ret_name[NAME_BYTES])
{
	size_t i = 0;

	for (; i < length && i + 1 < NAME_BYTES; i++)
		ret_name[i] = (char)tolower((unsigned char)name[i]);
	ret_name[i] = '\0';
}

/* Length of a placeholder that begins there, with its braces; 0: it is none. */
static size_t find_placeholder(const char *text)
{
	size_t length = 1;

	if (text[0] != '{' || !isupper((unsigned char)text[1]))
		return 0;
	while (isupper((unsigned char)text[length]) || isdigit((unsigned char)text[length]) || text[length] == '_')
		length++;
	return text[length] == '}' ? length + 1 : 0;
}

static bool has_placeholder(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (find_placeholder(text + i))
			return true;
	return false;
}

/* --- a value of TOML ---------------------------------------------------------------------------------------------- */

static bool is_parameter(const struct plan *plan, const char *name)
{
	const json_t *rows = json_object_get(plan->tables, "template_parameters");
	char room[32];

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		if (panel_number(row, "template_id") == panel_number(plan->row, "id") &&
			!strcasecmp(panel_text(row, "name", room), name))
			return true;
	}
	return false;
}

/* Is all of it one placeholder, with or without quotes, of a parameter of this template? */
static bool take_place(const struct plan *plan, const char *value, size_t length, char ret_name[NAME_BYTES])
{
	while (length && isspace((unsigned char)value[length - 1]))
		length--;
	while (length && isspace((unsigned char)*value)) {
		value++;
		length--;
	}
	if (length > 2 && (*value == '"' || *value == '\'') && value[length - 1] == *value) {
		value++;
		length -= 2;
	}
	if (!length || find_placeholder(value) != length)
		return false;
	lower(value + 1, length - 2, ret_name);
	return is_parameter(plan, ret_name);
}

/* --- jobs --------------------------------------------------------------------------------------------------------- */

/* [x] of a job's file is [job.x] of the template. */
static void put_section(const struct plan *plan, const char *line, size_t length)
{
	size_t brackets = strspn(line, "[");

	fprintf(plan->stream, "%.*sjob.%.*s\n", (int)brackets, line, (int)(length - brackets), line + brackets);
}

static void put_line(struct plan *plan, const char *line, size_t length)
{
	size_t equal = strcspn(line, "=\n"), indent = strspn(line, " \t");
	char name[NAME_BYTES];

	if (line[indent] == '[' && indent < length) {
		put_section(plan, line + indent, length - indent);
	} else if (equal < length && line[indent] != '#' &&
		   take_place(plan, line + equal + 1, length - equal - 1, name)) {
		fprintf(plan->stream, "%.*s= { parameter = \"%s\" }\n", (int)equal, line, name);
	} else if (line[indent] != '#' && has_placeholder(line, length)) {
		tell(plan, "a text with a placeholder in it was left out: %.*s", (int)length, line);
	} else {
		fprintf(plan->stream, "%.*s\n", (int)length, line);
	}
}

static void put_job(struct plan *plan, const char *config, const char *name)
{
	const char *fence = NULL;

	fputs("\n[[job]]\n", plan->stream);
	if (!strstr(config, "daq_job_unique_id"))
		fprintf(plan->stream, "daq_job_unique_id = \"run_%s\"\n", name); /* no other job has it */
	while (*config) {
		size_t length = strcspn(config, "\n");
		/* Inside of a text of several lines nothing is touched. */
		bool was_inside = fence != NULL;
		for (size_t i = 0; i + 2 < length; i++) {
			const char *found = !strncmp(config + i, "\"\"\"", 3) ? "\"\"\""
					    : !strncmp(config + i, "'''", 3)  ? "'''"
									      : NULL;
			if (found && (!fence || fence == found)) {
				fence = fence ? NULL : found;
				i += 2;
			}
		}
		if (was_inside || fence)
			fprintf(plan->stream, "%.*s\n", (int)length, config);
		else
			put_line(plan, config, length);
		config += length + (config[length] == '\n');
	}
}

/* --- messages ----------------------------------------------------------------------------------------------------- */

static void put_json(struct plan *plan, const json_t *json)
{
	const char *key, *text = json_string_value(json);
	json_t *child;
	char name[NAME_BYTES];
	bool is_first = true;

	if (json_is_object(json)) {
		fputs("{ ", plan->stream);
		json_object_foreach((json_t *)(uintptr_t)json, key, child)
		{
			if (json_is_null(child))
				continue;
			fputs(is_first ? "" : ", ", plan->stream);
			put_string(plan->stream, key);
			fputs(" = ", plan->stream);
			put_json(plan, child);
			is_first = false;
		}
		fputs(" }", plan->stream);
	} else if (json_is_array(json)) {
		fputc('[', plan->stream);
		for (size_t i = 0; i < json_array_size(json); i++) {
			fputs(i ? ", " : "", plan->stream);
			put_json(plan, json_array_get(json, i));
		}
		fputc(']', plan->stream);
	} else if (text && take_place(plan, text, strlen(text), name)) {
		fprintf(plan->stream, "{ parameter = \"%s\" }", name);
	} else {
		char *value = json_dumps(json, JSON_ENCODE_ANY);
		fputs(value ? value : "\"\"", plan->stream);
		free(value);
	}
}

/* The panel's payloads have placeholders where JSON wants a value: those get quotes. */
static json_t *parse_payload(const char *text)
{
	char *quoted = NULL;
	size_t bytes = 0;
	bool is_inside = false;
	FILE *stream = open_memstream(&quoted, &bytes);

	for (const char *at = text; stream && *at; at++) {
		size_t length = is_inside ? 0 : find_placeholder(at);
		if (*at == '"' && (at == text || at[-1] != '\\'))
			is_inside = !is_inside;
		if (length) {
			fprintf(stream, "\"%.*s\"", (int)length, at);
			at += length - 1;
		} else {
			fputc(*at, stream);
		}
	}
	if (stream)
		fclose(stream);
	json_t *json = quoted ? json_loads(quoted, 0, NULL) : NULL;
	free(quoted);
	return json;
}

static bool is_pasted(const json_t *json, const struct plan *plan)
{
	const char *key, *text = json_string_value(json);
	json_t *child;
	char name[NAME_BYTES];

	if (text)
		return has_placeholder(text, strlen(text)) && !take_place(plan, text, strlen(text), name);
	json_object_foreach((json_t *)(uintptr_t)json, key, child)
	{
		if (is_pasted(child, plan))
			return true;
	}
	for (size_t i = 0; i < json_array_size(json); i++)
		if (is_pasted(json_array_get(json, i), plan))
			return true;
	return false;
}

static void put_message(struct plan *plan)
{
	char room[32], other[32];
	const char *target = panel_text(plan->row, "target_daq_job_type", room);
	const char *text = panel_text(plan->row, "payload_template", other);
	json_t *payload = *text ? parse_payload(text) : json_object();

	fputs("\n[[message]]\nto = ", plan->stream);
	char to[400];
	snprintf(to, sizeof(to), *target ? "type %.300s" : "all", target);
	put_string(plan->stream, to);
	fputc('\n', plan->stream);
	put_text(plan, "kind", plan->row, "message_type");
	if (!json_is_object(payload))
		tell(plan, "its payload is no object of JSON and was left out: %.300s", text);
	else if (is_pasted(payload, plan))
		tell(plan, "its payload has a placeholder inside of a text and was left out: %.300s", text);
	if (json_is_object(payload) && !is_pasted(payload, plan)) {
		fputs("body = ", plan->stream);
		put_json(plan, payload);
		fputc('\n', plan->stream);
	}
	tell(plan, "commands have names of their own here: `enrgdaq describe TYPE` lists those of a job type");
	json_decref(payload);
}

/* --- parameters --------------------------------------------------------------------------------------------------- */

static void put_value(struct plan *plan, const char *key, const char *type, const char *value)
{
	char *end = NULL;
	bool is_number = (strtod(value, &end), end && end != value && !*end);

	if (!strcmp(type, "bool")) {
		fprintf(plan->stream, "%s = %s\n", key,
			!strcasecmp(value, "true") || !strcmp(value, "1") || !strcasecmp(value, "t") ? "true"
												     : "false");
	} else if (!strcmp(type, "int") || !strcmp(type, "float")) {
		if (is_number && !strpbrk(value, "xXnN"))
			fprintf(plan->stream, "%s = %s%s\n", key, value,
				!strcmp(type, "float") && !strpbrk(value, ".eE") ? ".0" : "");
		else
			tell(plan, "%s is no number and was left out: %.100s", key, value);
	} else {
		fprintf(plan->stream, "%s = ", key);
		put_string(plan->stream, value);
		fputc('\n', plan->stream);
	}
}

static const char *type_of(const json_t *parameter)
{
	static const char *const types[] = {"int", "float", "bool", "string"};
	char room[32];
	const char *type = panel_text(parameter, "type", room);

	for (size_t i = 0; i < 4; i++)
		if (!strcasecmp(types[i], type))
			return types[i];
	return "string";
}

static void put_parameters(struct plan *plan)
{
	const json_t *rows = json_object_get(plan->tables, "template_parameters");
	char room[32], name[NAME_BYTES];

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *text = panel_text(row, "name", room);
		if (panel_number(row, "template_id") != panel_number(plan->row, "id"))
			continue;
		lower(text, strlen(text), name);
		fprintf(plan->stream, "\n[parameters.%s]\ntype = \"%s\"\n", name, type_of(row));
		put_text(plan, "title", row, "display_name");
		const char *value = panel_text(row, "default_value", room);
		if (*value)
			put_value(plan, "default", type_of(row), value);
		else if (panel_is(row, "required"))
			fputs("required = true\n", plan->stream);
	}
}

/* --- files -------------------------------------------------------------------------------------------------------- */

static void name_of(const json_t *row, char ret_name[NAME_BYTES])
{
	char room[32];

	path_safe_name(panel_text(row, "name", room), ret_name, NAME_BYTES);
}

static void put_template(struct plan *plan)
{
	char room[32], other[32], name[NAME_BYTES];
	bool is_message = !strcasecmp(panel_text(plan->row, "type", room), "message");

	name_of(plan->row, name);
	put_text(plan, "title", plan->row, "display_name");
	put_parameters(plan);
	if (is_message)
		put_message(plan);
	else
		put_job(plan, panel_text(plan->row, "config", other), name);
}

static const json_t *find_row(const json_t *tables, const char *table, int64_t id)
{
	const json_t *rows = json_object_get(tables, table);

	for (size_t i = 0; i < json_array_size(rows); i++)
		if (panel_number(json_array_get(rows, i), "id") == id)
			return json_array_get(rows, i);
	return NULL;
}

static void put_templates_of(const struct plan *plan)
{
	const json_t *rows = json_object_get(plan->tables, "template_run_types");
	char name[NAME_BYTES];
	bool is_first = true;

	fputs("templates = [", plan->stream);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const json_t *template = find_row(plan->tables, "templates", panel_number(row, "template_id"));
		if (panel_number(row, "run_type_id") != panel_number(plan->row, "id") || !template)
			continue;
		name_of(template, name);
		fputs(is_first ? "" : ", ", plan->stream);
		put_string(plan->stream, name);
		is_first = false;
	}
	fputs("]\n", plan->stream);
}

static void put_defaults(struct plan *plan)
{
	const json_t *rows = json_object_get(plan->tables, "run_type_parameter_defaults");
	char room[32], other[32], name[NAME_BYTES];
	bool is_first = true;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		int64_t id = panel_number(row, "template_parameter_id");
		const json_t *parameter =
			find_row(plan->tables, "template_parameters", id ? id : panel_number(row, "parameter_id"));
		const char *value = panel_text(row, "default_value", other);
		if (panel_number(row, "run_type_id") != panel_number(plan->row, "id") || !parameter)
			continue;
		if (!*value)
			value = panel_text(row, "value", other);
		const char *text = panel_text(parameter, "name", room);
		lower(text, strlen(text), name);
		fputs(is_first ? "[values]\n" : "", plan->stream);
		put_value(plan, name, type_of(parameter), value);
		is_first = false;
	}
}

static void put_type(struct plan *plan)
{
	char room[32];
	const json_t *tags = json_object_get(plan->row, "required_tags");
	json_t *parsed = json_is_array(tags) ? json_incref((json_t *)(uintptr_t)tags)
					     : json_loads(panel_text(plan->row, "required_tags", room), 0, NULL);

	put_text(plan, "title", plan->row, "name");
	put_text(plan, "description", plan->row, "description");
	put_templates_of(plan);
	if (json_array_size(parsed)) {
		fputs("required_tags = ", plan->stream);
		put_json(plan, parsed);
		fputc('\n', plan->stream);
	}
	json_decref(parsed);
	put_defaults(plan);
}

static void make_files(
	const json_t *tables, const char *table, const char *folder, void (*put)(struct plan *plan), json_t *files)
{
	const json_t *rows = json_object_get(tables, table);
	char path[NAME_BYTES + 40], name[NAME_BYTES];

	for (size_t i = 0; i < json_array_size(rows); i++) {
		struct plan plan = {.tables = tables, .row = json_array_get(rows, i), .by_hand = json_array()};
		char *text = NULL;
		size_t bytes = 0;
		plan.stream = open_memstream(&text, &bytes);
		if (!plan.stream) {
			json_decref(plan.by_hand);
			return;
		}
		name_of(plan.row, name);
		snprintf(path, sizeof(path), "runs/%s/%s.toml", folder, name);
		fputs("# imported from the panel\n", plan.stream);
		put(&plan);
		fclose(plan.stream);
		json_array_append_new(files,
			json_pack("{s:s, s:s, s:o}", "path", path, "text", text ? text : "", "by_hand", plan.by_hand));
		free(text);
	}
}

json_t *panel_plans_make(const json_t *tables)
{
	json_t *files = json_array();

	make_files(tables, "templates", "templates", put_template, files);
	make_files(tables, "run_types", "types", put_type, files);
	return files;
}

char *panel_plans_make_hooks(const json_t *tables)
{
	const json_t *rows = json_object_get(tables, "webhooks");
	char *text = NULL, room[32];
	size_t bytes = 0;
	struct plan plan = {.stream = open_memstream(&text, &bytes)};

	for (size_t i = 0; plan.stream && i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		bool is_of_runs = panel_is(row, "trigger_on_run"), is_of_messages = panel_is(row, "trigger_on_message");
		if (!panel_is(row, "is_active"))
			fputs("# it was switched off in the panel\n", plan.stream);
		fputs("[[runs.hook]]\n", plan.stream);
		put_text(&plan, "name", row, "name");
		put_text(&plan, "url", row, "url");
		put_text(&plan, "payload", row, "payload_template");
		fprintf(plan.stream, "events = [%s%s%s]\n",
			is_of_runs ? "\"run_started\", \"run_stopped\", \"run_failed\"" : "",
			is_of_runs && is_of_messages ? ", " : "",
			is_of_messages ? "\"message_sent\", \"message_failed\"" : "");
		if (*panel_text(row, "secret", room))
			fputs("secret_file = \"/etc/enrgdaq/hook.secret\" # write the panel's secret there, mode "
			      "0600\n",
				plan.stream);
		fputc('\n', plan.stream);
	}
	if (plan.stream)
		fclose(plan.stream);
	return text;
}

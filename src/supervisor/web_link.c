/* web_link.c: settings of enrgdaq-web, and what it says. Process: supervisor, main thread. */
#include "supervisor/web_link.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "base/program.h"
#include "base/text.h"
#include "config/options_values.h"
#include "config/web_options.h"
#include "supervisor/line_child.h"

#define PING_NS   2000000000ull
#define HUNG_NS   20000000000ull
#define NICE      10
#define FILES_MAX 1024u
#define BYTES_MAX (1ull << 30) /* and what it maps of rings */
#define KEY       "web/program"

#define WHOLE_BYTES (2u * PATH_MAX)

struct web_link {
	struct line_child *child;
	char program[LINE_CHILD_PATH_BYTES];
	json_t *settings;
	char address[320];
	bool is_told;        /* that it has failed */
	uint64_t room_bytes; /* its RLIMIT_AS */
	uint64_t changes;
	void (*alert)(void *context, enum enrg_level level, const char *key, const char *text, bool is_over);
	void *context;
};

/* --- what it says --- */

static json_t *hello(void *context)
{
	struct web_link *link = context;

	link->address[0] = '\0';
	link->changes++;
	return json_incref(link->settings);
}

static const char *text_of(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));

	return text ? text : "";
}

/* Texts come from a process that strangers speak to. */
static void take_text(const json_t *line, const char *key, char *ret_text, size_t text_bytes)
{
	snprintf(ret_text, text_bytes, "%s", text_of(line, key));
	text_make_safe(ret_text, strlen(ret_text));
}

static void hear_alert(struct web_link *link, const json_t *line)
{
	bool is_error = !strcmp(text_of(line, "severity"), "error"),
	     is_over = json_is_true(json_object_get(line, "over"));
	char key[80], own[60], text[1000];

	take_text(line, "key", own, sizeof(own));
	take_text(line, "text", text, sizeof(text));
	snprintf(key, sizeof(key), "%s%s", strncmp(own, "web/", 4) ? "web/" : "", own);
	if (link->alert && *own && *text)
		link->alert(link->context,
			is_over    ? ENRG_INFO
			: is_error ? ENRG_ERROR
				   : ENRG_WARNING,
			key, text, is_over);
}

static void hear(void *context, const json_t *line)
{
	struct web_link *link = context;
	const char *what = text_of(line, "do");

	if (!strcmp(what, "listening")) {
		take_text(line, "address", link->address, sizeof(link->address));
		link->changes++;
	} else if (!strcmp(what, "alert")) {
		hear_alert(link, line);
	}
}

static void note(void *context, unsigned failures, const char *what)
{
	struct web_link *link = context;
	char text[LINE_CHILD_PATH_BYTES + 500];

	link->changes++;
	if (failures)
		link->address[0] = '\0';
	if (link->is_told == (failures != 0) || !link->alert)
		return;
	link->is_told = failures != 0;
	if (failures)
		snprintf(text, sizeof(text),
			"command and control and the REST API are away for a moment: the program %s %s; it is started "
			"again by itself, and data taking does not need it",
			link->program, what);
	else
		snprintf(text, sizeof(text), "command and control and the REST API are back");
	link->alert(link->context, failures ? ENRG_WARNING : ENRG_INFO, KEY, text, !failures);
}

/* --- settings --- */

static void format_absolute(const char *path, char ret_path[WHOLE_BYTES])
{
	char folder[PATH_MAX];

	if (*path == '/' || !*path || !getcwd(folder, sizeof(folder)))
		snprintf(ret_path, WHOLE_BYTES, "%s", path);
	else
		snprintf(ret_path, WHOLE_BYTES, "%s/%s", folder, path);
}

static json_t *make_settings(const struct web_link_params *params, const char *web_folder)
{
	const struct supervisor_options *options = &params->folder->supervisor;
	char program[PATH_MAX], config[WHOLE_BYTES];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	json_t *tags = json_array();

	program[length > 0 ? length : 0] = '\0';
	format_absolute(params->config_folder ? params->config_folder : "", config);
	for (size_t i = 0; i < options->info.supervisor_tags.count; i++)
		json_array_append_new(tags, json_string(options->info.supervisor_tags.items[i]));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:b, s:s, s:o, s:o}", "do", "settings", "supervisor_id",
		options->info.supervisor_id, "runtime_folder", params->runtime_folder, "config_folder", config,
		"web_folder", web_folder, "program", program, "tags", tags, "is_terminal", isatty(2), "verbosity",
		log_level_name((enum enrg_level)options->verbosity), "cnc", options_values(&cnc_table, &options->cnc),
		"web", options->has_web ? options_values(&web_table, &options->web) : json_null());
}

/* Room for what it reads along: a ring is mapped twice. */
static uint64_t bytes_max(const struct folder *folder)
{
	uint64_t rings_mb = (uint64_t)folder->supervisor.ring_buffer_size_mb;

	for (size_t i = 0; i < folder->job_count; i++)
		rings_mb += (uint64_t)folder->jobs[i].common.ring_buffer_size_mb;
	return BYTES_MAX + 2 * rings_mb * 1000000u;
}

/* --- life --- */

static struct web_link *open_link(const struct web_link_params *params, const char *program, struct enrg_error *err)
{
	struct web_link *link = calloc(1, sizeof(*link));
	struct line_child_params child = {.arguments = {WEB_PROGRAM, "serve"},
		.ping_ns = PING_NS,
		.hung_ns = HUNG_NS,
		.nice = NICE,
		.files_max = FILES_MAX,
		.bytes_max = bytes_max(params->folder),
		.is_bound = true,
		.hello = hello,
		.hear = hear,
		.note = note,
		.context = link};

	snprintf(child.program, sizeof(child.program), "%s", program);
	if (link && !line_child_open(&child, &link->child, err)) {
		snprintf(link->program, sizeof(link->program), "%s", program);
		return link;
	}
	free(link);
	return NULL;
}

/* For `enrgdaq token` and `enrgdaq user`, wherever they are called. */
static void say_where(const struct web_link_params *params, const char *folder)
{
	json_t *json = json_pack("{s:s}", "folder", folder);
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	char path[WHOLE_BYTES];

	snprintf(path, sizeof(path), "%.4000s/web.json", params->runtime_folder);
	if (text)
		(void)path_write_private_file(path, text, strlen(text), NULL);
	free(text);
	json_decref(json);
}

static void drop(struct web_link **link)
{
	web_link_close(*link, 0);
	*link = NULL;
}

void web_link_set(struct web_link **link, const struct web_link_params *params, uint64_t now_ns)
{
	const struct supervisor_options *options = &params->folder->supervisor;
	char program[LINE_CHILD_PATH_BYTES], folder[WHOLE_BYTES];
	struct enrg_error err = {0};

	if (!options->has_cnc || program_find(WEB_PROGRAM, WEB_PROGRAM_VARIABLE, program, sizeof(program))) {
		drop(link); /* that it is missing is a warning of the configuration */
		return;
	}
	format_absolute(options->web.folder && *options->web.folder ? options->web.folder : params->web_folder, folder);
	json_t *settings = path_make_private_folder(folder, &err) ? NULL : make_settings(params, folder);
	if (settings && !*link)
		*link = open_link(params, program, &err);
	if (!settings || !*link) {
		log_line(ENRG_ERROR,
			"command and control and the REST API are not served: %s; data taking does not need them "
			"(web.folder in supervisor.toml says where tokens and the audit lie)",
			err.text[0] ? err.text : "out of memory");
		json_decref(settings);
		drop(link);
		return;
	}
	say_where(params, folder);
	(*link)->alert = params->alert;
	(*link)->context = params->context;
	/* one that runs has too little room where the rings have grown */
	uint64_t room_bytes = bytes_max(params->folder);
	bool is_other =
		(*link)->settings && (!json_equal((*link)->settings, settings) || room_bytes > (*link)->room_bytes);
	(*link)->room_bytes = room_bytes;
	line_child_set_bytes_max((*link)->child, room_bytes);
	json_decref((*link)->settings);
	(*link)->settings = settings;
	if (is_other)
		line_child_replace((*link)->child, now_ns);
	else
		line_child_want((*link)->child, now_ns);
}

void web_link_detach(struct web_link *link)
{
	if (link)
		link->alert = NULL;
}

void web_link_close(struct web_link *link, uint64_t patience_ns)
{
	if (!link)
		return;
	link->alert = NULL;
	line_child_close(link->child, patience_ns);
	json_decref(link->settings);
	free(link);
}

int web_link_descriptor(const struct web_link *link)
{
	return link ? line_child_descriptor(link->child) : -1;
}

void web_link_step(struct web_link *link, uint64_t now_ns)
{
	if (link)
		line_child_step(link->child, now_ns);
}

uint64_t web_link_next_due(const struct web_link *link)
{
	return link ? line_child_next_due(link->child) : UINT64_MAX;
}

uint64_t web_link_changes(const struct web_link *link)
{
	return link ? link->changes : 0;
}

json_t *web_link_format(const struct web_link *link)
{
	if (!link)
		return NULL;
	uint32_t starts = line_child_starts(link->child);
	return json_pack("{s:I, s:I, s:s}", "pid", (json_int_t)line_child_pid(link->child), "restarts",
		(json_int_t)(starts ? starts - 1 : 0), "address", link->address);
}

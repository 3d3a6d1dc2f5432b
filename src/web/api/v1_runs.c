/* v1_runs.c: the runs that there were, as the run book has them, and what people say of them. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "web/api/routes.h"
#include "web/api/v1_book.h"

/* --- lists --- */

struct list_query {
	const char *words, *type, *flag;
	int quality;
	int64_t number_from, number_to, began_from_ns, began_to_ns, limit, page, before;
	bool open, deleted;
};

static const char *const quality_names[] = {"", "complete", "incomplete", "aborted"};
static const struct enrg_choice qualities[] = {{"complete", 1}, {"incomplete", 2}, {"aborted", 3}, {NULL, 0}};

#define LIST_AT(member) offsetof(struct list_query, member)
#define LIST_TEXT(member, text)                                                                                        \
	{                                                                                                              \
		.key = #member, .kind = ENRG_OPTION_STRING, .offset = LIST_AT(member), .help = text                    \
	}
#define LIST_NUMBER(member, otherwise, from, to, text)                                                                 \
	{                                                                                                              \
		.key = #member, .kind = ENRG_OPTION_INT, .offset = LIST_AT(member), .default_value = otherwise,        \
		.min = from, .max = to, .help = text                                                                   \
	}
#define LIST_BOOL(member, text)                                                                                        \
	{                                                                                                              \
		.key = #member, .kind = ENRG_OPTION_BOOL, .offset = LIST_AT(member), .default_value = "false",         \
		.help = text                                                                                           \
	}

static const struct enrg_option list_options[] = {
	LIST_TEXT(words, "All of these words, also as parts of words, in type, description, names or notes."),
	LIST_TEXT(type, "Runs of that type."),
	LIST_TEXT(flag, "Such as degraded, interrupted, tainted."),
	{.key = "quality",
		.kind = ENRG_OPTION_CHOICE,
		.offset = LIST_AT(quality),
		.choices = qualities,
		.help = "Of that quality."},
	LIST_NUMBER(number_from, "0", 0, 9e15, "The lowest number; 0: any."),
	LIST_NUMBER(number_to, "0", 0, 9e15, "The highest number; 0: any."),
	LIST_NUMBER(began_from_ns, "0", 0, 9e18, "Begun then or later, ns since 1970; 0: any."),
	LIST_NUMBER(began_to_ns, "0", 0, 9e18, "Begun then or before, ns since 1970; 0: any."),
	LIST_BOOL(open, "Those that have not ended alone."),
	LIST_BOOL(deleted, "Also those that were deleted."),
	LIST_NUMBER(limit, "50", 1, 500, "So many runs."),
	LIST_NUMBER(page, "1", 1, 10001, "The N-th so many, with at most 10,000 runs before it."),
	LIST_NUMBER(before, "0", 0, 9e18, "`next` of the answer before: how to read on; 0: from the newest."),
	{0},
};
static const struct enrg_table list_table = {.size = sizeof(struct list_query), .options = list_options};

static enum call_outcome list_runs(struct call *call)
{
	const struct list_query *query = call->query;
	json_t *question = json_pack("{s:s, s:s*, s:s*, s:s*, s:s, s:b, s:b}", "do", "list", "words", query->words,
		"type", query->type, "flag", query->flag, "quality", quality_names[query->quality], "open", query->open,
		"deleted", query->deleted);
	const struct {
		const char *key;
		int64_t value;
	} numbers[] = {{"number_from", query->number_from}, {"number_to", query->number_to},
		{"began_from_ns", query->began_from_ns}, {"began_to_ns", query->began_to_ns}, {"limit", query->limit},
		{"page", query->page}, {"before", query->before}};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		json_object_set_new(question, numbers[i].key, json_integer(numbers[i].value));
	return v1_answer_book(call, question, NULL);
}

/* --- one run --- */

static enum call_outcome show_run(struct call *call)
{
	return v1_answer_book(call, json_pack("{s:s, s:s}", "do", "run", "run", call->parts[0]), NULL);
}

/* The last word of the path is what the book calls it. */
static enum call_outcome show_part(struct call *call)
{
	const char *part = strrchr(call->route->path, '/') + 1;

	return v1_answer_book(
		call, json_pack("{s:s, s:s, s:s}", "do", "part", "run", call->parts[0], "part", part), NULL);
}

static enum call_outcome diff_runs(struct call *call)
{
	return v1_answer_book(
		call, json_pack("{s:s, s:s, s:s}", "do", "diff", "from", call->parts[0], "to", call->parts[1]), NULL);
}

/* How a browser calls what it saves: by the run as it was asked for, where that is a plain name. */
static void name_file(struct call *call, const char *ending)
{
	const char *run = call->parts[0];
	bool is_plain = strlen(run) < 100 &&
			strspn(run, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(run);

	call->response.headers[0].name = "Content-Disposition";
	snprintf(call->response.headers[0].value, sizeof(call->response.headers[0].value),
		"attachment; filename=\"run_%s%s\"", is_plain ? run : "", ending);
}

static enum call_outcome export_as(struct call *call, const char *format, const char *type, const char *ending)
{
	v1_answer_book(
		call, json_pack("{s:s, s:s, s:s}", "do", "export", "run", call->parts[0], "format", format), type);
	if (call->response.status == 200)
		name_file(call, ending);
	return CALL_ANSWERED;
}

static enum call_outcome export_json(struct call *call)
{
	return export_as(call, "json", "application/json", ".json");
}

static enum call_outcome export_crate(struct call *call)
{
	return export_as(call, "ro-crate", "application/ld+json", "-ro-crate-metadata.json");
}

static enum call_outcome export_csv(struct call *call)
{
	return export_as(call, "csv", "text/csv; charset=utf-8", ".csv");
}

/* --- what is said of a run --- */

struct note_body {
	const char *text, *replaces;
};

static const struct enrg_option note_options[] = {
	{.key = "text",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct note_body, text),
		.required = true,
		.help = "Plain text or Markdown; whoever shows it must not take it as HTML."},
	{.key = "replaces",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct note_body, replaces),
		.default_value = "\"\"",
		.help = "Id of the note that it takes the place of; that one is kept too."},
	{0},
};
static const struct enrg_table note_table = {.size = sizeof(struct note_body), .options = note_options};

struct flag_body {
	int flag;
	bool is_set;
	const char *reason;
};

static const char *const flag_names[] = {"", "tainted", "degraded", "interrupted"};
static const struct enrg_choice flags[] = {{"tainted", 1}, {"degraded", 2}, {"interrupted", 3}, {NULL, 0}};

static const struct enrg_option flag_options[] = {
	{.key = "flag",
		.kind = ENRG_OPTION_CHOICE,
		.offset = offsetof(struct flag_body, flag),
		.choices = flags,
		.default_value = "\"tainted\"",
		.help = "Which mark."},
	{.key = "is_set",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct flag_body, is_set),
		.default_value = "true",
		.help = "Whether the run has it from now on, or no more."},
	{.key = "reason",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct flag_body, reason),
		.default_value = "\"\"",
		.help = "Why, for the record."},
	{0},
};
static const struct enrg_table flag_table = {.size = sizeof(struct flag_body), .options = flag_options};

struct delete_body {
	bool is_deleted;
};

static const struct enrg_option delete_options[] = {
	{.key = "is_deleted",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct delete_body, is_deleted),
		.default_value = "true",
		.help = "Whether lists leave it out from now on, or no more."},
	{0},
};
static const struct enrg_table delete_table = {.size = sizeof(struct delete_body), .options = delete_options};

/* Of the run in the path, by its key in the book. Steals `fields`. */
static enum call_outcome say(struct call *call, const char *kind, json_t *fields)
{
	json_t *run = v1_read_book(call, json_pack("{s:s, s:s}", "do", "row", "run", call->parts[0]));

	if (!run) {
		json_decref(fields);
		return CALL_ANSWERED;
	}
	json_object_set(fields, "uuid", json_object_get(run, "uuid"));
	json_object_set_new(fields, "who", json_string(call->who.name));
	json_decref(run);
	return call_ask(call, "supervisor", kind, fields);
}

static enum call_outcome note_run(struct call *call)
{
	const struct note_body *body = call->body;

	return say(call, "run_note", json_pack("{s:s, s:s}", "text", body->text, "replaces", body->replaces));
}

static enum call_outcome flag_run(struct call *call)
{
	const struct flag_body *body = call->body;

	return say(call, "run_flag",
		json_pack("{s:s, s:b, s:s}", "flag", flag_names[body->flag], "is_set", body->is_set, "reason",
			body->reason));
}

static enum call_outcome delete_run(struct call *call)
{
	const struct delete_body *body = call->body;

	return say(call, "run_delete", json_pack("{s:b}", "is_deleted", body->is_deleted));
}

/* --- the table --- */

static const struct route_answer list_answers[] = {
	{200, "#RunList", "the newest first"}, {304, NULL, "it is what the client has (If-None-Match)"}, {0}};
static const struct route_answer run_answers[] = {
	{200, "#RunWhole", "all that the run book has of it; secrets are masked"}, V1_BOOK_ANSWERS, {0}};
static const struct route_answer account_answers[] = {
	{200, "#RunAccount", "of its end, or of the last report while it is on"}, V1_BOOK_ANSWERS, {0}};
static const struct route_answer diff_answers[] = {
	{200, "#RunDiff", "what is the same is left out"}, V1_BOOK_ANSWERS, {0}};
static const struct route_answer said_answers[] = {
	{200, "#Done", "it goes into the run book, where it stands within some seconds"}, ROUTE_COMMAND_ANSWERS, {0}};

#define LIST_OF(name, item)                                                                                            \
	"{\"type\":\"object\",\"properties\":{\"" name "\":{\"type\":\"array\",\"items\":{\"$ref\":"                   \
	"\"#/components/schemas/" item "\"}}},\"required\":[\"" name "\"]}"

static const struct route_answer file_answers[] = {
	{200, LIST_OF("files", "RunFile"), "each file that rows of the run went into"}, V1_BOOK_ANSWERS, {0}};
static const struct route_answer note_answers[] = {
	{200, LIST_OF("notes", "RunNote"), "with what was replaced"}, V1_BOOK_ANSWERS, {0}};
static const struct route_answer hook_answers[] = {
	{200, LIST_OF("hooks", "RunEntry"), "who was told of it, and what came of that"}, V1_BOOK_ANSWERS, {0}};
static const struct route_answer state_answers[] = {
	{200, LIST_OF("states", "RunEntry"), "the oldest first"}, V1_BOOK_ANSWERS, {0}};
static const struct route_answer alarm_answers[] = {
	{200, LIST_OF("alarms", "RunEntry"), "the oldest first"}, V1_BOOK_ANSWERS, {0}};
static const struct route_answer message_answers[] = {
	{200, LIST_OF("messages", "RunEntry"), "the oldest first"}, V1_BOOK_ANSWERS, {0}};
static const struct route_answer export_answers[] = {
	{200, "{\"type\":\"object\"}", "all that the run book has of it"}, V1_BOOK_ANSWERS, {0}};
static const struct route_answer csv_answers[] = {
	{200, "{\"type\":\"string\"}", "section, name, key, value: a line a fact"}, V1_BOOK_ANSWERS, {0}};

#define READ(name, where, what, list, function)                                                                        \
	.method = WEB_GET, .path = where, .least = ACCESS_VISITOR, .operation = name, .tag = "runs", .summary = what,  \
	.answers = list, .handle = function
#define SAY(name, where, role, what, table, function)                                                                  \
	.method = WEB_POST, .path = where, .least = role, .is_change = true, .operation = name, .tag = "runs",         \
	.summary = what, .body = &table, .answers = said_answers, .handle = function

const struct route v1_runs_routes[] = {
	{READ("listRuns", "/api/v1/runs", "Runs, the newest first", list_answers, list_runs), .query = &list_table},
	{READ("getRun", "/api/v1/runs/{run}", "All of a run: number, name, uuid or `last`", run_answers, show_run)},
	{READ("getRunAccount", "/api/v1/runs/{run}/account", "What was produced and stored, rates, dead time",
		account_answers, show_part)},
	{READ("getRunFiles", "/api/v1/runs/{run}/files", "Files of a run", file_answers, show_part)},
	{READ("getRunNotes", "/api/v1/runs/{run}/notes", "Notes to a run", note_answers, show_part)},
	{READ("getRunHooks", "/api/v1/runs/{run}/hooks", "Hooks that were called for a run", hook_answers, show_part)},
	{READ("getRunStates", "/api/v1/runs/{run}/states", "States of a run, with reasons", state_answers, show_part)},
	{READ("getRunAlarms", "/api/v1/runs/{run}/alarms", "Alarms during a run", alarm_answers, show_part)},
	{READ("getRunMessages", "/api/v1/runs/{run}/messages", "Messages sent at its start", message_answers,
		show_part)},
	{READ("diffRuns", "/api/v1/runs/{run}/diff/{other}", "What differs between two runs", diff_answers, diff_runs)},
	{READ("exportRunJson", "/api/v1/runs/{run}/export/json", "A run as JSON, to keep", export_answers,
		export_json)},
	{READ("exportRunCrate", "/api/v1/runs/{run}/export/ro-crate", "A run as RO-Crate 1.2", export_answers,
		 export_crate),
		.type = "application/ld+json"},
	{READ("exportRunCsv", "/api/v1/runs/{run}/export/csv", "A run as CSV", csv_answers, export_csv),
		.type = "text/csv; charset=utf-8"},
	{SAY("noteRun", "/api/v1/runs/{run}/notes", ACCESS_USER, "Puts a note to a run", note_table, note_run)},
	{SAY("flagRun", "/api/v1/runs/{run}/flags", ACCESS_USER, "Marks a run, or no more", flag_table, flag_run)},
	{SAY("deleteRun", "/api/v1/runs/{run}/delete", ACCESS_ADMIN,
		"Leaves a run out of lists, or no more; number, record and data stay", delete_table, delete_run)},
	{0},
};

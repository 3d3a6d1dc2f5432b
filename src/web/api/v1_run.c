/* v1_run.c: the run that is on: its state, and how one is begun and ended. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "web/api/routes.h"
#include "web/api/v1_book.h"

#define MASK "***"

struct start_body {
	const char *id, *type, *description, *comment, *same_as, *count_source, *expect;
	double stop_after_seconds;
	int64_t stop_after_events, stop_after_bytes, repeat, expect_number;
	struct enrg_string_list stop_when;
	struct {
		bool description, comment, stop_after_seconds, stop_after_events, stop_after_bytes, repeat;
	} has;
};

struct stop_body {
	const char *id, *reason, *expect;
	int64_t expect_number;
};

#define TEXT(of, member, text)                                                                                         \
	{                                                                                                              \
		.key = #member, .kind = ENRG_OPTION_STRING, .offset = offsetof(struct of, member),                     \
		.default_value = "\"\"", .help = text                                                                  \
	}
/* Without it the type says what counts: so it is not sent. */
#define OWN(member, which, otherwise, from, to, text)                                                                  \
	{                                                                                                              \
		.key = #member, .kind = which, .offset = offsetof(struct start_body, member),                          \
		.default_value = otherwise, .min = from, .max = to, .help = text,                                      \
		.present_offset = offsetof(struct start_body, has.member)                                              \
	}
#define EXPECT(of)                                                                                                     \
	TEXT(of, expect, "The state that is expected: in another one nothing is done (409). Empty: any."),             \
	{                                                                                                              \
		.key = "expect_number", .kind = ENRG_OPTION_INT, .offset = offsetof(struct of, expect_number),         \
		.default_value = "0", .min = 0, .max = 9e15,                                                           \
		.help = "The number of the run that is expected to be on; 0: any."                                     \
	}

static const struct enrg_option start_options[] = {
	TEXT(start_body, id,
		"Name of the run in files, of letters, digits, '.', '_' and '-'; empty: one is drawn. The same again "
		"is the same run, and is never begun twice."),
	TEXT(start_body, type, "As runs/types of the folder names them; empty: a run of no type."),
	{.key = "description",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct start_body, description),
		.default_value = "\"\"",
		.present_offset = offsetof(struct start_body, has.description),
		.help = "What the run is for, in one line."},
	{.key = "comment",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct start_body, comment),
		.default_value = "\"\"",
		.present_offset = offsetof(struct start_body, has.comment),
		.help = "What else is to be known; goes to the next run where the type says so, and empty ends that."},
	TEXT(start_body, same_as,
		"Number, name or uuid of an earlier run, or `last`: type, values, description and comment are its, as "
		"far as they are not given here."),
	OWN(stop_after_seconds, ENRG_OPTION_FLOAT, "0.0", 0, 31557600, "It ends so long after it was on everywhere."),
	OWN(stop_after_events, ENRG_OPTION_INT, "0", 0, 9e15, "It ends when so many rows were made in it."),
	OWN(stop_after_bytes, ENRG_OPTION_INT, "0", 0, 9e18, "It ends when so many bytes were made in it."),
	TEXT(start_body, count_source, "The job whose rows and bytes count for these; empty: all sources."),
	{.key = "stop_when",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = offsetof(struct start_body, stop_when),
		.default_value = "[]",
		.help = "It ends as soon as one of them is true: `JOB.STATISTIC OP VALUE [for SECONDS]`."},
	OWN(repeat, ENRG_OPTION_INT, "0", -1, 1e9, "So many runs follow by themselves; -1: until one is stopped."),
	EXPECT(start_body),
	{0},
};
static const struct enrg_table start_table = {.size = sizeof(struct start_body), .options = start_options};

static const struct enrg_option stop_options[] = {
	TEXT(stop_body, id, "The run that is meant, by its name; empty: the one that is on."),
	TEXT(stop_body, reason, "Why, for the record."),
	EXPECT(stop_body),
	{0},
};
static const struct enrg_table stop_table = {.size = sizeof(struct stop_body), .options = stop_options};

/* --- values --- */

/* Numbers and texts as they are, yes and no as texts, which is how the supervisor takes them. false: answered. */
static bool take_values(struct call *call, json_t *values)
{
	const json_t *given = json_object_get(call->json, "values");
	json_t *value;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)given, name, value)
	{
		if (json_is_boolean(value))
			json_object_set_new(values, name, json_string(json_is_true(value) ? "true" : "false"));
		else if (json_is_string(value) || json_is_number(value))
			json_object_set(values, name, value);
		else {
			call_refuse(call, 422, "values.%.100s: a text, a number, true or false was expected", name);
			return false;
		}
	}
	return true;
}

/* Those that were not given. A masked one is not known to the book: it has to be given again. */
static bool take_earlier_values(struct call *call, json_t *values, const json_t *earlier)
{
	json_t *value;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)earlier, name, value)
	{
		const char *text = json_string_value(value);
		if (json_object_get(values, name))
			continue;
		if (text && !strcmp(text, MASK)) {
			call_refuse(call, 422,
				"same_as: %.100s is a secret, which the record does not hold: give it again in "
				"`values`",
				name);
			return false;
		}
		if (json_is_boolean(value))
			json_object_set_new(values, name, json_string(json_is_true(value) ? "true" : "false"));
		else
			json_object_set(values, name, value);
	}
	return true;
}

/* --- same as --- */

/* false: answered. */
static bool take_same(struct call *call, const struct start_body *body, json_t *fields, json_t *values)
{
	static const char *const keys[] = {"type", "description", "comment"};
	bool is_fine = true;

	if (!*body->same_as)
		return true;
	json_t *same = v1_read_book(call, json_pack("{s:s, s:s}", "do", "same", "run", body->same_as));
	const char *type = json_string_value(json_object_get(same, "type"));
	if (!same)
		return false;
	/* values of another type would be those of other templates */
	if (!*body->type || (type && !strcmp(type, body->type)))
		is_fine = take_earlier_values(call, values, json_object_get(same, "values"));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!json_object_get(fields, keys[i]) && json_string_length(json_object_get(same, keys[i])))
			json_object_set(fields, keys[i], json_object_get(same, keys[i]));
	json_decref(same);
	return is_fine;
}

/* --- start and stop --- */

static json_t *list_of(const struct enrg_string_list *texts)
{
	json_t *list = json_array();

	for (size_t i = 0; i < texts->count; i++)
		json_array_append_new(list, json_string(texts->items[i]));
	return list;
}

static void set_text(json_t *fields, const char *key, const char *text, bool is_given)
{
	if (is_given)
		json_object_set_new(fields, key, json_string(text));
}

static void set_integer(json_t *fields, const char *key, int64_t value, bool is_given)
{
	if (is_given)
		json_object_set_new(fields, key, json_integer(value));
}

static json_t *make_fields(const struct start_body *body)
{
	json_t *fields = json_object();

	set_text(fields, "id", body->id, *body->id);
	set_text(fields, "type", body->type, *body->type);
	set_text(fields, "description", body->description, body->has.description);
	set_text(fields, "comment", body->comment, body->has.comment);
	set_text(fields, "count_source", body->count_source, *body->count_source);
	set_text(fields, "expect", body->expect, *body->expect);
	set_integer(fields, "expect_number", body->expect_number, body->expect_number);
	set_integer(fields, "stop_after_events", body->stop_after_events, body->has.stop_after_events);
	set_integer(fields, "stop_after_bytes", body->stop_after_bytes, body->has.stop_after_bytes);
	set_integer(fields, "repeat", body->repeat, body->has.repeat);
	if (body->has.stop_after_seconds)
		json_object_set_new(fields, "stop_after_seconds", json_real(body->stop_after_seconds));
	if (body->stop_when.count)
		json_object_set_new(fields, "stop_when", list_of(&body->stop_when));
	return fields;
}

static enum call_outcome start_or_configure(struct call *call, const char *kind)
{
	const struct start_body *body = call->body;
	json_t *fields = make_fields(body), *values = json_object();

	if (!take_values(call, values) || !take_same(call, body, fields, values)) {
		json_decref(values);
		json_decref(fields);
		return CALL_ANSWERED;
	}
	json_object_set_new(fields, "values", values);
	v1_add_person(call, fields);
	return call_ask(call, "supervisor", kind, fields);
}

static enum call_outcome start_run(struct call *call)
{
	return start_or_configure(call, "run_start");
}

static enum call_outcome configure_run(struct call *call)
{
	return start_or_configure(call, "run_configure");
}

static enum call_outcome stop_run(struct call *call)
{
	const struct stop_body *body = call->body;
	json_t *fields = json_pack("{s:s, s:s, s:s, s:I}", "id", body->id, "reason", body->reason, "expect",
		body->expect, "expect_number", (json_int_t)body->expect_number);

	v1_add_person(call, fields);
	return call_ask(call, "supervisor", "run_stop", fields);
}

static enum call_outcome show_state(struct call *call)
{
	const struct system_command command = {
		.to = "supervisor", .kind = "run_state", .who = &call->who, .timeout_ms = 10000};
	struct system_answer answer = {0};
	struct enrg_error err = {0};
	int rc = system_ask(call->web->system, &command, &answer, &err);

	if (rc || answer.code != ENRG_ANSWER_OK || !answer.fields)
		return call_command(call, rc, &answer, &err);
	return call_json(call, 200, answer.fields);
}

/* --- the table --- */

static const struct route_answer state_answers[] = {
	{200, "#RunState", "as `run_state` answers (docs/control-protocol.md)"}, ROUTE_COMMAND_ANSWERS, {0}};
static const struct route_answer start_answers[] = {
	{200, "#Done", "it is on, in all sources; `fields` is the state"}, ROUTE_COMMAND_ANSWERS, {0}};
static const struct route_answer configure_answers[] = {
	{200, "#Done", "its jobs are there and it rests; a start without a type goes on"}, ROUTE_COMMAND_ANSWERS, {0}};
static const struct route_answer stop_answers[] = {
	{200, "#Done", "its end stands in all streams, or none was on; `fields` is the state"}, ROUTE_COMMAND_ANSWERS,
	{0}};

#define CHANGE(name, where, what, table, list, function)                                                               \
	.method = WEB_POST, .path = where, .least = ACCESS_USER, .is_change = true, .operation = name, .tag = "run",   \
	.summary = what, .body = &table, .answers = list, .handle = function

const struct route v1_run_routes[] = {
	{.method = WEB_GET,
		.path = "/api/v1/run",
		.least = ACCESS_VISITOR,
		.operation = "getRunState",
		.tag = "run",
		.summary = "Which run is on, and what it waits for",
		.answers = state_answers,
		.handle = show_state},
	{CHANGE("startRun", "/api/v1/run/start", "Begins a run, and answers when it is on", start_table, start_answers,
		 start_run),
		.any = "values"},
	{CHANGE("configureRun", "/api/v1/run/configure", "The same up to the jobs that come for it, and rests there",
		 start_table, configure_answers, configure_run),
		.any = "values"},
	{CHANGE("stopRun", "/api/v1/run/stop", "Ends the run that is on", stop_table, stop_answers, stop_run)},
	{0},
};

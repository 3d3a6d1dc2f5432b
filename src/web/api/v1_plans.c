/* v1_plans.c: types, templates and sequences of runs that the folder declares; sequences begun, ended and resumed. */
#include <stddef.h>
#include <string.h>

#include "web/api/routes.h"
#include "web/api/v1_book.h"

/* --- what the folder declares --- */

static enum call_outcome answer_plans(struct call *call, const char *kind)
{
	const char *name = call->parts[0] ? call->parts[0] : "";
	const struct system_command command = {.to = "supervisor",
		.kind = "run_plans",
		.fields = json_pack("{s:s, s:s}", "kind", kind, "name", name),
		.who = &call->who,
		.timeout_ms = 10000};
	struct system_answer answer = {0};
	struct enrg_error err = {0};
	int rc = system_ask(call->web->system, &command, &answer, &err);

	if (rc || (answer.code != ENRG_ANSWER_OK && answer.code != ENRG_ANSWER_REFUSED))
		return call_command(call, rc, &answer, &err);
	if (answer.code == ENRG_ANSWER_OK && answer.fields)
		return call_json(call, 200, answer.fields);
	json_decref(answer.fields);
	return call_refuse(
		call, 404, "the folder declares nothing of that name: runs/%s/%.100s.toml would", kind, name);
}

static enum call_outcome get_types(struct call *call)
{
	return answer_plans(call, "types");
}

static enum call_outcome get_templates(struct call *call)
{
	return answer_plans(call, "templates");
}

static enum call_outcome get_declared(struct call *call)
{
	return answer_plans(call, "sequences");
}

/* Of the newest run of that type: a form begins with them. */
static enum call_outcome get_last(struct call *call)
{
	return v1_answer_book(call, json_pack("{s:s, s:s}", "do", "same", "type", call->parts[0]), NULL);
}

/* --- sequences --- */

static enum call_outcome list_sequences(struct call *call)
{
	return v1_answer_book(call, json_pack("{s:s}", "do", "sequences"), NULL);
}

static enum call_outcome show_sequence(struct call *call)
{
	return v1_answer_book(call, json_pack("{s:s, s:s}", "do", "sequence", "name", call->parts[0]), NULL);
}

struct sequence_body {
	const char *reason;
};

static const struct enrg_option sequence_options[] = {
	{.key = "reason",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct sequence_body, reason),
		.default_value = "\"\"",
		.help = "Why, for the record."},
	{0},
};
static const struct enrg_table sequence_table = {.size = sizeof(struct sequence_body), .options = sequence_options};

static enum call_outcome change_sequence(struct call *call, const char *kind)
{
	const struct sequence_body *body = call->body;
	json_t *fields = json_pack("{s:s, s:s}", "name", call->parts[0], "reason", body->reason);

	v1_add_person(call, fields);
	return call_ask(call, "supervisor", kind, fields);
}

static enum call_outcome start_sequence(struct call *call)
{
	return change_sequence(call, "sequence_start");
}

static enum call_outcome stop_sequence(struct call *call)
{
	return change_sequence(call, "sequence_stop");
}

static enum call_outcome resume_sequence(struct call *call)
{
	return change_sequence(call, "sequence_resume");
}

/* --- the table --- */

#define LIST_OF(name, item)                                                                                            \
	"{\"type\":\"object\",\"properties\":{\"" name "\":{\"type\":\"array\",\"items\":{\"$ref\":"                   \
	"\"#/components/schemas/" item "\"}}},\"required\":[\"" name "\"]}"

static const struct route_answer types_answers[] = {
	{200, LIST_OF("types", "Plan"), "a line of each"}, ROUTE_COMMAND_ANSWERS, {0}};
static const struct route_answer templates_answers[] = {
	{200, LIST_OF("templates", "Plan"), "a line of each"}, ROUTE_COMMAND_ANSWERS, {0}};
static const struct route_answer declared_answers[] = {
	{200, LIST_OF("sequences", "Plan"), "a line of each"}, ROUTE_COMMAND_ANSWERS, {0}};
static const struct route_answer plan_answers[] = {
	{200, "#Plan", "all of it, with parameters and what may run programs"}, ROUTE_COMMAND_ANSWERS, {0}};
static const struct route_answer last_answers[] = {
	{200, "#RunSame", "values of secrets are masked: they have to be given again"}, V1_BOOK_ANSWERS, {0}};
static const struct route_answer sequences_answers[] = {
	{200, LIST_OF("sequences", "Sequence"), "those that were started, and how far they are"}, V1_BOOK_ANSWERS, {0}};
static const struct route_answer sequence_answers[] = {{200, "#Sequence", "with its runs"}, V1_BOOK_ANSWERS, {0}};
static const struct route_answer asked_answers[] = {
	{200, "#Done", "the run book was asked, which drives it: it stands there within some seconds"},
	ROUTE_COMMAND_ANSWERS, {0}};

#define READ(name, where, what, list, function)                                                                        \
	{                                                                                                              \
		.method = WEB_GET, .path = where, .least = ACCESS_VISITOR, .operation = name, .tag = "plans",          \
		.summary = what, .answers = list, .handle = function                                                   \
	}
#define CHANGE(name, where, what, function)                                                                            \
	{                                                                                                              \
		.method = WEB_POST, .path = where, .least = ACCESS_USER, .is_change = true, .operation = name,         \
		.tag = "plans", .summary = what, .body = &sequence_table, .answers = asked_answers, .handle = function \
	}

const struct route v1_plans_routes[] = {
	READ("listRunTypes", "/api/v1/plans/types", "Types of runs", types_answers, get_types),
	READ("getRunType", "/api/v1/plans/types/{name}", "A type, with its parameters", plan_answers, get_types),
	READ("getLastOfType", "/api/v1/plans/types/{name}/last", "What the newest run of a type was begun with",
		last_answers, get_last),
	READ("listRunTemplates", "/api/v1/plans/templates", "Templates of runs", templates_answers, get_templates),
	READ("getRunTemplate", "/api/v1/plans/templates/{name}", "A template, with its parameters", plan_answers,
		get_templates),
	READ("listRunSequences", "/api/v1/plans/sequences", "Sequences that the folder declares", declared_answers,
		get_declared),
	READ("getRunSequence", "/api/v1/plans/sequences/{name}", "A sequence, with its first 100 steps", plan_answers,
		get_declared),
	READ("listSequences", "/api/v1/sequences", "Sequences that were started", sequences_answers, list_sequences),
	READ("getSequence", "/api/v1/sequences/{name}", "How far a sequence is", sequence_answers, show_sequence),
	CHANGE("startSequence", "/api/v1/sequences/{name}/start",
		"Begins with the first step; what is wrong with any is named first", start_sequence),
	CHANGE("stopSequence", "/api/v1/sequences/{name}/stop", "Ends it, and the run that is on", stop_sequence),
	CHANGE("resumeSequence", "/api/v1/sequences/{name}/resume",
		"Goes on at the step where it was stopped or failed", resume_sequence),
	{0},
};

/* runs_commands.c: `run_start`, `run_configure`, `run_stop`, `run_state`. Process: supervisor, main thread. */
#include "supervisor/runs_state.h"

#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "base/text.h"
#include "supervisor/run_end.h"

struct start_body {
	int64_t number;
	const char *id, *expect;
	int64_t expect_number;
	struct run_terms terms;
};

struct stop_body {
	const char *id, *expect;
	int64_t expect_number;
	const char *reason;
	const char *who, *role, *address;
};

#define ID_OPTION(type, text)                                                                                          \
	{                                                                                                              \
		.key = "id", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct type, id), .default_value = "\"\"", \
		.help = text                                                                                           \
	}
#define EXPECT_OPTIONS(type)                                                                                           \
	{.key = "expect",                                                                                              \
		.kind = ENRG_OPTION_STRING,                                                                            \
		.offset = offsetof(struct type, expect),                                                               \
		.default_value = "\"\"",                                                                               \
		.help = "The state that is expected: in another one nothing is done. Without it in any."},             \
	{                                                                                                              \
		.key = "expect_number", .kind = ENRG_OPTION_INT, .offset = offsetof(struct type, expect_number),       \
		.default_value = "0", .min = 0, .max = 9e15,                                                           \
		.help = "The number of the run that is expected to be on; 0: any."                                     \
	}
#define TEXT_OPTION(type, name, text)                                                                                  \
	{                                                                                                              \
		.key = #name, .kind = ENRG_OPTION_STRING, .offset = offsetof(struct type, name),                       \
		.default_value = "\"\"", .help = text                                                                  \
	}

static const struct enrg_option start_options[] = {
	{.key = "number",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct start_body, number),
		.default_value = "0",
		.min = 0,
		.max = 9e15,
		.help = "Number of the run; 0: the next one."},
	ID_OPTION(start_body,
		"Name of the run in files, of letters, digits, '.', '_' and '-'; without it one is drawn. "
		"The same once more is the same run."),
	EXPECT_OPTIONS(start_body),
	{.key = "terms",
		.kind = ENRG_OPTION_INCLUDE,
		.offset = offsetof(struct start_body, terms),
		.table = &run_terms_table},
	{0},
};

static const struct enrg_option stop_options[] = {
	ID_OPTION(stop_body, "The run that is meant; without it the one that is on."),
	EXPECT_OPTIONS(stop_body),
	TEXT_OPTION(stop_body, reason, "Why, for the record."),
	TEXT_OPTION(stop_body, who, "For whom the asking program asks; without it the user that it runs as."),
	TEXT_OPTION(stop_body, role, "The role of that person."),
	TEXT_OPTION(stop_body, address, "Where that person sits."),
	{0},
};

static enum command_outcome refuse(const struct runs *runs, struct command_answer *answer, const char *text)
{
	command_answer_set(answer, COMMAND_REFUSED, "%s", text);
	answer->fields = runs_format(runs);
	return COMMAND_ANSWERED;
}

static enum command_outcome agree(const struct runs *runs, struct command_answer *answer, const char *text)
{
	command_answer_set(answer, COMMAND_OK, "%s", text);
	answer->fields = runs_format(runs);
	return COMMAND_ANSWERED;
}

static enum command_outcome answer_later(struct runs *runs, const struct command *command, enum runs_state asked)
{
	/* One asker at a time; whoever asked before learns what is known now. */
	runs_answer(runs, COMMAND_UNKNOWN, "somebody else has asked meanwhile: read the state");
	memcpy(runs->asker, command->id, sizeof(runs->asker));
	runs->has_asker = true;
	runs->asked = asked;
	return COMMAND_LATER;
}

static bool is_id(const char *id)
{
	return strlen(id) <= 40 && id[0] != '.' &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(id);
}

static bool has_ended(const struct runs *runs, const char *id)
{
	if (*id && !strcmp(runs->last_id, id))
		return true;
	for (uint32_t i = 0; *id && i < RUNS_CLOSING; i++)
		if (runs->closing[i] && !strcmp(runs->closing[i]->id, id))
			return true;
	return *id && run_end_has_account(runs->roster, id);
}

/* --- what is asked for ----------------------------------------------------------------------------------------------
 */

static void format_by(const struct command *command, const char *who, const char *address, char ret_by[RUN_BY_BYTES])
{
	char user[64];

	path_format_user(command->sender.user, user, sizeof(user));
	snprintf(ret_by, RUN_BY_BYTES, "%.100s%s%.60s%s%s%.100s%s", *who ? who : user, *address ? " at " : "", address,
		command->sender.name[0] ? " (" : "", "", command->sender.name, command->sender.name[0] ? ")" : "");
	text_make_safe(ret_by, strlen(ret_by));
}

/* false: it is another one, and `answer` says which. */
static bool is_expected(
	const struct runs *runs, const char *expect, int64_t expect_number, struct command_answer *answer)
{
	uint64_t number = runs->account ? runs->account->number : 0;
	const char *state = runs_state_name(runs->state);
	char text[300];

	if (*expect && strcmp(expect, state) != 0)
		snprintf(
			text, sizeof(text), "the state is %s, and %.40s was expected: nothing was done", state, expect);
	else if (expect_number && (uint64_t)expect_number != number)
		snprintf(text, sizeof(text), "%s%llu is on, and run %lld was expected: nothing was done",
			number ? "run " : "no run, number ", (unsigned long long)number, (long long)expect_number);
	else
		return true;
	refuse(runs, answer, text);
	return false;
}

/* The fields that are about the run itself. */
static json_t *copy_terms(const struct command *command)
{
	json_t *asked = command->body ? json_deep_copy(command->body) : json_object();

	json_object_del(asked, "id");
	json_object_del(asked, "number");
	json_object_del(asked, "expect");
	json_object_del(asked, "expect_number");
	return asked;
}

static void refuse_problems(const struct runs *runs, json_t *problems, struct command_answer *answer)
{
	size_t count = json_array_size(problems), used;
	char text[900];

	used = (size_t)snprintf(text, sizeof(text), "no run was begun, and no number was taken: ");
	for (size_t i = 0; i < count && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? "; " : "",
			json_string_value(json_array_get(problems, i)));
	text_make_safe(text, strlen(text));
	refuse(runs, answer, text);
	json_object_set(answer->fields, "problems", problems);
}

/* All that is wrong with what is asked for; `asked` gets what its type adds. */
static bool is_right(const struct runs *runs, json_t *asked, struct command_answer *answer)
{
	const struct run_terms_coming coming = {runs->hooks.brings, runs->hooks.context};
	struct run_facts facts = {.asked = NULL};
	json_t *problems = json_array();
	struct enrg_error err = {0};

	if (runs->hooks.check)
		runs->hooks.check(runs->hooks.context, asked, problems);
	if (run_facts_set(&facts, json_incref(asked), &err))
		json_array_append_new(problems, json_string(err.text));
	else
		run_terms_check(facts.terms, runs->roster, &coming, problems, NULL, NULL);
	run_facts_fini(&facts);
	bool is_right = !json_array_size(problems);
	if (!is_right)
		refuse_problems(runs, problems, answer);
	json_decref(problems);
	return is_right;
}

/* --- starting ------------------------------------------------------------------------------------------------------
 */

/* A run that is there already: true where that is the answer. */
static bool is_there(struct runs *runs, const struct command *command, const struct start_body *wanted,
	enum runs_state goal, struct command_answer *answer, enum command_outcome *ret_outcome)
{
	bool is_same = runs->account && *wanted->id && !strcmp(runs->account->id, wanted->id);
	bool is_on = runs->state == RUNS_ON || runs->state == RUNS_ERROR;

	if (is_same && is_on) {
		*ret_outcome = agree(runs, answer, "the run is on");
	} else if (is_same && runs->state == RUNS_CONFIGURED && goal == RUNS_CONFIGURED) {
		*ret_outcome = agree(runs, answer, "the run is configured");
	} else if (is_same && (runs->state == RUNS_STARTING || runs->state == RUNS_CONFIGURING)) {
		if (goal == RUNS_ON)
			runs->goal = RUNS_ON;
		*ret_outcome = answer_later(runs, command, runs->goal);
	} else {
		return false;
	}
	return true;
}

/* One that was configured is started. */
static enum command_outcome go_on(struct runs *runs, const struct command *command, const struct start_body *wanted)
{
	char by[RUN_BY_BYTES];

	format_by(command, wanted->terms.who, wanted->terms.address, by);
	runs->goal = RUNS_ON;
	runs_enter(runs, RUNS_STARTING, by, "it was asked for");
	runs_save_or_tell(runs);
	return answer_later(runs, command, RUNS_ON);
}

static enum command_outcome refuse_busy(const struct runs *runs, struct command_answer *answer)
{
	char text[300];

	snprintf(text, sizeof(text), "run %llu (%s) is %s", (unsigned long long)runs->account->number,
		runs->account->id, runs_state_name(runs->state));
	return refuse(runs, answer, text);
}

static enum command_outcome begin(struct runs *runs, const struct command *command, const struct start_body *body,
	enum runs_state goal, struct command_answer *answer)
{
	struct runs_wanted wanted = {
		.asked = copy_terms(command), .id = body->id, .number = (uint64_t)body->number, .goal = goal};
	struct enrg_error err = {0};
	char by[RUN_BY_BYTES];

	if (!is_right(runs, wanted.asked, answer)) {
		json_decref(wanted.asked);
		return COMMAND_ANSWERED;
	}
	format_by(command, body->terms.who, body->terms.address, by);
	wanted.by = by;
	wanted.reason = "it was asked for";
	if (runs_begin(runs, &wanted, &err) < 0)
		return refuse(runs, answer, err.text);
	return answer_later(runs, command, goal);
}

static enum command_outcome start(struct runs *runs, const struct command *command, const struct start_body *wanted,
	enum runs_state goal, struct command_answer *answer)
{
	enum command_outcome outcome;
	char text[200];

	if (!is_id(wanted->id))
		return refuse(runs, answer, "id: at most 40 letters, digits, '.', '_' and '-' are allowed");
	if (is_there(runs, command, wanted, goal, answer, &outcome))
		return outcome;
	if (!is_expected(runs, wanted->expect, wanted->expect_number, answer))
		return COMMAND_ANSWERED;
	if (runs->is_draining || runs->roster->is_stopping)
		return refuse(runs, answer, "the supervisor stops");
	bool is_other = runs->account && *wanted->id && strcmp(runs->account->id, wanted->id) != 0;
	if (runs->state == RUNS_CONFIGURED && goal == RUNS_ON && !is_other)
		return go_on(runs, command, wanted);
	if (runs->state != RUNS_IDLE)
		return refuse_busy(runs, answer);
	if (has_ended(runs, wanted->id))
		return refuse(runs, answer, "that run has ended");
	if (wanted->number && (uint64_t)wanted->number <= runs->last_number) {
		snprintf(text, sizeof(text), "number %lld was given already: the last one is %llu",
			(long long)wanted->number, (unsigned long long)runs->last_number);
		return refuse(runs, answer, text);
	}
	return begin(runs, command, wanted, goal, answer);
}

static enum command_outcome handle_start(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	return start(context, command, body, RUNS_ON, answer);
}

static enum command_outcome handle_configure(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	return start(context, command, body, RUNS_CONFIGURED, answer);
}

/* --- stopping ------------------------------------------------------------------------------------------------------
 */

static void begin_stop(struct runs *runs, const struct command *command, const struct stop_body *wanted)
{
	char by[RUN_BY_BYTES], reason[400];

	format_by(command, wanted->who, wanted->address, by);
	text_copy(reason, sizeof(reason), *wanted->reason ? wanted->reason : "it was stopped by command");
	json_decref(runs->next);
	runs->next = NULL;
	if (runs->account->was_on) {
		runs_begin_stopping(runs, by, reason);
		return;
	}
	runs_abort(runs, by, *wanted->reason ? reason : "stopped before it was on");
	runs_answer(runs, COMMAND_FAILED, "it was stopped while it began");
}

static enum command_outcome handle_stop(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct stop_body *wanted = body;
	struct runs *runs = context;
	char text[300];

	if (has_ended(runs, wanted->id))
		return agree(runs, answer, "the run has ended");
	if (!is_expected(runs, wanted->expect, wanted->expect_number, answer))
		return COMMAND_ANSWERED;
	if (runs->state == RUNS_IDLE && *wanted->id) {
		snprintf(text, sizeof(text), "no run is on, and none is known as %.40s", wanted->id);
		return refuse(runs, answer, text);
	}
	if (runs->state == RUNS_IDLE)
		return agree(runs, answer, "no run is on");
	if (*wanted->id && strcmp(runs->account->id, wanted->id) != 0) {
		snprintf(text, sizeof(text), "another run is %s: %s", runs_state_name(runs->state), runs->account->id);
		return refuse(runs, answer, text);
	}
	if (runs->state != RUNS_STOPPING)
		begin_stop(runs, command, wanted);
	return answer_later(runs, command, RUNS_IDLE);
}

/* --- looking -------------------------------------------------------------------------------------------------------
 */

static enum command_outcome handle_state(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	(void)command;
	(void)body;
	answer->fields = runs_format(context);
	return COMMAND_ANSWERED;
}

static const struct enrg_option no_options[] = {{0}};

static const struct command_kind kinds[] = {
	{.kind = "run_start",
		.summary = "begins a run",
		.body = {.size = sizeof(struct start_body), .options = start_options},
		.handle = handle_start},
	{.kind = "run_configure",
		.summary = "does all of a start up to the jobs that come for the run, and rests",
		.body = {.size = sizeof(struct start_body), .options = start_options},
		.handle = handle_configure},
	{.kind = "run_stop",
		.summary = "ends the run that is on",
		.body = {.size = sizeof(struct stop_body), .options = stop_options},
		.handle = handle_stop},
	{0},
};

/* Also where there is no run control. */
static const struct command_kind state_kinds[] = {
	{.kind = "run_state",
		.summary = "answers which run is on",
		.body = {.size = 1, .options = no_options},
		.is_silent = true,
		.handle = handle_state},
	{0},
};

int runs_add_commands(struct runs *runs)
{
	int rc = runs->is_on ? commands_add(runs->commands, kinds, runs) : 0;

	if (!runs->is_on && !runs->book)
		return 0;
	if (!rc)
		rc = commands_add(runs->commands, state_kinds, runs);
	return rc ? rc : runs_add_notes(runs);
}

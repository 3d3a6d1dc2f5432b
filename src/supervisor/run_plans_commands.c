/* run_plans_commands.c: see the header. Process: supervisor, main thread. */
#include "supervisor/run_plans_commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/path.h"
#include "base/text.h"
#include "config/run_judge.h"
#include "config/run_steps.h"
#include "supervisor/run_plans_format.h"

#define PROBLEMS_MAX 50u /* that an answer names */

struct plans_body {
	const char *kind, *name;
};

struct sequence_body {
	const char *name, *reason, *who, *role, *address;
};

#define TEXT(type, member, text)                                                                                       \
	{                                                                                                              \
		.key = #member, .kind = ENRG_OPTION_STRING, .offset = offsetof(struct type, member),                   \
		.default_value = "\"\"", .help = text                                                                  \
	}

static const struct enrg_option plans_options[] = {
	TEXT(plans_body, kind, "types, templates or sequences."),
	TEXT(plans_body, name, "All of one; without it a line of each."),
	{0},
};

static const struct enrg_option sequence_options[] = {
	{.key = "name",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct sequence_body, name),
		.required = true,
		.help = "The sequence, a file of runs/sequences."},
	TEXT(sequence_body, reason, "Why, for the record."),
	TEXT(sequence_body, who, "For whom the asking program asks; without it the user that it runs as."),
	TEXT(sequence_body, role, "The role of that person."),
	TEXT(sequence_body, address, "Where that person sits."),
	{0},
};

static const struct folder *folder_of(const struct run_plans_commands *self)
{
	return *self->reconfigure->folder;
}

/* --- what there is ------------------------------------------------------------------------------------------------ */

static enum command_outcome handle_plans(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct run_plans_commands *self = context;
	const struct plans_body *wanted = body;

	(void)command;
	answer->fields = run_plans_format(folder_of(self)->plans, wanted->kind, wanted->name);
	if (!answer->fields)
		command_answer_set(answer, COMMAND_REFUSED,
			*wanted->name ? "there is no %.60s \"%.100s\" in runs/ of the folder"
				      : "kind: types, templates or sequences was expected, found \"%.60s%.0s\"",
			wanted->kind, wanted->name);
	return COMMAND_ANSWERED;
}

/* --- sequences ---------------------------------------------------------------------------------------------------- */

static enum command_outcome refuse_problems(const struct problems *problems, struct command_answer *answer)
{
	const struct problem *first = NULL;
	json_t *list = json_array();

	for (size_t i = 0; i < problems->count && json_array_size(list) < PROBLEMS_MAX; i++) {
		const struct problem *problem = &problems->items[i];
		char text[1200];
		if (problem->is_warning)
			continue;
		first = first ? first : problem;
		snprintf(text, sizeof(text), "%.300s:%d: %.800s", problem->file, problem->line, problem->text);
		text_make_safe(text, strlen(text));
		json_array_append_new(list, json_string(text));
	}
	answer->fields = json_pack("{s:o}", "problems", list);
	command_answer_set(answer, COMMAND_REFUSED, "the sequence was not begun: %zu problem(s): %.200s:%d: %.600s",
		problems->errors, first ? first->file : "", first ? first->line : 0, first ? first->text : "");
	return COMMAND_ANSWERED;
}

static bool has_end(const struct run_ends *ends)
{
	return ends->stop_after_seconds > 0.0 || ends->stop_after_events || ends->stop_after_bytes ||
	       ends->stop_when.count;
}

/* Each step as `run_start` would take it. */
static void check_steps(const struct run_plans_commands *self, const struct run_sequence *sequence,
	const struct run_steps *steps, struct problems *problems)
{
	const struct folder *folder = folder_of(self);
	const struct run_type *type = run_plans_find_type(folder->plans, sequence->options.type);

	for (size_t i = 0; i < steps->count && problems->errors < PROBLEMS_MAX; i++) {
		const struct run_setup_wanted wanted = {
			.type = type, .values = steps->items[i].values, .is_aligned = true};
		struct run_setup *setup = NULL;
		if (!has_end(&steps->items[i].ends) && !has_end(&type->options.ends))
			problems_add(problems, false, sequence->file, 0,
				"step %zu has no end: stop_after_seconds, stop_after_events, stop_after_bytes or "
				"stop_when was expected, of the step, the sequence or its type",
				i + 1);
		if (!run_setup_make(folder->plans, &wanted, &setup, problems, NULL) && !i && !problems->errors)
			run_judge_setup(folder, self->reconfigure->types, setup, problems);
		run_setup_free(setup);
	}
}

static json_t *format_start(
	const struct run_sequence *sequence, const struct run_steps *steps, const struct sequence_body *wanted)
{
	uint32_t start = 0;
	char text[16];
	json_t *list = json_array();

	if (getrandom(&start, sizeof(start), 0) != sizeof(start))
		start = (uint32_t)steps->count;
	snprintf(text, sizeof(text), "%08x", start);
	for (size_t i = 0; i < steps->count; i++)
		json_array_append_new(list, run_steps_format(&steps->items[i]));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "do", "start", "name", sequence->name,
		"start", text, "type", sequence->options.type, "title",
		sequence->options.title ? sequence->options.title : sequence->name, "who", wanted->who, "role",
		wanted->role, "address", wanted->address, "steps", list);
}

static void format_sender(const struct command *command, const struct sequence_body *wanted, char ret_who[200])
{
	if (*wanted->who)
		text_copy(ret_who, 200, wanted->who);
	else
		path_format_user(command->sender.user, ret_who, 200);
}

static enum command_outcome handle_start(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct run_plans_commands *self = context;
	const struct sequence_body *wanted = body;
	const struct run_sequence *sequence = run_plans_find_sequence(folder_of(self)->plans, wanted->name);
	struct run_steps *steps = NULL;
	enum command_outcome outcome = COMMAND_ANSWERED;
	struct problems problems;
	char who[200];

	if (!sequence) {
		command_answer_set(answer, COMMAND_REFUSED,
			"there is no sequence \"%.100s\": runs/sequences/%.100s.toml was expected", wanted->name,
			wanted->name);
		return COMMAND_ANSWERED;
	}
	problems_init(&problems);
	int rc = run_steps_make(folder_of(self)->plans, sequence, &steps, &problems, NULL);
	if (!rc)
		check_steps(self, sequence, steps, &problems);
	if (!rc && !problems.errors) {
		json_t *entry = format_start(sequence, steps, wanted);
		answer->fields = json_pack(
			"{s:O, s:I}", "start", json_object_get(entry, "start"), "steps", (json_int_t)steps->count);
		command_answer_set(answer, COMMAND_OK, "%zu runs are asked of the run book", steps->count);
		format_sender(command, wanted, who);
		book_put(self->book, "sequence", "", who, entry);
	} else {
		outcome = refuse_problems(&problems, answer);
	}
	run_steps_free(steps);
	problems_fini(&problems);
	return outcome;
}

static enum command_outcome put(const struct run_plans_commands *self, const struct command *command,
	const struct sequence_body *wanted, const char *verb, struct command_answer *answer)
{
	char who[200];

	format_sender(command, wanted, who);
	book_put(self->book, "sequence", "", who,
		json_pack("{s:s, s:s, s:s}", "do", verb, "name", wanted->name, "reason", wanted->reason));
	command_answer_set(answer, COMMAND_OK, "the run book is asked to %s the sequence %.100s", verb, wanted->name);
	return COMMAND_ANSWERED;
}

static enum command_outcome handle_stop(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	return put(context, command, body, "stop", answer);
}

static enum command_outcome handle_resume(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	return put(context, command, body, "resume", answer);
}

/* Nobody would drive it. */
static enum command_outcome refuse_bookless(struct command_answer *answer)
{
	command_answer_set(answer, COMMAND_REFUSED,
		"there is no run book (runs.database, and the program enrgdaq-runs), which drives sequences: nothing "
		"was "
		"done");
	return COMMAND_ANSWERED;
}

#define WITH_BOOK(name)                                                                                                \
	static enum command_outcome name##_with_book(                                                                  \
		void *context, const struct command *command, const void *body, struct command_answer *answer)         \
	{                                                                                                              \
		const struct run_plans_commands *self = context;                                                       \
		return self->book->is_on ? name(context, command, body, answer) : refuse_bookless(answer);             \
	}

WITH_BOOK(handle_start)
WITH_BOOK(handle_stop)
WITH_BOOK(handle_resume)

#define KIND(name, text, handler)                                                                                      \
	{                                                                                                              \
		.kind = name, .summary = text,                                                                         \
		.body = {.size = sizeof(struct sequence_body), .options = sequence_options}, .handle = handler         \
	}

static const struct command_kind kinds[] = {
	{.kind = "run_plans",
		.summary = "answers which types, templates and sequences of runs there are",
		.body = {.size = sizeof(struct plans_body), .options = plans_options},
		.is_silent = true,
		.handle = handle_plans},
	KIND("sequence_start", "begins a sequence of runs", handle_start_with_book),
	KIND("sequence_stop", "ends a sequence, and its run", handle_stop_with_book),
	KIND("sequence_resume", "goes on with a sequence that was stopped, at the step where it was",
		handle_resume_with_book),
	{0},
};

int run_plans_add_commands(struct run_plans_commands *context, struct commands *commands)
{
	return commands_add(commands, kinds, context);
}

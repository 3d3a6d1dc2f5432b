/* job_commands.c: a wish for each job that is named; who does not wait is answered when it is under way. */
#include "supervisor/job_commands.h"

#include <string.h>

static const uint8_t nobody[COMMAND_ID_BYTES];

struct name_body {
	const char *name;
	bool wait;
};

struct names_body {
	struct enrg_string_list names;
};

#define NAME_OPTION                                                                                                    \
	{                                                                                                              \
		.key = "name", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct name_body, name),                 \
		.required = true, .help = "the job"                                                                    \
	}

static const struct enrg_option name_options[] = {NAME_OPTION, {0}};

static const struct enrg_option wait_options[] = {
	NAME_OPTION,
	{.key = "wait",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct name_body, wait),
		.default_value = "true",
		.help = "false: it is answered when it is under way"},
	{0},
};

static const struct enrg_option names_options[] = {
	{.key = "names",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = offsetof(struct names_body, names),
		.help = "the jobs; without them all that run"},
	{0},
};

static const struct enrg_option no_options[] = {{0}};

static struct member *find_free(struct reconfigure *self, const char *name, struct command_answer *answer)
{
	struct member *member = roster_find(self->transition->roster, name);

	if (!member)
		reconfigure_refuse_name(self, name, answer);
	else if (member->wish)
		command_answer_set(answer, COMMAND_REFUSED, "another command for %.200s is under way", name);
	return member && !member->wish ? member : NULL;
}

static enum command_outcome wish(struct reconfigure *self, const struct command *command, const struct name_body *body,
	enum member_wish wish, struct command_answer *answer)
{
	struct member *member = find_free(self, body->name, answer);

	if (!member)
		return COMMAND_ANSWERED;
	transition_wish(self->transition, member, wish, body->wait ? command->id : nobody, self->now_ns(self->context));
	return body->wait ? COMMAND_LATER : COMMAND_ANSWERED;
}

static enum command_outcome stop(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	struct reconfigure *self = context;
	const struct name_body *wanted = body;
	const struct member *member = roster_find(self->transition->roster, wanted->name);

	if (!wanted->wait && member && (member->wish == WISH_STOP || member->wish == WISH_REMOVE)) {
		command_answer_set(answer, COMMAND_OK, "it is ending already");
		return COMMAND_ANSWERED;
	}
	enum command_outcome outcome = wish(self, command, wanted, WISH_STOP, answer);
	if (outcome == COMMAND_ANSWERED && answer->code == COMMAND_OK)
		command_answer_set(answer, COMMAND_OK, "%.200s ends in order, and is not started again", wanted->name);
	return outcome;
}

static enum command_outcome start(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	struct reconfigure *self = context;
	const struct name_body wanted = {.name = ((const struct name_body *)body)->name, .wait = true};
	const struct member *member = find_free(self, wanted.name, answer);

	if (!member)
		return COMMAND_ANSWERED;
	if (member_is_alive(member)) {
		command_answer_set(answer, COMMAND_OK, "it runs already");
		return COMMAND_ANSWERED;
	}
	return wish(self, command, &wanted, WISH_START, answer);
}

static enum command_outcome restart(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct name_body *wanted = body;
	enum command_outcome outcome = wish(context, command, wanted, WISH_RESTART, answer);

	if (outcome == COMMAND_ANSWERED && answer->code == COMMAND_OK)
		command_answer_set(answer, COMMAND_OK, "%.200s ends in order and is started again", wanted->name);
	return outcome;
}

/* --- several ------------------------------------------------------------------------------------------------------ */

static bool are_free(struct reconfigure *self, const struct enrg_string_list *names, struct command_answer *answer)
{
	for (size_t i = 0; i < names->count; i++)
		if (!find_free(self, names->items[i], answer))
			return false;
	return true;
}

static void restart_one(struct reconfigure *self, struct member *member)
{
	transition_wish(self->transition, member, WISH_RESTART, nobody, self->now_ns(self->context));
}

/* All of them, or none. */
static enum command_outcome restart_several(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct enrg_string_list *names = &((const struct names_body *)body)->names;
	struct reconfigure *self = context;
	struct roster *roster = self->transition->roster;
	size_t count = 0;

	(void)command;
	if (!are_free(self, names, answer))
		return COMMAND_ANSWERED;
	for (size_t i = 0; i < names->count; i++, count++)
		restart_one(self, roster_find(roster, names->items[i]));
	for (size_t i = 0; !names->count && i < roster->count; i++) {
		if (!member_is_alive(roster->members[i]) || roster->members[i]->wish)
			continue; /* it is stopped, or is ending or starting anyway */
		restart_one(self, roster->members[i]);
		count++;
	}
	command_answer_set(answer, COMMAND_OK, "%zu %s in order and %s started again", count,
		count == 1 ? "job ends" : "jobs end", count == 1 ? "is" : "are");
	return COMMAND_ANSWERED;
}

/* For who waits for the answer of a change. */
static enum command_outcome tell_wait(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct reconfigure *self = context;

	(void)command;
	(void)body;
	command_answer_set(answer, COMMAND_OK, "%s", transition_wait(self->transition));
	return COMMAND_ANSWERED;
}

static const struct command_kind kinds[] = {
	{.kind = "job.stop",
		.summary = "ends a job, which stays in the list",
		.body = {.size = sizeof(struct name_body), .options = wait_options},
		.handle = stop},
	{.kind = "job.start",
		.summary = "starts a job that is stopped, done or given up",
		.body = {.size = sizeof(struct name_body), .options = name_options},
		.handle = start},
	{.kind = "job.restart",
		.summary = "ends a job and starts it again",
		.body = {.size = sizeof(struct name_body), .options = wait_options},
		.handle = restart},
	{.kind = "jobs.restart",
		.summary = "ends jobs and starts them again; answered when it is under way",
		.body = {.size = sizeof(struct names_body), .options = names_options},
		.handle = restart_several},
	{.kind = "job.wait",
		.summary = "answers what a change waits for, or nothing",
		.body = {.size = 1, .options = no_options},
		.is_silent = true,
		.handle = tell_wait},
	{0},
};

int job_commands_open(struct reconfigure *reconfigure, struct commands *commands)
{
	return commands_add(commands, kinds, reconfigure);
}

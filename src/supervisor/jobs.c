/* jobs.c: see the header. Process: supervisor, main thread. */
#include "supervisor/jobs.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

struct restart_body {
	struct enrg_string_list names;
	bool wait;
};

static const struct enrg_option restart_options[] = {
	{.key = "names",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = offsetof(struct restart_body, names),
		.default_value = "[]",
		.help = "the jobs; empty: all"},
	{.key = "wait",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct restart_body, wait),
		.default_value = "true",
		.help = "false: answered when it is under way"},
	{0},
};

static const uint8_t no_id[COMMAND_ID_BYTES];

static bool is_named(const struct enrg_string_list *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->items[i], name))
			return true;
	return !names->count;
}

/* All that are named are there, and none is being changed. */
static bool are_free(const struct roster *roster, const struct enrg_string_list *names, struct command_answer *answer)
{
	for (size_t i = 0; i < names->count; i++)
		if (!roster_find(roster, names->items[i])) {
			command_answer_set(answer, COMMAND_NOBODY, "there is no job \"%.200s\": nothing was done",
				names->items[i]);
			return false;
		}
	return true;
}

static enum command_outcome restart(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	struct jobs *self = context;
	struct reconfigure *reconfigure = self->reconfigure;
	const struct restart_body *wanted = body;
	struct roster *roster = reconfigure->transition->roster;
	size_t count = 0;

	if (!are_free(roster, &wanted->names, answer))
		return COMMAND_ANSWERED;
	if (!wanted->wait && transition_is_busy(reconfigure->transition, NULL, 0) &&
		deferred_put(&reconfigure->deferred, command, true)) {
		command_answer_set(answer, COMMAND_OK,
			"jobs stop in order and are started again when the change that is under way is done");
		return COMMAND_ANSWERED;
	}
	if (self->restart.kind[0] || reconfigure_is_busy(reconfigure, answer)) {
		if (!answer->code)
			command_answer_set(answer, COMMAND_REFUSED, "jobs are being restarted already");
		return COMMAND_ANSWERED;
	}
	for (size_t i = 0; i < roster->count; i++) {
		struct member *member = roster->members[i];
		if (member->wish || !is_named(&wanted->names, member->plan->name))
			continue;
		transition_wish(reconfigure->transition, member, member_is_alive(member) ? WISH_RESTART : WISH_START,
			no_id, reconfigure->now_ns(reconfigure->context));
		count++;
	}
	command_answer_set(answer, COMMAND_OK, "%zu job(s) stop in order and are started again", count);
	if (!wanted->wait)
		return COMMAND_ANSWERED;
	self->restart = *command;
	json_incref(self->restart.body);
	self->restart_count = count;
	return COMMAND_LATER;
}

static void answer_restart(struct jobs *self)
{
	struct command_answer answer = {0};

	if (!self->restart.kind[0])
		return;
	command_answer_set(&answer, COMMAND_OK, "%zu job(s) were started again", self->restart_count);
	commands_answer(self->commands, self->restart.id, &answer);
	command_answer_fini(&answer);
	command_fini(&self->restart);
	self->restart = (struct command){0};
}

/* A custom job that is not to be started again, and has ended. */
static const char *find_ended(const struct reconfigure *reconfigure)
{
	const struct roster *roster = reconfigure->transition->roster;

	for (size_t i = 0; i < roster->count; i++) {
		const struct member *member = roster->members[i];
		const struct job_common *common = &member->config->common;
		bool is_custom = reconfigure_is_custom(reconfigure, member->config->file);
		bool has_ended = member->state == MEMBER_DONE || member->state == MEMBER_GIVEN_UP ||
				 (member->state == MEMBER_STOPPED && member->was_failing);
		if (is_custom && has_ended && common->has_restart_on_crash && !common->restart_on_crash)
			return member->plan->name;
	}
	return NULL;
}

static void remove_ended(struct jobs *self)
{
	const char *name = find_ended(self->reconfigure);
	struct command command;

	if (!name)
		return;
	log_line(ENRG_INFO, "%s has ended and is not started again: it leaves the list when what it has sent is stored",
		name);
	if (!command_init(&command, "supervisor", "job.remove", json_pack("{s:s, s:b}", "name", name, "wait", 0),
		    1000000000u))
		commands_act(self->commands, &command);
	command_fini(&command);
}

static void refuse(struct jobs *self, struct command *command, const char *text)
{
	struct command_answer answer = {0};

	command_answer_set(&answer, COMMAND_REFUSED, "%s: nothing was done", text);
	commands_answer(self->commands, command->id, &answer);
	command_fini(command);
}

void jobs_step(struct jobs *self)
{
	struct command command;
	char text[600];

	if (!self->reconfigure)
		return;
	while (self->reconfigure->transition->roster->is_stopping &&
		deferred_take(&self->reconfigure->deferred, &command))
		refuse(self, &command, "the system stops");
	if (transition_is_busy(self->reconfigure->transition, text, sizeof(text)))
		return;
	answer_restart(self);
	if (self->reconfigure->transition->roster->is_stopping)
		return;
	if (!deferred_take(&self->reconfigure->deferred, &command)) {
		remove_ended(self);
		return;
	}
	if (command.expires_ns <= clock_wall_ns()) {
		refuse(self, &command, "another change was under way until it expired");
		return;
	}
	commands_act(self->commands, &command);
	command_fini(&command);
}

static const struct command_kind kinds[] = {
	{.kind = "jobs.restart",
		.summary = "ends several jobs, or all, and starts them again",
		.body = {.size = sizeof(struct restart_body), .options = restart_options},
		.handle = restart},
	{0},
};

int jobs_open(struct jobs *jobs, struct reconfigure *reconfigure, struct commands *commands)
{
	*jobs = (struct jobs){.reconfigure = reconfigure, .commands = commands};
	return commands_add(commands, kinds, jobs);
}

void jobs_close(struct jobs *jobs)
{
	if (!jobs->reconfigure)
		return;
	command_fini(&jobs->restart);
	deferred_fini(&jobs->reconfigure->deferred);
}

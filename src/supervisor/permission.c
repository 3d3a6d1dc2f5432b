/* permission.c: the table, and what runs code. Process: supervisor, main thread. */
#include "supervisor/permission.h"

#include <stdio.h>
#include <string.h>

#include "config/run_plans.h"
#include "config/types_message.h"

static const struct row {
	const char *kind; /* of a command to the supervisor */
	enum command_role least;
} rows[] = {
	{"ping", COMMAND_VISITOR},
	{"run_state", COMMAND_VISITOR},
	{"run_plans", COMMAND_VISITOR},
	{"job.text", COMMAND_VISITOR}, /* secrets are masked */
	{"job.wait", COMMAND_VISITOR},
	{"run_start", COMMAND_USER}, /* of a type that runs no code */
	{"run_configure", COMMAND_USER},
	{"run_stop", COMMAND_USER},
	{"run_note", COMMAND_USER},
	{"run_flag", COMMAND_USER},
	{"run_delete", COMMAND_ADMIN},
	{"sequence_start", COMMAND_USER}, /* the same */
	{"sequence_resume", COMMAND_USER},
	{"sequence_stop", COMMAND_USER},
	{"alarm.ack", COMMAND_USER},
	{"alarm.mute", COMMAND_USER},
	{"job.add", COMMAND_USER}, /* of a run template that runs no code; its handler looks */
	{"job.stop", COMMAND_USER},
	{"job.remove", COMMAND_USER},
	{"job.start", COMMAND_ADMIN},
	{"job.restart", COMMAND_ADMIN},
	{"jobs.restart", COMMAND_ADMIN},
	{"reload", COMMAND_ADMIN},
	{"restart", COMMAND_ADMIN},
	{"stop", COMMAND_ADMIN},
};

static enum command_role least_of(const char *kind)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(rows[i].kind, kind))
			return rows[i].least;
	return COMMAND_ROLES;
}

bool permission_may_run_code(const struct command *command)
{
	return !command->person.is_there || command->person.role == COMMAND_ADMIN;
}

static bool refuse(const struct command *command, struct command_answer *answer, const char *what)
{
	command_answer_set(answer, COMMAND_REFUSED, "%.100s (%s) may not have this done: %.500s; nothing was done",
		command->person.who[0] ? command->person.who : "somebody without a name",
		command_role_name(command->person.role), what);
	return false;
}

static const char *text_of(const struct command *command, const char *key)
{
	const char *text = json_string_value(json_object_get(command->body, key));

	return text ? text : "";
}

/* A type of runs, by its name or by that of a sequence. */
static bool runs_code(const struct permission *self, const struct command *command)
{
	const struct run_plans *plans = (*self->folder)->plans;
	const char *name = text_of(command, "type");

	if (!strncmp(command->kind, "sequence_", 9)) {
		const char *wanted = text_of(command, "name");
		const struct run_sequence *sequence = plans ? run_plans_find_sequence(plans, wanted) : NULL;
		if (*wanted && !sequence)
			return true; /* one that was begun, and whose file is gone: nobody knows */
		name = sequence ? sequence->options.type : "";
	}
	const struct run_type *type = plans && name && *name ? run_plans_find_type(plans, name) : NULL;
	return type && type->runs_code;
}

/* Whoever is meant, does one of them run programs for it? */
static bool message_runs_code(const struct permission *self, const char *kind)
{
	for (size_t i = 0; i < self->roster->count; i++) {
		const struct enrg_message_type *message =
			types_find_message(type_messages(self->roster->members[i]->config->type), kind);
		if (message && message->runs_code)
			return true;
	}
	return false;
}

bool permission_check(void *context, const struct command *command, struct command_answer *answer)
{
	const struct permission *self = context;
	bool is_message = strcmp(command->to, "supervisor") != 0;
	char text[200];

	if (!command->person.is_there)
		return true;
	enum command_role least = is_message ? COMMAND_USER : least_of(command->kind);
	if (least == COMMAND_ROLES)
		return refuse(command, answer, "this kind of command is for nobody but the user of this machine");
	if (command->person.role < least) {
		snprintf(
			text, sizeof(text), "%s is for the role %s and above", command->kind, command_role_name(least));
		return refuse(command, answer, text);
	}
	if (command->person.role == COMMAND_ADMIN)
		return true;
	if (is_message && message_runs_code(self, command->kind))
		return refuse(command, answer, "this message may run programs, which is for the role admin alone");
	bool is_start = !strcmp(command->kind, "run_start") || !strcmp(command->kind, "run_configure") ||
			!strcmp(command->kind, "sequence_start") || !strcmp(command->kind, "sequence_resume");
	if (!is_message && is_start && runs_code(self, command))
		return refuse(command, answer,
			"what this type of runs starts may run programs, which is for the role admin alone");
	return true;
}

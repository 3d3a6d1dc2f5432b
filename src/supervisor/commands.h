/* commands.h: what the supervisor can be asked for, wherever it comes from (the control socket, a job). A command acts
 * once: ids are kept until the command has expired, the last COMMANDS_KEPT with their answers, and an id that comes
 * again gets the first answer, also where that one is still to come; `unknown` where it is forgotten. What changes
 * nothing is not remembered. Process: supervisor, main thread.
 *
 * Parts of the supervisor add tables of their kinds; nothing here knows what they do. */
#ifndef SUPERVISOR_COMMANDS_H
#define SUPERVISOR_COMMANDS_H

#include "enrgdaq/option.h"
#include "handover/command.h"

#define COMMANDS_KEPT     256u
#define COMMANDS_IDS_KEPT 4096u /* of commands that did something and may come again; then more are refused, … */
#define COMMANDS_IDS_JOBS                                                                                              \
	3072u                  /* … those of jobs earlier, so that a job that floods does not lock out who stops it  \
				*/
#define COMMANDS_ASKERS_MAX 4u /* of one id whose answer is still to come */
#define COMMANDS_TABLES_MAX 16u

struct commands;

enum command_outcome {
	COMMAND_ANSWERED, /* `answer` is filled: COMMAND_OK unless it was set otherwise */
	COMMAND_LATER,    /* commands_answer will be called with the command's id */
};

struct command_kind {
	const char *kind; /* NULL ends a table */
	const char *summary;
	struct enrg_table body; /* its fields; wrong ones are answered, and `handle` is not called */
	bool is_silent;         /* changes nothing, and is answered at once: no line in the log, no id kept */
	/* `body`: of the table's size, valid during the call, as are all others. May not block. */
	enum command_outcome (*handle)(
		void *context, const struct command *command, const void *body, struct command_answer *answer);
};

/* Who gets the answer. */
struct command_asker {
	void (*reply)(const struct command_asker *asker, const struct command_answer *answer);
	void *context;
	uint64_t client; /* of the control socket */
	char job[256];   /* that has asked over the bus */
};

/* Commands to others than the supervisor. `answer` as in command_kind. */
typedef enum command_outcome commands_route(
	void *context, const struct command *command, struct command_answer *answer);

int commands_create(struct commands **ret_commands, struct enrg_error *err);
void commands_destroy(struct commands *commands);
/* The table must live as long as `commands`. -ENOSPC: too many tables. */
int commands_add(struct commands *commands, const struct command_kind *kinds, void *context);
void commands_set_route(struct commands *commands, commands_route *route, void *context);

/* Before anything is done: false: it may not, and `answer` says why. NULL: all may all. */
typedef bool commands_guard(void *context, const struct command *command, struct command_answer *answer);
void commands_set_guard(struct commands *commands, commands_guard *guard, void *context);

/* Does what the command asks for, or refuses it; `asker` is answered now or later, once. */
void commands_take(struct commands *commands, const struct command *command, const struct command_asker *asker);
/* One that was answered with COMMAND_LATER and put off: its handler again; `command` as it was then. */
void commands_act(struct commands *commands, const struct command *command);
/* Once a second: says how many lines of the log were left out, if there were too many. `now_ns`: CLOCK_MONOTONIC. */
void commands_look(struct commands *commands, uint64_t now_ns);
/* The answer to a command that was taken earlier. `answer` stays the caller's; its id is set here. */
void commands_answer(struct commands *commands, const uint8_t id[COMMAND_ID_BYTES], struct command_answer *answer);

#endif

/* permission.h: may the person for whom a program asks have this done? One table: a kind of command, the least role. A
 * command without `for` is the process's own, whose user is the supervisor's or root: he may all. What may run programs
 * (runs_code of types, options, templates, messages) is for admins alone. Process: supervisor, main thread. */
#ifndef SUPERVISOR_PERMISSION_H
#define SUPERVISOR_PERMISSION_H

#include "config/folder.h"
#include "handover/command.h"
#include "supervisor/roster.h"

struct permission {
	struct folder *const *folder; /* the one that runs */
	const struct roster *roster;
};

/* true: it may be done; else `answer` says why nothing was done. A kind that the table does not know is refused. For
 * commands_set_guard: `context` is a struct permission. */
bool permission_check(void *context, const struct command *command, struct command_answer *answer);

/* May that role start code of its choice? For what only its handler can judge. */
bool permission_may_run_code(const struct command *command);

#endif

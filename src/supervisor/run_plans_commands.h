/* run_plans_commands.h: the commands that are about types, templates and sequences of runs: `run_plans` says what there
 * is; `sequence_start`, `sequence_stop`, `sequence_resume` go to the run book as entries, since it drives sequences.
 * Process: supervisor, main thread. */
#ifndef SUPERVISOR_RUN_PLANS_COMMANDS_H
#define SUPERVISOR_RUN_PLANS_COMMANDS_H

#include "supervisor/book.h"
#include "supervisor/reconfigure.h"

struct run_plans_commands {
	const struct reconfigure *reconfigure;
	struct book *book;
};

/* `context` must live as long as `commands`. -ENOSPC. */
int run_plans_add_commands(struct run_plans_commands *context, struct commands *commands);

#endif

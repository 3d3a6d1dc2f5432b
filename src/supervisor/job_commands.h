/* job_commands.h: the commands that change no folder: `job.stop`, `job.start`, `job.restart`, `jobs.restart`,
 * `job.wait`. Process: supervisor, main thread. */
#ifndef SUPERVISOR_JOB_COMMANDS_H
#define SUPERVISOR_JOB_COMMANDS_H

#include "supervisor/reconfigure.h"

/* Adds the kinds. `reconfigure` must live as long as `commands`. */
int job_commands_open(struct reconfigure *reconfigure, struct commands *commands);

#endif

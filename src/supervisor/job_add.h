/* job_add.h: `job.add`: one more job while the system runs, from a file, or from a text that came with the command (a
 * custom job), which lies as a file in the runtime folder. cnc.custom_jobs says which texts are taken. Process:
 * supervisor, main thread. */
#ifndef SUPERVISOR_JOB_ADD_H
#define SUPERVISOR_JOB_ADD_H

#include "supervisor/reconfigure.h"

/* Adds the kind. `reconfigure` must live as long as `commands`. */
int job_add_open(struct reconfigure *reconfigure, struct commands *commands);

/* Behind runtime_open, before anything is planned: custom jobs of a supervisor that was killed join the folder; else
 * what lies there is removed, since a start begins with what the folder says. */
void job_add_restore(struct folder **folder, const struct types *types, const struct runtime *runtime);
/* They have ended with the system. */
void job_add_remove_files(const struct runtime *runtime);

#endif

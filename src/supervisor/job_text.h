/* job_text.h: what a job was started with, for programs that show it: `job.text`. Process: supervisor, main thread. */
#ifndef SUPERVISOR_JOB_TEXT_H
#define SUPERVISOR_JOB_TEXT_H

#include "supervisor/reconfigure.h"

/* Adds the kind. `reconfigure` must live as long as `commands`. */
int job_text_open(struct reconfigure *reconfigure, struct commands *commands);

#endif

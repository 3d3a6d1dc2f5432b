/* jobs.h: what concerns several jobs: `jobs.restart`; commands that wait for a change; custom jobs that have ended and
 * are not to come again leave the list. Process: supervisor, main thread. */
#ifndef SUPERVISOR_JOBS_H
#define SUPERVISOR_JOBS_H

#include "supervisor/reconfigure.h"

struct jobs {
	struct reconfigure *reconfigure;
	struct commands *commands;
	struct command restart; /* kind "": none waits for its answer */
	size_t restart_count;
};

/* Adds the kind. */
int jobs_open(struct jobs *jobs, struct reconfigure *reconfigure, struct commands *commands);
void jobs_close(struct jobs *jobs); /* takes zeroed state */
/* After each event. */
void jobs_step(struct jobs *jobs);

#endif

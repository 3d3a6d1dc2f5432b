/* state.h: a small file in which a service keeps what it has done, so that its next instance does nothing twice. It is
 * replaced as a whole (written beside it, synced, renamed, the folder synced), so a kill or a power cut leaves the old
 * one or the new one. One process at a time. Main thread. */
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include <limits.h>
#include <stddef.h>

#include "enrgdaq/job.h"

#define STATE_BYTES_MAX (16u << 20)

struct state {
	int folder, lock; /* 0: not open */
	char name[NAME_MAX + 1];
	char path[PATH_MAX]; /* for messages */
};

/* Where a job keeps it: `chosen`, or out/state/SUPERVISOR.JOB.ENDING where that is NULL. */
void state_format_path(const struct enrg_job *job, const char *chosen, const char *ending, char ret_path[PATH_MAX]);

/* Makes the folder, and takes the file for this process. -EBUSY: another one has it; else -errno. */
int state_open(struct state *state, const char *path, struct enrg_error *err);
void state_close(struct state *state); /* takes zeroed state */

/* The file as it is, with a NUL behind it, to be freed; NULL and 0 where there is none. -EFBIG, -errno. */
int state_read(const struct state *state, char **ret_bytes, size_t *ret_count, struct enrg_error *err);
int state_replace(const struct state *state, const void *bytes, size_t byte_count, struct enrg_error *err);

#endif

/* keeper.h: holds the files of the runtime folder open and puts them right when somebody removes or replaces them: the
 * RemoveIPC of logind, cleaners of /tmp, a careless `rm`. A file whose last name is gone can't get one again, so its
 * path leads to the supervisor's descriptor (held_lead) until the run ends: a job that is started again finds its ring
 * and its journal. Once a second (of more than KEEPER_FILES_A_LOOK some) and before a job is started. Process:
 * supervisor, main thread.
 */
#ifndef SUPERVISOR_KEEPER_H
#define SUPERVISOR_KEEPER_H

#include "base/held.h"
#include "supervisor/control_plane.h"
#include "supervisor/losses.h"
#include "supervisor/plan_builder.h"
#include "supervisor/runtime.h"

struct keeper_file {
	char *path;
	char *source;   /* whose stream it is; NULL: a journal */
	int descriptor; /* -1: not there yet */
	uint64_t bytes;
	bool is_lost; /* cut: told, and past help */
};

struct keeper {
	struct runtime *runtime;
	size_t file_count;
	struct keeper_file *files;
	size_t next;                 /* of the next look */
	struct held_name sockets[2]; /* of the broker: publish, subscribe */
	uint64_t outages;
	bool is_failing; /* it could not be put right, and that was told */
};

int keeper_open(struct keeper *keeper, struct runtime *runtime, const struct plan_set *plans, struct enrg_error *err);
/* The files of a job that comes while the run is on, and of one that has gone. */
int keeper_add(struct keeper *keeper, const struct plan *plan, struct enrg_error *err);
void keeper_drop(struct keeper *keeper, const struct plan *plan);
/* One that was removed on purpose. NULL: nothing. */
void keeper_drop_file(struct keeper *keeper, const char *path);
void keeper_close(struct keeper *keeper); /* takes a zeroed one */

#define KEEPER_FILES_A_LOOK 128u

/* `control` NULL: there is no broker yet. What was found stands in `losses`. Of very many files some have their turn at
 * each look, unless `is_whole`, or something was found: a thousand times two calls a second are half a hundredth of a
 * core. */
void keeper_look(struct keeper *keeper, struct control_plane *control, struct losses *losses, bool is_whole);

/* At the end of the run, when no job runs any more: what is led to a descriptor gets a file of its own again, since it
 * holds batches for the next run. */
void keeper_rescue(struct keeper *keeper);

#endif

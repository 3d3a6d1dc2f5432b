/* place.h: the folder of a history: made, taken for this process, with room on its disk, and found by clients. In the
 * process of DAQJobHistory, on its main thread. */
#ifndef HISTORY_PLACE_H
#define HISTORY_PLACE_H

#include <limits.h>
#include <stdint.h>

#include "enrgdaq/error.h"

struct place {
	int lock; /* 0: not open */
	char folder[PATH_MAX];
	char pointer[PATH_MAX]; /* the file that tells clients; "": none */
};

/* Makes the folder. -EBUSY: another process records there; -errno. */
int place_open(struct place *place, const char *folder, struct enrg_error *err);
void place_close(struct place *place); /* takes zeroed memory */

/* -ENOSPC: less than that is free on its disk, or less than a tenth of it. */
int place_check_room(const struct place *place, uint64_t free_bytes, struct enrg_error *err);

/* For enrg_history_find: a file in the runtime folder of the supervisor. */
int place_show(struct place *place, const char *runtime, const char *job, struct enrg_error *err);

#endif

/* level.h: one level of a history (seconds, minutes) while it is recorded: the file that is being written, which the
 * hour (month), its size and faults of the disk replace. In the process of DAQJobHistory, on its main thread. */
#ifndef HISTORY_LEVEL_H
#define HISTORY_LEVEL_H

#include "enrgdaq/history_file.h"

struct level {
	/* by its owner */
	uint32_t span_s;
	const char *folder, *supervisor, *job;
	uint64_t part_bytes_max;
	/* by level.c */
	struct enrg_history_writer *writer; /* NULL: none yet, or it failed */
	struct enrg_history_part part;
	uint32_t next_number; /* 0: not looked for yet */
	uint64_t files;       /* that it has begun: changes whenever all is to be written anew */
	bool is_unsynced;
};

/* The file for values of that time: the present one or a new one. *ret_is_new: it was begun now. -errno: there is
 * none. */
int level_open(struct level *level, uint64_t time_ns, bool *ret_is_new, struct enrg_error *err);
int level_commit(struct level *level, uint64_t time_ns, struct enrg_error *err);
/* Also finds out whether somebody has taken the file away: -ENOENT, and the next level_open begins another one. */
int level_sync(struct level *level, struct enrg_error *err);
void level_close(struct level *level);

#endif

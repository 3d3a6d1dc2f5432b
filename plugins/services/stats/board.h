/* board.h: what was last heard of each job of each supervisor. Memory only, no output. One thread. */
#ifndef STATS_BOARD_H
#define STATS_BOARD_H

#include <stdbool.h>

#include "enrgdaq/message.h"

#define BOARD_SUPERVISORS_MAX 256u
#define BOARD_ALIVE_NS        30000000000ull /* a supervisor counts as alive for so long after its last message */

struct board_job {
	char *name, *type;
	bool is_alive, is_listed; /* is_listed: in the supervisor's last message */
	uint64_t in_batches, in_bytes, out_batches, out_bytes, in_waiting, out_waiting, restarts;
	uint64_t last_in_ns, last_out_ns, last_restart_ns; /* wall clock; 0: never heard of */
	double cpu_percent, rss_mb;
	struct enrg_output *series; /* of its time series; the caller's */
};

struct board_supervisor {
	char *name;
	uint64_t heard_mono_ns, heard_ns; /* wall: when it sent that */
	uint32_t job_count;
	struct board_job *jobs;
};

struct board {
	uint32_t count;
	struct board_supervisor *supervisors;
};

void board_fini(struct board *board); /* takes zeroed state */

/* Takes in a message; jobs that it does not list any more are gone. -ENOMEM; -ENOSPC: too many supervisors. */
int board_take(struct board *board, const struct enrg_combined_stats *stats, uint64_t mono_ns);

bool board_is_alive(const struct board_supervisor *supervisor, uint64_t mono_ns);
uint64_t board_count_jobs(const struct board *board);

#endif

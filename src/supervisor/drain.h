/* drain.h: the ordered end: sources first, then processors in the order in which data passes them, then stores when
 * they have stored what is left. A machine that is stepped
 * after every event and at drain_next_due. Process: supervisor, main thread. */
#ifndef SUPERVISOR_DRAIN_H
#define SUPERVISOR_DRAIN_H

#include "supervisor/roster.h"

enum drain_phase { DRAIN_NONE, DRAIN_SOURCES, DRAIN_PROCESSORS, DRAIN_STORES, DRAIN_ENDED };

struct drain {
	enum drain_phase phase;
	uint32_t level; /* of the processors that drain: after all that they read */
	bool is_hurried;
	bool is_timed_out; /* stop_timeout_seconds were over */
	uint64_t limit_ns; /* stop_timeout_seconds; 0 = none */
	bool was_killed;   /* a job had to be killed: hardware data may be lost, files may not be closed */
	uint64_t begin_ns, deadline_ns, told_ns;
	uint64_t acknowledged;                  /* sum of all acknowledged positions: moves while there is progress */
	uint64_t seen_backlog;                  /* positions, as of the last line */
	uint64_t told_bytes;                    /* of messages, in the last line */
	void (*on_sources_gone)(void *context); /* before stores are asked to drain; NULL: nobody wants to know */
	void *context;
};

void drain_begin(struct drain *drain, struct roster *roster, uint64_t now_ns);
/* Bytes of messages that stores have still to store: what pads between them is not counted. Opens each stream and
 * journal. */
uint64_t drain_left_bytes(const struct roster *roster);
/* How the run ended, for the ledger. */
const char *drain_outcome(const struct drain *drain);
/* Fast stop: all are asked for it, 2 s, SIGKILL. */
void drain_hurry(struct drain *drain, struct roster *roster, uint64_t now_ns);
void drain_step(struct drain *drain, struct roster *roster, uint64_t now_ns);
uint64_t drain_next_due(const struct drain *drain, uint64_t now_ns);
const char *drain_phase_name(enum drain_phase phase);

#endif

/* wait.h: what a source does while it has nothing to do, between two polls and inside enrg_job_wait_fd: signs of life,
 * rows that are due, pages that its ring gives back. Main thread of a source process. */
#ifndef JOB_SOURCE_WAIT_H
#define JOB_SOURCE_WAIT_H

#include "job/source/output.h"

/* A sign of life, and what went over links. */
void wait_beat(struct enrg_job *job);
/* The same, and lets the ring give back what it has not used lately, and stores run first where they are what everybody
 * waits for. Ends the process where a device hangs. */
void wait_tend(struct enrg_job *job);
/* From one poll to the next, which is due at `tick_ns`: commits appended rows when they are due. 0 also where a stop
 * came, or another run is wished for. */
int wait_for_tick(struct enrg_job *job, uint64_t tick_ns, struct enrg_error *err);
/* Sleeps once, until process_wake or until it is time to look after something, and looks after it before: for who waits
 * for a thread of its own, and calls this again and again. */
int wait_for_work(struct enrg_job *job, struct enrg_error *err);

#endif

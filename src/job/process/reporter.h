/* reporter.h: the second thread of a job process. It owns the signals, the bus client and the once-a-second figures,
 * and it alone raises `stop`. It may fail to reach the bus, for ever: the job goes on. Fewer than 10 wake-ups a
 * second. */
#ifndef JOB_PROCESS_REPORTER_H
#define JOB_PROCESS_REPORTER_H

#include "job/process/process.h"

struct reporter;

/* Starts the thread. The signals of order.h must be blocked in the caller. `lifeline` is a pipe that ends with the
 * supervisor, -1 = none; it stays the caller's. */
int reporter_start(struct process *process, int lifeline, struct reporter **ret_reporter, struct enrg_error *err);
/* Sends what is queued and the last figures, and waits for the thread. NULL is allowed. */
void reporter_stop(struct reporter *reporter);

#endif

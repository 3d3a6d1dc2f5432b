/* end.h: the end of a job process that can't end in order, since a thread that is not ours will not come back. */
#ifndef JOB_PROCESS_END_H
#define JOB_PROCESS_END_H

#include "job/process/process.h"

/* Alerts, log and the last figures go out; then the process is gone, without destructors of libraries, which may wait
 * for that thread. Main thread. */
_Noreturn void process_end(struct process *process, enum process_exit code);
/* The same for one that is at its end anyhow, where a thread was left behind; nothing where there is none. */
void process_end_if_left(const struct process *process, int code);

#endif

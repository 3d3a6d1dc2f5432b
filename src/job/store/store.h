/* store.h: the life of a job that consumes. Main thread of a store process. */
#ifndef JOB_STORE_STORE_H
#define JOB_STORE_STORE_H

#include "job/process/process.h"

/* From open to close of the process's store type. Returns an exit code: 0, 1, 2 or 3 of process_main. */
int store_run(struct process *process, struct enrg_error *err);

#endif

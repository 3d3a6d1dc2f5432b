/* processor.h: the life of a job that reads other jobs and produces. Main thread of a processor's process. */
#ifndef JOB_PROCESSOR_PROCESSOR_H
#define JOB_PROCESSOR_PROCESSOR_H

#include "job/process/process.h"

/* From start to destroy of the process's processor type. Returns an exit code: 0, 1, 2 or 3 of process_main. */
int processor_run(struct process *process, struct enrg_error *err);

#endif

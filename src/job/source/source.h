/* source.h: the life of a job that produces: start, poll on a schedule, stop. The loop is apart from source_run, which
 * brings stream and links, so that it can be tested alone. Main thread of a source process. */
#ifndef JOB_SOURCE_SOURCE_H
#define JOB_SOURCE_SOURCE_H

#include "job/source/output.h"

/* Runs `type` with its outputs until it is done, fails, or is stopped. *ret_done: it returned ENRG_POLL_DONE. 0, or the
 * negative code of what failed. */
int source_live(struct enrg_job *job, const struct enrg_job_type *type, const void *options, bool *ret_done,
	struct enrg_error *err);

/* The whole of it: stream, links, outputs. Returns an exit code of process_main. */
int source_run(struct process *process, struct enrg_error *err);

#endif

/* links.h: the senders of a job that produces, one a store that does not read its ring. Main thread. */
#ifndef JOB_SOURCE_LINKS_H
#define JOB_SOURCE_LINKS_H

#include "job/source/output.h"

/* Starts a sender for each sink of the plan that wants one. links_stop is due either way. */
int links_start(struct enrg_job *job, struct enrg_error *err);
/* The threads of the links live in this process: what they have not sent would have to wait for the next one. A job
 * that is done may take its time; a stop has a limit. */
void links_drain(struct enrg_job *job, struct stream *stream);
/* `in order`: the stream was closed before, so that the stores hear that nothing will follow. */
void links_stop(struct enrg_job *job, bool in_order);

#endif

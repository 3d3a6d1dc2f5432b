/* combined.h: the figures of all jobs of a supervisor, from a message into structs. Main thread of a source or service.
 */
#ifndef JOB_SOURCE_COMBINED_H
#define JOB_SOURCE_COMBINED_H

#include "bus/envelope.h"
#include "job/source/output.h"

/* Calls on_combined_stats of the job's type. */
int combined_hand_over(struct enrg_job *job, const struct envelope *envelope, struct enrg_error *err);

#endif

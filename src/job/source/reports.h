/* reports.h: reports of others as the typed structs of enrgdaq/message.h. Main thread of a source process. */
#ifndef JOB_SOURCE_REPORTS_H
#define JOB_SOURCE_REPORTS_H

#include "bus/envelope.h"
#include "job/source/output.h"

/* Calls the on_… of the type that takes this message, if there is one. Its code, or 0. What is missing in a body, or
 * has another type, is zero or "". */
int reports_hand_over(struct enrg_job *job, const char *topic, const struct envelope *envelope, struct enrg_error *err);

#endif

/* parting.h: how the process of a job is brought to its end while a run changes. Each call does what can be done now.
 * Process: supervisor, main thread. */
#ifndef SUPERVISOR_PARTING_H
#define SUPERVISOR_PARTING_H

#include "supervisor/edges.h"

/* true: its process has ended. A store is asked for an end after the batch at hand: what it was to store first is
 * stored, or waits. */
bool parting_end_process(struct edges *edges, struct member *member);
/* Sources that end first may still send. A store waits until they have let it go, which takes a processor's end. */
bool parting_are_sources_down(const struct edges *edges, const struct member *reader);
/* true: it has consumed what was sent to it before its removal was decided, has made all that it can of it, and its
 * process has ended. One that is down is started for that, unless it never came so far as to read anything. */
bool parting_end_processor(struct edges *edges, struct member *member);

#endif

/* verdict.h: how well the jobs of a run did, at its end: what its exit code goes by, and the lines that say so.
 * Process: supervisor, main thread. */
#ifndef SUPERVISOR_VERDICT_H
#define SUPERVISOR_VERDICT_H

#include "supervisor/roster.h"

/* No job has found anything wrong with what it read; says who counted what. */
bool verdict_is_clean(const struct roster *roster);
/* Measurements that never were; no fault of the run. */
void verdict_tell_missed_ticks(const struct roster *roster);
/* A job had failed, and had not recovered at the end; says who. */
bool verdict_is_any_failing(const struct roster *roster);
bool verdict_is_any_given_up(const struct roster *roster);

#endif

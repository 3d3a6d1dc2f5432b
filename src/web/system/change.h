/* change.h: what differs between two looks at the system, as events for whoever follows it live. Any thread. Process:
 * enrgdaq-web. */
#ifndef WEB_SYSTEM_CHANGE_H
#define WEB_SYSTEM_CHANGE_H

#include "web/system/snapshot.h"

/* New reference to an array of objects with `event` and, by it:
 *   "system"  is_there, reason             it came, went, hangs
 *   "state"   state, before                of the system ("running", "draining" …)
 *   "run"     state, before, number, run, reason
 *   "job"     job, type, state, before, reason, restarts   also where it came (before null) or left (state null)
 *   "alarm"   as in the status (key, job, severity, message, on, acknowledged, muted_until_wall_ns …): it begins, is
 *             acknowledged or muted, ends (on: false)
 * Empty: nothing that counts. `before` NULL: empty. NULL: out of memory. */
json_t *change_list(const struct snapshot *before, const struct snapshot *now);

#endif

/* removed.h: what the ledger says of jobs that were removed while the run is on, for the supervisor that goes on with
 * the run of a killed one: what stores had of sources until one of the two was removed, in removed.json, and what
 * removed sources had made, from the streams that were put aside (stream_part). Process: supervisor, main thread.
 */
#ifndef SUPERVISOR_REMOVED_H
#define SUPERVISOR_REMOVED_H

#include "supervisor/ledger.h"
#include "supervisor/runtime.h"

/* Before what it is about is removed; that it can't be written is said, and costs lines of the ledger only where this
 * supervisor is killed. */
void removed_write(const char *folder, const struct ledger *ledger);
/* Of the run that goes on, into the ledger; where it does not, or nothing was removed, there is nothing to read. */
void removed_read(const struct runtime *runtime, struct ledger *ledger);
/* The run has ended, or does not go on. */
void removed_drop(const char *folder);

#endif

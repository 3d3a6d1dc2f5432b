/* sample.h: reads what jobs tell in their pages and streams. Process: supervisor, main thread. */
#ifndef SUPERVISOR_SAMPLE_H
#define SUPERVISOR_SAMPLE_H

#include "supervisor/ledger.h"
#include "supervisor/roster.h"

/* Counters and rates of all members. true: something is not as it was at the last sample. */
bool sample_take(struct roster *roster, uint64_t now_ns);
/* The ledger as it stands now, and the state of the members' streams, from streams and journals: behind sample_take.
 * `ledger` has a source for each producer, in order. Streams of which no page tells anything new are left out, and
 * looked at each 10 s; `is_whole`: none is. true as above. */
bool sample_ledger(struct roster *roster, struct ledger *ledger, bool is_whole);

#endif

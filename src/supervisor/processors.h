/* processors.h: what the supervisor does for processors and with their checkpoints. Process: supervisor, main thread.
 */
#ifndef SUPERVISOR_PROCESSORS_H
#define SUPERVISOR_PROCESSORS_H

#include "supervisor/ledger.h"
#include "supervisor/roster.h"

/* Makes up the last commit of processors that were killed within it. While none of them runs, and before their streams
 * are judged: the head of its output says whether it was made. */
void processors_roll_forward(const struct plan_set *plans);
/* What became of the rows that they have read, into the ledger. What can't be read stays as it was. */
void processors_sample(const struct roster *roster, struct ledger *ledger);

#endif

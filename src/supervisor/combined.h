/* combined.h: the figures of all jobs in one small message, for services that keep them. Process: supervisor. */
#ifndef SUPERVISOR_COMBINED_H
#define SUPERVISOR_COMBINED_H

#include <jansson.h>

#include "supervisor/ledger.h"
#include "supervisor/roster.h"

/* Lists of one length, an entry a job (docs/control-protocol.md, `combined_jobs`); new reference, NULL: out of memory.
 */
json_t *combined_format(const struct roster *roster, const struct ledger *ledger);

#endif

/* ledger_processors.h: the lines of the ledger that say what became of the rows that processors have read. Part of
 * ledger.h. Process: supervisor. */
#ifndef SUPERVISOR_LEDGER_PROCESSORS_H
#define SUPERVISOR_LEDGER_PROCESSORS_H

#include "supervisor/ledger.h"

/* No row was counted twice. */
bool ledger_processor_is_accounted(const struct ledger_processor *processor);
/* And none is open. */
bool ledger_processor_is_settled(const struct ledger_processor *processor);
json_t *ledger_processors_format(const struct ledger *ledger); /* new reference: an array */
/* One line an input. */
void ledger_processors_print(const struct ledger *ledger, bool is_colored, FILE *stream);

#endif

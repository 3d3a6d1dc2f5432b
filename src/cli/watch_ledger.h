/* watch_ledger.h: where the batches of a source are, for `enrgdaq watch --ledger`. */
#ifndef CLI_WATCH_LEDGER_H
#define CLI_WATCH_LEDGER_H

#include <stdio.h>

#include <enrgdaq/client.h>

/* A line a store that takes the source's data, as the supervisor wrote it last; a line that says why where there is
 * nothing. */
void watch_ledger_print(struct enrg_client *client, const char *source, FILE *stream);

#endif

/* status_table.h: the state of a running system as a table. It may come from another version of the program: any JSON
 * is taken. Process: `status`. */
#ifndef CLI_STATUS_TABLE_H
#define CLI_STATUS_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Head line, a line a job, a line a link, the state of the ledger. */
void status_table_print(const json_t *status, bool is_colored, FILE *stream);

#endif

/* rows.h: batches as lines of comma separated values (RFC 4180, lines end with "\n"). No files. One thread. */
#ifndef CSV_ROWS_H
#define CSV_ROWS_H

#include "enrgdaq/batch.h"
#include "text.h"

/* The line with the column names. */
int rows_format_header(const struct enrg_schema *schema, struct text *text, struct enrg_error *err);

/* Appends the rows from *row on, until all are there or `text` holds `bytes_wanted` or more; moves *row on.
 * -ENOMEM. */
int rows_format(
	const struct enrg_batch *batch, uint64_t *row, size_t bytes_wanted, struct text *text, struct enrg_error *err);

#endif

/* batch.h: many rows of numbers and texts as one batch, so that a store that keeps the newest one has all of them. One
 * thread. */
#ifndef STATS_BATCH_H
#define STATS_BATCH_H

#include "enrgdaq/job.h"

/* The value of a column of that row; a text lives until the next call. */
typedef struct enrg_value batch_value(void *context, uint64_t row, uint32_t column);

/* Columns are strings, ENRG_BOOL, ENRG_I64 and ENRG_F64. What is too large for one batch goes out in several. */
int batch_publish(struct enrg_output *output, const struct enrg_schema *schema, uint64_t rows, batch_value *value,
	void *context, struct enrg_error *err);

#endif

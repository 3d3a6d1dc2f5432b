/* rows.h: copies rows of a batch into an output. */
#ifndef FILTER_ROWS_H
#define FILTER_ROWS_H

#include "enrgdaq/batch.h"
#include "enrgdaq/job.h"

/* Commits the `count` rows of `kept` (ascending) as one batch of the output, which has the columns of the batch.
 * Missing values become what enrg_type_missing says. Results as enrg_output_claim. */
int rows_commit(struct enrg_output *output, const struct enrg_batch *batch, const uint32_t *kept, uint32_t count,
	struct enrg_error *err);

#endif

/* copying.h: a batch that was read into a claim of an output, value for value. No framework but its structs. One
 * thread.
 */
#ifndef REPLAY_COPYING_H
#define REPLAY_COPYING_H

#include "enrgdaq/batch.h"
#include "enrgdaq/job.h"

/* Has a value that is missing? A stream can't carry that. */
bool copying_has_missing(const struct enrg_batch *batch);
/* Items or bytes that each column needs, as enrg_output_claim asks for them: one entry a column. */
void copying_measure(const struct enrg_batch *batch, uint64_t *ret_variable);
/* Into a claim of that shape. */
void copying_fill(const struct enrg_batch *batch, const struct enrg_claim *claim);

/* Is the column a time that goes by the clock of the recording: timestamp_ns; int64, uint64 or float64 named timestamp
 * (in s, ms, us or ns, by its unit; ms without one) or real_ns_timestamp? */
bool copying_is_time(const struct enrg_column *column);
/* Adds shift_ns to each of `rows` times of such a column. */
void copying_shift(const struct enrg_column *column, void *values, uint64_t rows, int64_t shift_ns);

#endif

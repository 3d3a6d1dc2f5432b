/* batch.h: a record batch as a reader sees it, in place.
 *
 * Pointers point into the producer's ring (mapped read-only) or a buffer of the framework. They live until the call
 * that handed the batch over returns. Lay-out of the values is Apache Arrow's: little-endian, validity and booleans
 * one bit a value with the least significant bit first, offsets with one entry more than rows.
 */
#ifndef ENRGDAQ_BATCH_H
#define ENRGDAQ_BATCH_H

#include "enrgdaq/schema.h"

#ifdef __cplusplus
extern "C" {
#endif

struct enrg_column_view {
	const uint8_t *validity; /* bit set = value present; NULL = all present */
	const int32_t *offsets;  /* strings, bytes, lists: rows + 1 entries, checked to be ascending; else NULL */
	const void *values;      /* numbers: `rows` values; others: what the offsets point into */
	uint64_t value_count;    /* values (items, bytes) that `values` holds */
	uint64_t null_count;
};

struct enrg_batch {
	const struct enrg_schema *schema;
	uint64_t rows;
	const struct enrg_column_view *columns; /* schema->column_count entries */

	const char *source;    /* name of the producing job */
	const char *run;       /* run identifier; "" between two runs, where run control is on */
	const char *tag;       /* "" where there is none */
	uint64_t sequence;     /* counts up by one a batch of the same source, run and table, from 1 */
	uint32_t epoch;        /* counts the lives of the producer, from 1 */
	bool is_gap;           /* rows = 0: the producer was started again; hardware data may be missing here */
	uint64_t acquired_ns;  /* wall clock, ns since 1970, of the oldest row */
	uint64_t committed_ns; /* CLOCK_MONOTONIC when the producer published it */

	const void *ipc;     /* the whole encapsulated Arrow IPC RecordBatch message, padded to 8 bytes */
	uint64_t ipc_bytes;  /* metadata and body */
	uint64_t body_bytes; /* the last body_bytes of ipc are the message body */
};

/* Is row `row` of a column present (not null)? */
static inline bool enrg_column_present(const struct enrg_column_view *view, uint64_t row)
{
	return !view->validity || (((unsigned)view->validity[row >> 3] >> (row & 7)) & 1u);
}

#ifdef __cplusplus
}
#endif

#endif

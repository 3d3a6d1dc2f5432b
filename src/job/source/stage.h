/* stage.h: rows that were appended one by one and wait to be one batch, in private memory of their output. */
#ifndef JOB_SOURCE_STAGE_H
#define JOB_SOURCE_STAGE_H

#include "enrgdaq/job.h"

#define STAGE_BYTES     (64u << 10) /* a batch of appended rows is committed at this size */
#define STAGE_LINGER_NS 1000000u    /* or this long after its first row */

struct stage_column {
	uint8_t *bytes;
	uint64_t used, capacity; /* bytes */
	int32_t *offsets;        /* of variable columns: rows_max + 1 */
};

struct stage {
	struct stage_column *columns; /* NULL until the first row */
	uint64_t rows, rows_max;
	uint64_t variable_bytes; /* in all columns */
	uint64_t *variable;      /* items or bytes, one entry a column */
	uint64_t *wanted;        /* the same with one more row */
	uint64_t due_ns;         /* CLOCK_MONOTONIC */
	uint64_t acquired_ns;    /* wall clock of the first row */
};

void stage_fini(struct stage *stage, uint32_t column_count);
/* Commits the rows. Where the claim gives up they are counted as dropped and told: each row is accounted for. */
int stage_flush(struct enrg_output *output, struct enrg_error *err);

#endif

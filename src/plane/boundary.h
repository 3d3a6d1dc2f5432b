/* boundary.h: where a run begins or has ended in a stream: a record that its producer commits between two batches, so
 * that what lies before it and behind it is never in doubt. The producer page keeps the last ones with the tallies that
 * belong to them: what a run produced is the difference of two.
 *
 * Sequences of tables count under a *label*: that of a run is the run, from 1 behind its begin; between runs they go on
 * where they stood before the run, under one label for as long as the producer does not change it.
 */
#ifndef PLANE_BOUNDARY_H
#define PLANE_BOUNDARY_H

#include <stdbool.h>

#include "enrgdaq/error.h"
#include "plane/segment.h"

struct stream;

struct boundary {
	uint32_t edge;     /* enum run_edge; 0 = there is none */
	uint64_t index;    /* of the stream's boundaries, from 1 */
	uint64_t position; /* behind the record */
	uint64_t number, wall_ns;
	char run[64];                                                /* only in the record itself */
	char label[64];                                              /* of the batches that follow */
	uint64_t sequence, batches, rows, bytes, gaps, dropped_rows; /* the stream's tally before it */
};

/* Producer: commits and publishes a boundary (edge, number, wall_ns, run, label are the caller's). Not with an open
 * claim. The stream's version is raised with the first one: earlier programs know no such record. Results as
 * stream_claim. */
int boundary_commit(struct stream *stream, const struct boundary *wanted, uint64_t timeout_ns);
/* Producer: the last one; edge 0 where there is none. */
const struct boundary *boundary_last(const struct stream *stream);

/* Consumer: what a record of type RECORD_RUN says; its position is not set. ENRG_E_CORRUPT. */
int boundary_parse(const void *payload, uint64_t payload_bytes, struct boundary *ret_boundary);

/* The boundaries that the producer page holds, in their order: how many. */
uint32_t boundary_read_all(
	const struct segment_producer *producer, uint64_t head, struct boundary ret_boundaries[SEGMENT_BOUNDARIES]);
/* The last of a list at or before `position`, or NULL. */
const struct boundary *boundary_find(const struct boundary *boundaries, uint32_t count, uint64_t position);
/* The run of the batches behind it: "" between two. */
const char *boundary_run(const struct boundary *boundary);

#endif

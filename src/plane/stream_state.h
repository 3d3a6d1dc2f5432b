/* stream_state.h: a producer's own copy of its stream. Internal to plane/: stream.c opens and describes it, stream_write.c
 * is the path of a batch. One thread, except is_interrupted. */
#ifndef PLANE_STREAM_STATE_H
#define PLANE_STREAM_STATE_H

#include "plane/doorbell.h"
#include "plane/mapping.h"
#include "plane/stream.h"

struct stream {
	struct mapping mapping;
	uint64_t hot_bytes;
	uint64_t payload_max;
	uint64_t tail;      /* position behind the last committed record or pad; head once published */
	uint64_t offset;    /* tail modulo data_bytes */
	uint64_t published; /* = head */
	uint64_t ack;       /* of the slowest required consumer, as last looked at */
	uint64_t free_until; /* small records up to here need no look at consumers and window */
	uint32_t epoch;
	bool is_successor;
	bool is_spilling;
	uint64_t spill_ack, spill_since_ns; /* where the consumer stood still, and since when */
	uint64_t pace_ns;   /* how long consumers took lately to leave the hot window */
	uint64_t claimed; /* as in the segment: only grows, though claims are given back */
	/* open claim */
	bool is_claimed;
	uint64_t claim_bytes; /* of payload */
	uint32_t claim_lead;
	/* since creation, as of tail */
	uint64_t sequence, batches, rows, bytes, dropped_rows;
	unsigned tally; /* the one that is valid now */
	uint32_t roster; /* for which the lists below are right */
	uint32_t consumer_count, required_count;
	struct segment_consumer *consumers[SEGMENT_CONSUMERS]; /* to look at when publishing */
	struct segment_consumer *required[SEGMENT_CONSUMERS];
	uint32_t rung[SEGMENT_CONSUMERS]; /* ticket of consumers[i] that was rung for */
	uint64_t dirty_routes[SEGMENT_ROUTES / 64];
	uint64_t route_sequence[SEGMENT_ROUTES];
	uint32_t ticket;
	struct doorbell_spin spin;
	_Atomic uint32_t is_interrupted;
};

/* Reads the consumer entries anew: what `roster` counts. */
void stream_read_roster(struct stream *stream, uint32_t roster);

#endif

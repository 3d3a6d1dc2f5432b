/* stream_state.h: a producer's own copy of its stream. Internal to plane/: stream.c opens and describes it,
 * stream_write.c is the path of a batch, over stream_room.c, stream_pages.c and stream_publish.c. One thread, except
 * is_interrupted. */
#ifndef PLANE_STREAM_STATE_H
#define PLANE_STREAM_STATE_H

#include "plane/doorbell.h"
#include "plane/mapping.h"
#include "plane/stream.h"
#include "plane/window.h"

/* An open claim of many records, and how such are written: straight into the ring, or by way of a private buffer and
 * non-temporal stores. Which one is faster depends on the caches that the two sides share: it is tried now and then. */
struct stream_many {
	uint8_t *stage;        /* STREAM_STAGE_BYTES */
	uint8_t *first;        /* header of the first record; NULL: no such claim is open */
	uint32_t stride_bytes; /* of a record */
	uint32_t count;
	bool uses_stage;            /* this claim */
	bool prefers_stage;         /* as found by the last trial */
	unsigned step;              /* of the trial that goes on; 0 = none */
	uint64_t since_ns;          /* when this claim was handed out; 0 = it is not timed */
	uint64_t due_ns, period_ns; /* of the next trial */
	double best_ns_per_byte[2];
};

/* Which pages of the ring exist: stream_pages.c. */
struct stream_pages {
	uint64_t end;               /* [0, end) of the ring exists for certain; never below `offset` */
	uint64_t top;               /* beyond it nothing does */
	uint64_t peak, last_peak;   /* bytes from the start that were used: in this period, and in the one before */
	uint64_t period_ns, lap_ns; /* when the period and the lap began */
	uint64_t due_ns;            /* of the next look */
	uint64_t calm_ns;           /* length of a period, and of a lap that may be ended early */
	bool is_kept;               /* pages can't be given back on this system */
	bool is_short;              /* none was to be had when last asked for */
};

#define STREAM_STAGE_BYTES                                                                                             \
	(SEGMENT_ALIGN_FROM + SEGMENT_LINE) /* one record of the largest payload that is not aligned */

#define STREAM_NO_PAD UINT64_MAX

struct stream {
	struct mapping mapping;
	struct window window;         /* bytes 0: none, the whole ring is used */
	uint32_t producers;           /* that share consumers with this one, itself included */
	bool is_turn_open, has_slept; /* since the last wait at the end of the window */
	uint64_t turn_held_ns;        /* of that wait */
	uint64_t turn_bytes;          /* `bytes` at the last turn */
	uint64_t payload_max;
	uint64_t tail;       /* position behind the last committed record or pad; head once published */
	uint64_t published;  /* = head */
	uint64_t offset;     /* tail modulo data_bytes */
	uint64_t ack;        /* of the slowest required consumer, as last looked at */
	uint64_t free_until; /* small records up to here need no look at consumers and window */
	uint32_t epoch;
	bool is_successor;
	uint64_t pad_at; /* where the pad of the last rewind begins; STREAM_NO_PAD: there is none to jump into */
	uint64_t pad_end;
	uint64_t deep_until; /* after a jump: nothing is in the way up to this position, whatever the acks say */
	uint64_t most;       /* bytes of the largest of the latest records, wherever it begins */
	bool is_spilling;
	uint64_t spill_ack, spill_since_ns; /* where the consumer stood still, and since when */
	uint64_t pace_ns;                   /* how long consumers took lately to come back into the window */
	uint64_t claimed;                   /* as in the segment: only grows, though claims are given back */
	uint32_t page_at; /* this byte of a large payload lies at the start of a page; a multiple of 64 */
	/* open claim */
	uint32_t claim_lead;
	struct stream_many many;
	struct stream_pages pages;
	/* since creation, as of tail */
	uint64_t sequence, rows, dropped_rows, batches, gaps;
	unsigned tally; /* the one that is valid now */
	uint64_t bytes;
	uint32_t consumer_changes; /* for which the list below is right */
	uint32_t consumer_count;
	struct segment_consumer *consumers[SEGMENT_CONSUMERS];
	uint32_t rung[SEGMENT_CONSUMERS]; /* ticket of consumers[i] that was rung for */
	uint64_t dirty_routes[SEGMENT_ROUTES / 64];
	uint64_t route_sequence[SEGMENT_ROUTES];
	uint32_t ticket;
	struct doorbell_spin spin;
	struct boundary boundary; /* the last one, at or before tail; position 0 = none */
	_Atomic uint32_t is_interrupted;
	bool is_held;        /* published by stream_publish_held alone */
	uint64_t step_limit; /* where is_held: the step may not get beyond this position */
};

/* A record's header as eight words of 64 bits (little-endian, as the layout): built from 32-bit fields in memory and
 * copied by vectors, a header costs a store-forwarding stall, more than all the rest of a commit. */
struct stream_header {
	uint64_t words[8];
};

static inline struct stream_header stream_make_header(const struct stream *stream, const struct record *record)
{
	return (struct stream_header){{
		record->length | (uint64_t)record->type << 32 | (uint64_t)record->route << 48,
		record->sequence,
		record->acquired_ns,
		record->committed_ns,
		stream->epoch | (uint64_t)record->rows << 32,
		record->lead_bytes | (uint64_t)record->meta_bytes << 32,
		record->body_bytes | (uint64_t)record->body_crc << 32,
		record->meta_crc,
	}};
}

static inline void stream_put_header(uint8_t *to, const struct stream_header *header)
{
	_Atomic uint64_t *at = (_Atomic uint64_t *)(void *)to;

#pragma GCC unroll 8
	for (int i = 0; i < 8; i++)
		atomic_store_explicit(&at[i], header->words[i], memory_order_relaxed);
}

static inline uint64_t stream_round_to_page(uint64_t value)
{
	return (value + SEGMENT_PAGE - 1) & ~(uint64_t)(SEGMENT_PAGE - 1);
}

static inline void stream_advance(struct stream *stream, uint64_t bytes)
{
	stream->tail += bytes;
	stream->offset += bytes;
	if (stream->offset >= stream->mapping.data_bytes)
		stream->offset -= stream->mapping.data_bytes;
}

/* Observers look at it after reading: whoever still reads below `position` - data_bytes has been overtaken. */
static inline void stream_raise_claimed(struct stream *stream, uint64_t position)
{
	if (position > stream->claimed) {
		stream->claimed = position;
		atomic_store_explicit(&stream->mapping.producer->claimed, position, memory_order_relaxed);
	}
	atomic_thread_fence(memory_order_release);
}

/* Sets the CRC of a header's first 60 bytes. */
void stream_sum_header(struct stream_header *header);

/* Room for one record (with `payload_bytes` of payload) at tail, after a rewind where that pays. Results as
 * stream_claim. */
int stream_make_room(
	struct stream *stream, uint64_t payload_bytes, uint64_t timeout_ns, uint64_t *ret_need, uint32_t *ret_lead);

/* Pages for the ring up to `until` bytes from its start (cut to its length). 0; -ENOSPC: there is no memory now;
 * -errno. */
int stream_pages_extend(struct stream *stream, uint64_t until);
/* For a stream that was just taken over. */
void stream_pages_init(struct stream *stream);
/* Pages for the headers of the pads that end the lap here; false: there is no memory now. */
bool stream_pages_have_pads(struct stream *stream);
/* A lap ends, by a pad or at the end of the ring. */
void stream_pages_end_lap(struct stream *stream);

/* Covers the rest of the lap with pad records, so that the next record starts at offset 0. Not with an open claim.
 * false: there is no memory for them now, and nothing has changed. */
bool stream_rewind(struct stream *stream);

/* Position up to which all required consumers are done, looked at anew. */
uint64_t stream_slowest_ack(struct stream *stream);
/* Publishes and waits until that is at least `wanted`. 0, -EAGAIN, ENRG_E_STOPPED. */
int stream_wait_for_ack(struct stream *stream, uint64_t wanted, uint64_t timeout_ns);

/* As stream_rewind; where publishing is held, only with nothing held back, and the pad is published at once. */
bool stream_rewind_now(struct stream *stream);

/* Called before the first publishing behind a wait at the end of the window: tells the governor how it went. */
void stream_end_turn(struct stream *stream);

/* For those who look from outside: the window, and why it is as it is. */
void stream_tell_window(struct stream *stream);

/* For a stream that was just taken over: the last boundary that its earlier lives have published. */
void boundary_restore(struct stream *stream, uint64_t head);

/* Reads the consumer entries anew: what `consumer_changes` counts. */
void stream_read_consumers(struct stream *stream, uint32_t changes);

#endif

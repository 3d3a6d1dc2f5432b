/* consumer_state.h: what a consumer consists of; for consumer.c and consumer_wait.c alone. */
#ifndef PLANE_CONSUMER_STATE_H
#define PLANE_CONSUMER_STATE_H

#include "plane/doorbell.h"
#include "plane/mapping.h"
#include "plane/stream.h"

#define SHORT_STEP_BYTES (64u << 10)
#define SHORT_STEPS      16u

/* What a look at a stream needs, side by side: a thousand streams lie in a thousand pages. */
struct glance {
	const _Atomic uint64_t *head;
	uint64_t position;
};

struct consumer {
	struct mapping mapping;
	struct segment_consumer *slot;
	uint32_t index;
	uint64_t position;    /* behind the last record acquired */
	uint64_t offset;      /* position modulo data_bytes */
	uint64_t head;        /* as last loaded, not below position */
	uint32_t short_steps; /* looks at head in a row, without a sleep between, that found hardly anything new */
	bool has_siblings;    /* its reader has other streams to turn to */
	struct record current;
	struct record alike; /* the last one that was checked word by word for consumer_acquire_many; length 0: none */
	_Alignas(SEGMENT_LINE) struct record many[CONSUMER_MANY]; /* headers of consumer_acquire_many */
	uint32_t ticket;
	uint32_t rung; /* ticket of the producer's sleep that was rung for */
	struct doorbell_spin spin;
	/* Of the first of more streams than can ring: */
	uint64_t deaf_ns;       /* between two looks at the others */
	struct glance *glances; /* at the others; NULL: none yet */
	uint32_t glance_room;
};

static inline uint64_t consumer_load_head(const struct consumer *consumer)
{
	/* Pairs with the release store in stream_publish. */
	return atomic_load_explicit(&consumer->mapping.producer->head, memory_order_acquire);
}

static inline bool consumer_refresh(struct consumer *consumer)
{
	uint64_t head = consumer_load_head(consumer);
	if (head > consumer->head) {
		bool is_short = head - consumer->head < SHORT_STEP_BYTES;
		consumer->short_steps = is_short ? consumer->short_steps + (consumer->short_steps < SHORT_STEPS) : 0;
		consumer->head = head;
	}
	return consumer->head > consumer->position;
}

#endif

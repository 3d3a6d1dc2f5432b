/* rival.h: one way to move messages between processes of this machine, driven as ENRGDAQ's link is: what `enrgdaq bench
 * compare` prints side by side. Producers (processes of their own) copy each message out of their memory and send a
 * CRC-32C of it; one consumer reads every byte, compares the CRC, and checks that each producer's messages come in
 * order, none missing and none twice. All are pinned children of the caller. One thread. */
#ifndef BENCHMARK_RIVAL_H
#define BENCHMARK_RIVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#define RIVAL_PRODUCERS_MAX 8u

/* In front of every message of a transport that has no header of its own. */
struct rival_header {
	uint64_t sequence; /* of this producer, from 1 */
	uint64_t sent_ns;  /* CLOCK_MONOTONIC, before the copy */
	uint32_t producer;
	uint32_t crc; /* of the payload */
	uint32_t is_last;
	uint32_t reserved;
};

struct rival_params {
	unsigned producers;
	uint64_t payload_bytes; /* at least 8 */
	double rate_hz;         /* messages a second of each producer; 0 = as fast as it can */
	uint64_t measure_ns;    /* after a warm-up of a fifth of it */
	uint64_t messages_min;  /* of each producer, however long they take */
};

struct rival_result {
	double gb_per_s, messages_per_s;
	double latency_p50_us, latency_p99_us; /* from before the copy in until the consumer has checked the message */
	double cpu_percent;                    /* all processes together; 100 = one core */
	uint64_t messages;                     /* that were checked */
};

/* A transport. The caller prepares it, forks the sides, and ends it; each side opens its end in its own process. Calls
 * that return int: 0 or a negative code. */
struct rival {
	const char *name;
	int (*prepare)(const struct rival_params *params, void **ret_self, struct enrg_error *err);
	void (*end)(void *self);
	int (*open_producer)(void *self, unsigned producer, void **ret_end);
	/* Blocks while the consumer holds it back. */
	int (*send)(void *end, const struct rival_header *header, const uint8_t *payload);
	/* After the consumer has the last message of every producer. */
	void (*close_producer)(void *end);
	int (*open_consumer)(void *self, void **ret_end);
	/* Blocks until there is a message. What it returns is valid until `release`. `ret_is_checked`: the transport
	 * has compared the CRC over every byte itself. */
	int (*receive)(void *end, struct rival_header *ret_header, const uint8_t **ret_payload, bool *ret_is_checked);
	void (*release)(void *end);
	void (*close_consumer)(void *end);
};

extern const struct rival rival_stream; /* ENRGDAQ's own link */
extern const struct rival rival_zmq;    /* PUSH and PULL over ipc:// */
extern const struct rival rival_unix;   /* a stream socket a producer */

/* As pair_run; ENRG_E_SEQUENCE: a message was missing or came twice; ENRG_E_CORRUPT: a CRC was wrong. */
int rival_run(const struct rival *rival, const struct rival_params *params, struct rival_result *ret_result,
	struct enrg_error *err);

#endif

/* envelope.h: control messages as MessagePack maps, bounded on both sides. docs/control-protocol.md is the contract.
 *
 * On the wire: frame 0 topic, frame 1 envelope, further frames only where a kind says so (a batch has its payload
 * there). Envelope: map {"v": 1, "kind": text, "id": 16 bytes, "t": wall ns, "from": {"supervisor", "job", "type",
 * "pid"}, "body": map}. Bodies are flat maps of text → nil, bool, int, float, text, bytes, or arrays and maps of those
 * to a depth of 8.
 */
#ifndef BUS_ENVELOPE_H
#define BUS_ENVELOPE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#define ENVELOPE_BYTES_MAX (1u << 20)
#define ENVELOPE_DEPTH_MAX 8
#define ENVELOPE_ITEMS_MAX 65536
#define TOPIC_BYTES_MAX    512u

struct envelope {
	char kind[64]; /* "stats", "started", "stop", "heartbeat", "alert", "combined_stats", "batch", "ack" … */
	uint8_t id[16];
	uint64_t sent_wall_ns;
	char supervisor[256], job[256], job_type[128];
	int64_t pid;
	json_t *body;      /* object; bytes are not representable in it and are refused in bodies */
	size_t wire_bytes; /* as it came; set by envelope_parse */
};

void envelope_fini(struct envelope *envelope);
/* Encodes into malloc'ed memory; id and time are set where zero. */
int envelope_format(struct envelope *envelope, void **ret_bytes, size_t *ret_count, struct enrg_error *err);
/* ENRG_E_PROTOCOL with what is wrong; never reads outside, never recurses deeper than ENVELOPE_DEPTH_MAX, never
 * allocates more than a small multiple of `count`. */
int envelope_parse(const void *bytes, size_t count, struct envelope *ret_envelope, struct enrg_error *err);

/* Topics of the reference. */
void topic_format(char *ret_topic, size_t topic_bytes, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif

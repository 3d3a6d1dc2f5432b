/* link.h: batches over ZeroMQ where shared memory is off, with the guarantees of the ring: nothing lost, nothing twice.
 * A sender (DEALER) belongs to the producing job, a receiver (ROUTER, bound) to the store. The sender keeps each batch
 * in its own stream until the receiver has acknowledged it, and sends again from there after either side died; the
 * receiver drops what it has already seen by sequence. A window of bytes in flight bounds memory: no high-water mark
 * ever drops.
 *
 * Frames: topic "store.<StoreClass>", envelope (kind "batch": stream uuid as hex, source, run, position, end, sequence,
 * epoch, route …; or "hello", "ack"), payload (the Arrow IPC message as it lies in the ring), and in the first batch of
 * a route the schema message. */
#ifndef BUS_LINK_H
#define BUS_LINK_H

#include "bus/envelope.h"
#include "plane/stream.h"

struct link_sender;
struct link_receiver;

struct link_counters {
	uint64_t batches, bytes; /* payload: sent for the first time; handed out */
	uint64_t duplicates;     /* sent again; received again and thrown away */
	uint64_t holes;          /* receiver: batches whose predecessor was missing, thrown away */
	uint64_t corrupt;        /* sender: records of the ring that could not be read */
	uint64_t malformed;
};

struct link_sender_params {
	const char *url;         /* the store's receiver: ipc:// */
	const char *stream_path; /* read as the required consumer `consumer_name` */
	const char *consumer_name;
	const char *store_type; /* for the topic */
	uint64_t window_bytes;  /* sent and not acknowledged, 16 MiB */
};

/* Starts the thread that forwards and acknowledges. */
int link_sender_start(const struct link_sender_params *params, struct link_sender **ret_sender, struct enrg_error *err);
/* Sends what is left and waits for its acknowledgement, up to timeout_ns. 0; -ETIMEDOUT: the rest stays in the stream.
 */
int link_sender_stop(struct link_sender *sender, uint64_t timeout_ns);
/* Any thread. */
void link_sender_get_counters(const struct link_sender *sender, struct link_counters *ret_counters);

struct link_batch {
	char stream_uuid[33];
	char source[256], run[64];
	struct record header;   /* as in the ring */
	uint64_t position, end; /* in that stream */
	uint16_t group;
	uint16_t schema; /* index in that stream: key for the receiver's cache */
	uint32_t flags;
	char tag[208];
	const void *schema_ipc; /* valid in every batch: the receiver remembers it; may be NULL in a gap */
	uint32_t schema_bytes;
	const uint8_t *payload; /* 64-byte aligned; until the next recv */
};

int link_receiver_open(const char *url, struct link_receiver **ret_receiver, struct enrg_error *err);
void link_receiver_close(struct link_receiver *receiver);
/* Once a second: 1: the name of its ipc socket was gone, and it was bound again, while connections that stand went on;
 * 0; negative: that failed. */
int link_receiver_look(struct link_receiver *receiver, struct enrg_error *err);
/* Where a sender says hello it is told to go on behind `position`: looked up by the receiver's owner. */
typedef uint64_t link_resume_function(void *context, const char *stream_uuid);
void link_receiver_set_resume(struct link_receiver *receiver, link_resume_function *resume, void *context);
/* What a sender may claim: position up to which it was told that all is committed, as its stream itself knows it.
 * Negative: no stream of this store, whose messages are thrown away. Asked when a stream is new, and when a hello names
 * a position beyond what the store has committed. Without it (NULL) every sender is believed. */
typedef int link_vet_function(void *context, const char *stream_uuid, uint64_t *ret_position);
void link_receiver_set_vet(struct link_receiver *receiver, link_vet_function *vet, void *context);
/* 1: a batch, in order, each once; 0: none within the timeout; negative: malformed message, thrown away (err). */
int link_receiver_recv(
	struct link_receiver *receiver, int timeout_ms, struct link_batch *ret_batch, struct enrg_error *err);
/* Tells the sender of that stream that all up to `position` is committed. */
int link_receiver_ack(struct link_receiver *receiver, const char *stream_uuid, uint64_t position);
/* Senders that have nothing more (closed in order and all acknowledged) count down; number still open. */
uint32_t link_receiver_open_senders(const struct link_receiver *receiver);
/* Does a sender wait with a full window for a commit? Cleared by the ack. A store that commits seldom commits then. */
bool link_receiver_is_commit_due(const struct link_receiver *receiver);
/* Descriptor that becomes readable when something may have come (ZMQ_FD semantics: recv until 0). */
int link_receiver_descriptor(struct link_receiver *receiver);
void link_receiver_get_counters(const struct link_receiver *receiver, struct link_counters *ret_counters);

#endif

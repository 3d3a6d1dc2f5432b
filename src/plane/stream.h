/* stream.h: one producer, many consumers, one file on tmpfs: the single-writer log ring.
 *
 * Producer side: stream_create or stream_adopt, then claim / commit / publish or abort on one thread. Consumer side:
 * consumer_open, then acquire / release on one thread. While both sides run, no call on the path of a batch locks,
 * allocates or enters the kernel.
 */
#ifndef PLANE_STREAM_H
#define PLANE_STREAM_H

#include <stdbool.h>

#include "enrgdaq/error.h"
#include "plane/boundary.h"
#include "plane/segment.h"

struct stream;   /* a producer's mapping */
struct consumer; /* a consumer's mapping of one stream */

/* --- life of the file ------------------------------------------------------------------------------------------------
 */

struct stream_params {
	const char *path; /* "/dev/shm/enrgdaq-0/lab1/camera.stream" */
	const char *source, *run, *supervisor;
	uint64_t data_bytes;       /* rounded up to pages; at least twice record_bytes_max */
	uint64_t record_bytes_max; /* largest payload that a claim may ask for */
	bool checks;               /* CRC on (default of the product) */
};

/* Makes the file without a name, then links it to `path`. The ring itself takes pages when its producer needs them,
 * each before it is used: a full tmpfs makes a claim wait, and is never a SIGBUS. -EEXIST; -ENOSPC (there is no room
 * for the first pages) with the size wanted, the size free, and what to change. */
int stream_create(const struct stream_params *params, struct enrg_error *err);

/* Adds a consumer by name before the stream is used (or finds the one that is there); required consumers start at the
 * current head. Called by the supervisor, which holds no lock: the file's owner must not run yet. -ENOSPC: no slot. */
int stream_add_consumer(const char *path, const char *name, struct enrg_error *err);

/* Adds a consumer while the stream is in use: it gets what is published from now on. 1: it is required, and may be
 * opened; 0: the producer has still to say from where on, which it does with its next batch or life sign: call again
 * until it is 1. Negative as stream_add_consumer. */
int stream_join_consumer(const char *path, const char *name, struct enrg_error *err);

/* Gives the slot of a consumer free that reads no more, so that it holds nobody back; its process has closed it, or is
 * gone. 0 also where there is none of that name. */
int stream_drop_consumer(const char *path, const char *name, struct enrg_error *err);

/* Gives back what was asked for by stream_join_consumer and has not been answered: its supervisor was killed, and
 * nobody may ever read there, while the next producer would wait for it. While no producer runs. */
int stream_drop_joining(const char *path, struct enrg_error *err);

/* Of a stream that has no producer, and whose records are all acknowledged: gives the pages of its ring back, and gets
 * those again that a producer takes for granted. Either may be repeated; what the stream counts stays as it is. -EBUSY:
 * it has a producer; -ENOSPC: tmpfs is full. */
int stream_free_pages(const char *path, struct enrg_error *err);
int stream_get_pages(const char *path, struct enrg_error *err);

/* --- looking from outside (status, supervisor, adoption): never writes, except stream_ring_all
 * ------------------------ */

/* What had been published when a consumer joined; all 0: it was there from the beginning, or that is not known. */
struct stream_joined {
	uint64_t position, sequence, batches, rows, bytes, gaps;
};

struct stream_consumer_status {
	char name[240];
	struct stream_joined joined;
	uint32_t pid;
	uint64_t ack, mark, rescued;
	uint64_t backlog_bytes; /* positions from ack to head */
	bool is_attached;       /* its lock is held */
	uint32_t index;         /* of its entry */
};

struct stream_status {
	char source[256], run[64], supervisor[256];
	uint8_t uuid[16];
	uint64_t head, sequence, batches, rows, bytes, dropped_rows;
	uint64_t gaps; /* gap and run records among the batches: what is no batch */
	uint64_t data_bytes, record_bytes_max;
	uint64_t window_bytes;     /* in flight before the producer waits; 0: none, or not told */
	const char *window_reason; /* a constant text */
	uint64_t blocked_ns, blocked_since_ns, wakes, rescued;
	uint32_t epoch, pid;
	bool is_closed;
	bool is_attached; /* a producer holds its lock */
	uint32_t boundary_count;
	struct boundary boundaries[SEGMENT_BOUNDARIES]; /* of runs, the last ones, in their order */
	uint32_t consumer_count;
	struct stream_consumer_status consumers[SEGMENT_CONSUMERS]; /* last: of the others nothing is set */
};

/* 0; -ENOENT; ENRG_E_CORRUPT: not a stream, another version, lengths that do not fit the file. */
int stream_read_status(const char *path, struct stream_status *ret_status, struct enrg_error *err);

/* The same again and again: the file stays open from one look to the next, and who holds its locks is not asked
 * (is_attached stays false). A file that was removed is looked for at its path again. */
struct stream_look {
	int descriptor;            /* -1: not open */
	uint32_t consumer_changes; /* that belongs to `used` */
	uint64_t used;             /* entries of consumers, a bit each */
	bool is_listed;            /* `used` says something */
};
#define STREAM_LOOK_NONE                                                                                               \
	{                                                                                                              \
		.descriptor = -1                                                                                       \
	}
int stream_look(struct stream_look *look, const char *path, struct stream_status *ret_status, struct enrg_error *err);
void stream_look_close(struct stream_look *look);

/* Wakes everybody who sleeps on this stream: called after the death of a process that may have owed a wake-up. */
int stream_ring_all(const char *path, struct enrg_error *err);

/* --- producer
 * --------------------------------------------------------------------------------------------------------- */

/* Takes the stream over as its producer: an OFD lock on the file (-EBUSY: another process is the producer; names its
 * pid), epoch + 1. `hot_bytes`: in flight before the first wait, 0 = no hot window. */
int stream_open(const char *path, uint64_t hot_bytes, struct stream **ret_stream, struct enrg_error *err);

/* Between batches: takes in consumers that have joined. A load of a line that hardly ever changes. */
void stream_admit(struct stream *stream);

/* From now on the window is found by measuring: as small as it can be without consumers that run out of work, and where
 * that suffices, so small that a batch waits no longer than target_ns. `producers`: that share consumers with this one,
 * itself included. Two records always fit. */
void stream_govern(struct stream *stream, uint64_t target_ns, uint32_t producers);

/* That target can't be met: batches have waited for more than twice as long for ten seconds. Sets for how long they
 * wait, and the bytes in flight. */
bool stream_misses_target(const struct stream *stream, uint64_t *ret_wait_ns, uint64_t *ret_bytes);

/* `in order`: publishes, marks the stream closed. NULL is allowed. */
void stream_close(struct stream *stream, bool in_order);

struct stream_route {
	uint16_t group;
	const char *tag;
	const void *schema;
	uint32_t schema_bytes, flags; /* flags: ROUTE_BLOB */
};

/* Registers (or finds) a route; its schema is the encapsulated Arrow IPC message. -ENOSPC: too many routes or schemas,
 * the arena is full, or tmpfs is: err says which. */
int stream_add_route(
	struct stream *stream, const struct stream_route *route, uint16_t *ret_route, struct enrg_error *err);

/* Route `index`; its texts lie in the stream. false: there is none of that number. */
bool stream_find_route(const struct stream *stream, uint32_t index, struct stream_route *ret_route);

/* `route` and `other` are one table whose schema messages say it in different words: the sequence of `route` goes on
 * behind that of both. */
void stream_join_routes(struct stream *stream, uint16_t route, uint16_t other);

struct stream_claim {
	uint8_t *payload; /* 64-byte aligned, from SEGMENT_ALIGN_FROM as stream_align says; payload_bytes writable */
	uint64_t payload_bytes;
};

/* From the next claim on: of a payload of SEGMENT_ALIGN_FROM or more, this byte (rounded down to 64) begins a page; at
 * first the byte 0 does. */
void stream_align(struct stream *stream, uint64_t payload_at);

/* Waits while a required consumer holds the producer back, or no page is left for the ring (then what it has goes
 * round), up to timeout_ns (UINT64_MAX = for ever, 0 = not at all). 0; -EAGAIN timed out; ENRG_E_STOPPED after
 * stream_interrupt; -EMSGSIZE. One claim at a time. */
int stream_claim(struct stream *stream, uint64_t payload_bytes, uint64_t timeout_ns, struct stream_claim *ret_claim);

struct stream_commit {
	uint16_t route;
	uint16_t type; /* RECORD_DATA or RECORD_GAP */
	uint32_t rows;
	uint32_t meta_bytes;
	uint64_t body_bytes; /* meta + body <= the claim: the rest is given back */
	uint64_t acquired_ns;
	uint64_t committed_ns; /* 0 = read the clock */
	uint32_t body_crc;     /* where has_crc: computed by the caller while it filled the claim */
	bool has_crc;
	bool hold; /* do not publish yet: stream_publish, a later commit, or a claim that must wait will */
};

void stream_commit(struct stream *stream, const struct stream_commit *commit);
void stream_publish(struct stream *stream);
void stream_abort(struct stream *stream);

/* --- held: for a producer that publishes at points of its own choice only, together with something else (a processor
 * and its checkpoint). Neither a commit nor a claim that waits publishes anything. */

/* From now on. Directly after stream_open. */
void stream_hold(struct stream *stream);
/* A step begins: what it commits may fill half the ring (a claim beyond that is -EMSGSIZE). Where nothing is held
 * back, waits for consumers at the end of the window, as claims do otherwise. At most a quarter of the ring may be held
 * back by then. */
void stream_begin_step(struct stream *stream);
/* Publishes all that is held back. */
void stream_publish_held(struct stream *stream);
/* Position behind all that was committed: head, once that is published. */
uint64_t stream_tail(const struct stream *stream);
/* Committed and not published. */
uint64_t stream_held_bytes(const struct stream *stream);
uint64_t stream_data_bytes(const struct stream *stream);
/* Largest share of the ring that one step may fill. */
uint64_t stream_step_bytes(const struct stream *stream);
/* This producer goes on exactly where its predecessor stopped: no gap record is due, and with `keeps_epoch` its records
 * count as those of the predecessor's life. Directly after stream_open. */
void stream_continue_exactly(struct stream *stream, uint64_t dropped_rows, bool keeps_epoch);
uint64_t stream_dropped_rows(const struct stream *stream);
/* Rows dropped since the last publishing, where nothing is published with them: into the tally that is valid. */
void stream_note_dropped(struct stream *stream);
void stream_get_uuid(const struct stream *stream, uint8_t ret_uuid[16]);

/* Many records of one size at once, for sources of small records: the bookkeeping of all costs about that of one. */
struct stream_claim_many {
	uint8_t *payload; /* of the first record, 64-byte aligned; that of record i at payload + i * stride_bytes */
	uint32_t stride_bytes; /* what lies between two payloads is not the caller's */
	uint32_t count;        /* records claimed: what was asked for, or less, at least 1 */
};

/* As stream_claim, for up to `count` records of up to payload_bytes each (less than SEGMENT_ALIGN_FROM), cut to what 64
 * KiB and half the ring hold; waits for room for all of them. Also -ENOMEM, at the first call. Between this and the
 * commit comes nothing else on this stream; what takes long meanwhile is taken for the cost of writing. */
int stream_claim_many(struct stream *stream, uint64_t payload_bytes, uint32_t count, uint64_t timeout_ns,
	struct stream_claim_many *ret_claim);

/* commits[i] is record i's (its `hold` does not count); the claimed records from `count` on are given back. Published
 * together, unless `hold`. */
void stream_commit_many(struct stream *stream, const struct stream_commit *commits, uint32_t count, bool hold);

/* For whoever has no claim open, each half a second at least, also with nothing to send: ends a lap through the ring
 * where all is read, and gives pages back that have not been used lately. `now_ns`: CLOCK_MONOTONIC. */
void stream_tend(struct stream *stream, uint64_t now_ns);
/* May there be something to give back, or to get, so that it is worth to tend it soon? */
bool stream_has_spare(const struct stream *stream);
/* Has the ring got no page when it last asked for one (tmpfs, quota or memory is used up)? What it has goes round. */
bool stream_is_short(const struct stream *stream);

/* Sequence that the next commit of this route will have (counts a route's records, from 1). */
uint64_t stream_route_sequence(const struct stream *stream, uint16_t route);
/* Sequence of the last record that was committed, and the 16 bytes that name the stream: what names a batch. */
uint64_t stream_last_sequence(const struct stream *stream);
const uint8_t *stream_uuid(const struct stream *stream);

/* Any thread, also a signal handler: a waiting claim returns ENRG_E_STOPPED, and all later ones that would wait. */
void stream_interrupt(struct stream *stream);

void stream_count_dropped(struct stream *stream, uint64_t rows);
uint64_t stream_blocked_ns(const struct stream *stream); /* time spent waiting for required consumers, of all lives */
uint64_t stream_in_flight(
	const struct stream *stream); /* bytes that the slowest required consumer has not acknowledged */
/* Payload bytes committed by all producers so far, and those of them that every required consumer is done with (about:
 * headers count as unread bytes). */
void stream_read_progress(struct stream *stream, uint64_t *ret_written, uint64_t *ret_acknowledged);
/* Batches (without gap and run records) and their rows committed by all producers so far. */
void stream_read_counts(const struct stream *stream, uint64_t *ret_batches, uint64_t *ret_rows);
uint32_t stream_epoch(const struct stream *stream);
uint64_t stream_payload_max(const struct stream *stream);
bool stream_has_checks(const struct stream *stream);
/* Did this producer take over a stream that an earlier producer had used (so that a gap is due)? */
bool stream_is_successor(const struct stream *stream);

/* --- consumer
 * --------------------------------------------------------------------------------------------------------- */

/* Takes the slot of that name (OFD lock; -EBUSY names the pid that holds it). `position` UINT64_MAX: start at the
 * slot's ack; else at that position (a store's own journal knows better), which must lie between ack and head. To look
 * without holding anybody back: observer.h. */
int consumer_open(
	const char *path, const char *name, uint64_t position, struct consumer **ret_consumer, struct enrg_error *err);
void consumer_close(struct consumer *consumer);

struct consumer_record {
	const struct record *header;
	const uint8_t *payload; /* meta_bytes + body_bytes */
	uint64_t position;      /* of the record */
	uint64_t end;           /* position behind it */
};

/* The next record that is no pad, without waiting. 1: there is one; 0: none now; ENRG_E_CORRUPT: lengths, bounds
 * or CRC wrong (err; the record is not passed: consumer_skip continues behind it where its length can be trusted). */
int consumer_acquire(struct consumer *consumer, struct consumer_record *ret_record, struct enrg_error *err);
/* The next records, up to `count` and CONSUMER_MANY, without waiting: how many, else as consumer_acquire. A corrupt
 * record or the loss of the place is told when it is the first; headers and payloads stay until the next acquire of
 * either kind. */
#define CONSUMER_MANY 64u
int consumer_acquire_many(
	struct consumer *consumer, struct consumer_record *ret_records, uint32_t count, struct enrg_error *err);
/* Checks meta_crc and body_crc of a record (acquire checks the header). 0, ENRG_E_CORRUPT. */
int consumer_check(const struct consumer *consumer, const struct consumer_record *record, struct enrg_error *err);
/* Steps over the corrupt record. -ENODATA: its length can't be trusted: everything up to head is skipped, counted. */
int consumer_skip(struct consumer *consumer);
/* Where it is known from elsewhere where a record begins: continues there. -EINVAL: it is acknowledged, or not
 * published. */
int consumer_go_to(struct consumer *consumer, uint64_t position);

/* Acknowledges all up to `position` with a mark of the caller's, wakes a waiting producer. */
void consumer_release(struct consumer *consumer, uint64_t position, uint64_t mark);

/* Waits until at least one of the consumers has something beyond what it acquired, or `word` (private to the caller's
 * process or shared; NULL = none) differs from `value`, or the timeout is over. Number of consumers with data. */
int consumer_wait(
	struct consumer *const *consumers, uint32_t count, _Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns);

/* Is there something beyond what was acquired, as far as the last look or wait has seen? */
bool consumer_has_seen_more(const struct consumer *consumer);

const struct segment_header *consumer_header(const struct consumer *consumer);
uint64_t consumer_position(const struct consumer *consumer); /* behind the last record acquired */
uint64_t consumer_head(const struct consumer *consumer);
bool consumer_is_closed(const struct consumer *consumer); /* producer ended in order and all was acquired */
/* Bytes (positions) that the producer can still write before it must wait for this consumer. */
uint64_t consumer_room(const struct consumer *consumer);

struct consumer_route {
	uint16_t group;
	uint16_t schema;
	uint32_t flags;
	const char *tag;
	const void *schema_ipc;
	uint32_t schema_bytes;
};

/* Bounded look-up of a record's route. ENRG_E_CORRUPT. */
int consumer_route(const struct consumer *consumer, uint16_t route, struct consumer_route *ret_route);

#endif

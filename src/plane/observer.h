/* observer.h: looks at a stream without taking part in it: a read-only mapping, no entry in the file, no bell, no lock.
 * Any number of observers cost the producer nothing but the sharing of two cache lines; one that is slow, stopped or
 * killed is noticed by nobody. One thread an observer. docs/decisions/0015-open-contract.md.
 *
 * A producer does not wait for observers: what one has not read in time is overwritten. Each record is copied out, and
 * handed over only when the copy was whole; what was missed is counted. Whatever the file contains, and also when it is
 * cut under the observer, calls return errors and never fault.
 */
#ifndef PLANE_OBSERVER_H
#define PLANE_OBSERVER_H

#include <stdbool.h>

#include "enrgdaq/error.h"
#include "plane/segment.h"

struct observer;

struct observer_info {
	char source[256], run[64], supervisor[256];
	uint8_t uuid[16];
};

struct observer_record {
	struct record header; /* type data or gap */
	uint64_t position;
	uint64_t skipped; /* records between the one handed out before and this one that were overwritten */
};

struct observer_route {
	uint16_t group, schema;
	uint32_t flags; /* ROUTE_BLOB */
	char tag[208];
	uint32_t schema_bytes;
	uint8_t schema_ipc[]; /* encapsulated Arrow IPC Schema message */
};

/* Begins at the newest record. -ENOENT; ENRG_E_CORRUPT: not a stream, another version; -errno. */
int observer_open(const char *path, struct observer **ret_observer, struct enrg_error *err);
void observer_close(struct observer *observer); /* takes NULL */
const struct observer_info *observer_info(const struct observer *observer);

/* The next record: 1; 0: none now (look again after some milliseconds). Does not wait, but where it was overtaken: up
 * to 1 ms for the record that comes next. ENRG_E_CORRUPT: scribbled; the next call continues at the newest. -ESTALE:
 * the path leads to another file, or the file was cut: close, and open anew. */
int observer_next(struct observer *observer, struct observer_record *ret_record, struct enrg_error *err);
/* Payload (meta_bytes + body_bytes) of the record that observer_next gave last, valid until the next call; its CRCs are
 * checked where the stream has them. 0; -EOVERFLOW: overwritten before the copy was whole, counted with the next
 * record; ENRG_E_CORRUPT, -ESTALE, -ENOMEM. Whoever samples does not call it for each. */
int observer_copy(struct observer *observer, const uint8_t **ret_payload, struct enrg_error *err);
/* Leaves out what is there: the next record is one that comes from now on. What was left out counts as skipped. */
void observer_skip(struct observer *observer);

/* What a record's route stands for; the observer's own copy, valid as long as it. ENRG_E_CORRUPT, -ESTALE, -ENOMEM. */
int observer_route(struct observer *observer, uint16_t route, const struct observer_route **ret_route);

/* Gives the payload that observer_copy gave last away, and takes the caller's buffer for it: no second copy. Both are
 * malloc'ed, aligned to 64 bytes; NULL with capacity 0 is allowed. */
void observer_swap(struct observer *observer, uint8_t **buffer, uint64_t *capacity);

struct observer_tally {
	uint64_t sequence; /* of the record that was published last; 0: none yet */
	uint64_t batches, rows, bytes;
};

/* What the stream's producers have published so far, whether or not it can still be read. */
void observer_get_tally(struct observer *observer, struct observer_tally *ret_tally);

/* Sequence of the record that was published last, whether or not it can still be read; 0: none yet. Counts what came
 * between two calls. */
uint64_t observer_published(struct observer *observer);

/* The producer has ended in order, and everything it published was handed out or skipped. */
bool observer_is_at_end(struct observer *observer);

#endif

/* mapping.h: a stream's file, opened, checked and mapped. Internal to plane/. */
#ifndef PLANE_MAPPING_H
#define PLANE_MAPPING_H

#include <stdbool.h>

#include "enrgdaq/error.h"
#include "plane/segment.h"

struct mapping {
	int descriptor;
	uint8_t *control;                    /* data_at bytes */
	const struct segment_header *header; /* in control; lengths are used from the copies below, checked at open */
	struct segment_producer *producer;
	struct segment_route *routes;
	uint8_t *arena;
	uint8_t *data;          /* 2 × data_bytes; NULL where only the control part is mapped */
	uint64_t data_at;       /* bytes of the file before the data area */
	uint32_t consumers_max; /* entries that a file of this version can have */
	uint64_t data_bytes;
	uint64_t record_bytes_max;
	bool has_checks;
};

/* MAPPING_OBSERVER: nothing of the file can be written through it. */
enum mapping_use { MAPPING_CONTROL, MAPPING_READER, MAPPING_WRITER, MAPPING_OBSERVER };

/* -ENOENT, ENRG_E_CORRUPT, -errno. */
int mapping_open(struct mapping *mapping, const char *path, enum mapping_use use, struct enrg_error *err);
/* Takes zeroed memory and a mapping that failed to open. */
void mapping_close(struct mapping *mapping);

/* Is it the header of a stream of `file_bytes`, in this version? 0, ENRG_E_CORRUPT. */
int mapping_check_header(const struct segment_header *header, uint64_t file_bytes, uint64_t data_at, const char *path,
	struct enrg_error *err);
/* By the version: how much comes before the data area, and how many entries there can be. */
void mapping_place(struct mapping *mapping, uint32_t version);

/* Pages for a part of the file, before it is used. 0; -ENOSPC: tmpfs, quota or memory is used up now; -errno. */
int mapping_allocate(const struct mapping *mapping, uint64_t at, uint64_t bytes);

/* Entries that exist now; what lies behind them may have no pages, and must not be touched. */
uint32_t mapping_consumer_count(const struct mapping *mapping);
/* Of the entry, in the file. */
static inline uint64_t mapping_consumer_at(uint32_t index)
{
	return index < SEGMENT_FIRST ? SEGMENT_CONSUMERS_AT + (uint64_t)index * 1024u
				     : SEGMENT_MORE_AT + (uint64_t)(index - SEGMENT_FIRST) * 1024u;
}

struct segment_consumer *mapping_consumer(const struct mapping *mapping, uint32_t index);
/* Whose records begin at `head`, where the stream ends now: fills in `joined` and ack, and makes it required. The
 * producer, or who holds its lock. */
void mapping_admit(const struct mapping *mapping, struct segment_consumer *slot, uint64_t head);

/* OFD locks on single bytes of the file: LOCK_PRODUCER, or LOCK_CONSUMER + slot. The kernel frees them when the process
 * dies, however it dies. 0, -EBUSY. */
#define LOCK_PRODUCER 0
#define LOCK_CONSUMER 1
int mapping_lock(const struct mapping *mapping, uint32_t byte);
void mapping_unlock(const struct mapping *mapping, uint32_t byte);
/* Does another open file hold it? */
bool mapping_is_locked(const struct mapping *mapping, uint32_t byte);

/* The tally that belongs to `head`: the one with the largest position not beyond it. */
unsigned mapping_tally(const struct segment_producer *producer, uint64_t head);
/* Route sequence that was last published when head was `head`. */
uint64_t mapping_route_sequence(const struct segment_route *route, uint64_t head);

#endif

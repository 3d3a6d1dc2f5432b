/* journal_layout.h: the bytes of a journal. Internal to journal.c (a store writes its own) and journal_look.c (any
 * process reads it from outside).
 *
 * Layout (little-endian):
 *   0        struct journal_header, 4096 bytes
 *   4096     streams_max × struct stream_entry (512 bytes)
 *   behind   files_max × struct file_entry (1024 bytes)
 * A journal begins with JOURNAL_STREAMS and JOURNAL_FILES entries. Where they do not suffice, a copy with twice as many
 * takes its place by one rename: a kill leaves the old or the new one, and both say the same.
 * Each entry has two sets of values; set `commit & 1` is the valid one. A commit fills the other set and then stores
 * commit + 1. Between commits both sets agree, but for entries that the last commit changed: the next one carries those
 * over. So a commit touches only what changed, and a kill at any instruction leaves the old or the new state.
 */
#ifndef HANDOVER_JOURNAL_LAYOUT_H
#define HANDOVER_JOURNAL_LAYOUT_H

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>

#include "handover/journal.h"

#define STREAM_VALUES 17u
#define STATE_VALUES  (sizeof(struct journal_stream_state) / sizeof(uint64_t))

enum entry_state { ENTRY_FREE = 0, ENTRY_ADDED = 1, ENTRY_KNOWN = 2 };

struct journal_header {
	_Atomic uint64_t magic; /* stored last when the file is made */
	uint32_t version;
	uint32_t streams_max, files_max;
	_Atomic uint32_t pid; /* of the process that holds the lock, for messages */
	uint64_t file_bytes;
	_Alignas(128) _Atomic uint64_t commit;
	_Alignas(128) _Atomic uint64_t reading_position;
	_Atomic uint32_t reading_stream;
	uint32_t crash_stream; /* lives lost on one record: only the process that holds the lock looks */
	uint64_t crash_position;
	uint32_t crash_count;
	_Atomic uint64_t lost_files, lost_bytes, lost_rows; /* struct journal_loss */
	uint64_t identity; /* drawn when it grows first, and kept by its copies; 0 = not yet */
};

struct stream_entry {
	_Atomic uint32_t state; /* ENTRY_FREE or ENTRY_KNOWN, stored last */
	uint32_t reserved;
	uint64_t added_at; /* number of the commit then */
	uint8_t uuid[16];
	char source[208];                          /* for humans; a longer one is cut */
	_Atomic uint64_t values[2][STREAM_VALUES]; /* in the order of struct journal_stream_state */
};

struct file_entry {
	_Atomic uint32_t state; /* enum entry_state; ENTRY_KNOWN: has a committed length */
	uint32_t reserved;
	_Atomic uint64_t length[2];
	char path[JOURNAL_PATH_BYTES];
};

struct journal_layout {
	union {
		struct journal_header header;
		uint8_t header_page[4096];
	};
	struct stream_entry streams[]; /* behind them files: file_at */
};

/* More entries than this say that the header was scribbled on. */
#define ENTRIES_MAX (1u << 20)

static_assert(offsetof(struct journal_header, version) == 8, "journal header");
static_assert(offsetof(struct journal_header, pid) == 20, "journal header");
static_assert(offsetof(struct journal_header, file_bytes) == 24, "journal header");
static_assert(offsetof(struct journal_header, commit) == 128, "journal header");
static_assert(offsetof(struct journal_header, reading_position) == 256, "journal header");
static_assert(offsetof(struct journal_header, crash_count) == 280, "journal header");
static_assert(offsetof(struct journal_header, lost_files) == 288, "journal header");
static_assert(offsetof(struct journal_header, identity) == 312, "journal header");
static_assert(offsetof(struct stream_entry, uuid) == 16, "journal stream");
static_assert(offsetof(struct stream_entry, source) == 32, "journal stream");
static_assert(offsetof(struct stream_entry, values) == 240, "journal stream");
static_assert(sizeof(struct stream_entry) == 512, "journal stream");
static_assert(offsetof(struct file_entry, length) == 8, "journal file");
static_assert(offsetof(struct file_entry, path) == 24, "journal file");
static_assert(sizeof(struct file_entry) == 1024, "journal file");
static_assert(offsetof(struct journal_layout, streams) == 4096, "journal");
static_assert(sizeof(struct journal_layout) == 4096, "journal");
static_assert(STATE_VALUES <= STREAM_VALUES, "journal stream");

static inline size_t journal_layout_bytes(uint32_t streams_max, uint32_t files_max)
{
	return sizeof(struct journal_layout) + (size_t)streams_max * sizeof(struct stream_entry) +
	       (size_t)files_max * sizeof(struct file_entry);
}

static inline struct file_entry *journal_layout_file(
	const struct journal_layout *map, uint32_t streams_max, uint32_t index)
{
	return (struct file_entry *)(uintptr_t)&map->streams[streams_max] + index;
}

static inline uint64_t journal_layout_commit(const struct journal_layout *map)
{
	return atomic_load_explicit(&map->header.commit, memory_order_acquire); /* pairs with journal_commit */
}

static inline uint32_t journal_layout_state(const _Atomic uint32_t *state)
{
	return atomic_load_explicit(state, memory_order_acquire); /* pairs with the release in set_state */
}

/* Values of one set. */
struct journal_stream_state journal_layout_load(const _Atomic uint64_t *values);

/* ENRG_E_CORRUPT, with what to do about it. */
int journal_layout_damaged(const char *path, const char *what, struct enrg_error *err);
/* The counts of a file of `file_bytes`. */
int journal_layout_check(const struct journal_header *header, uint64_t file_bytes, const char *path,
	uint32_t *ret_streams_max, uint32_t *ret_files_max, struct enrg_error *err);
bool journal_layout_is_sound(const struct stream_entry *entry);
/* -ENOENT; ENRG_E_CORRUPT. */
int journal_layout_find(
	const struct journal_layout *map, uint32_t streams_max, const uint8_t uuid[16], uint32_t *ret_index);

/* Name of the entry that keeps the totals behind boundary `index` of a stream. */
void journal_layout_boundary_uuid(const uint8_t uuid[16], uint64_t index, uint8_t ret_uuid[16]);

#endif

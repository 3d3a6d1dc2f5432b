/* journal_state.h: an open journal, as journal.c (what it says) and journal_file.c (where it says it) share it. Store
 * process, main thread. */
#ifndef HANDOVER_JOURNAL_STATE_H
#define HANDOVER_JOURNAL_STATE_H

#include <stdatomic.h>

#include "handover/journal_layout.h"

#define GROWTHS_MAX 24u

#define DIRTY_NOW  1u
#define DIRTY_LAST 2u

struct journal {
	struct journal_layout *map;
	char *path;
	int descriptor;
	uint32_t streams_max, files_max; /* those of the map, checked */
	bool *stream_used;               /* added or found by this process: not to be given up */
	bool *file_used;
	/* Prepared for the next commit, and changed by the last one: bit 0 and bit 1. */
	uint8_t *stream_dirty;
	uint8_t *file_dirty;
	uint32_t stream_end, file_end; /* no index from here on is in use by this process */
	/* What the journal has outgrown stays mapped: paths were handed out of it. */
	struct journal_layout *outgrown[GROWTHS_MAX];
	uint32_t growths;
};

static inline struct file_entry *journal_file_of(const struct journal *journal, uint32_t index)
{
	return journal_layout_file(journal->map, journal->streams_max, index);
}

static inline void journal_set_state(_Atomic uint32_t *state, enum entry_state value)
{
	atomic_store_explicit(state, value, memory_order_release); /* pairs with journal_layout_state */
}

/* A compiler must not move stores of the next step before those of the last: a kill may come between any two. */
static inline void journal_step(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

static inline void journal_copy_values(_Atomic uint64_t *to, const _Atomic uint64_t *from)
{
	for (size_t i = 0; i < STREAM_VALUES; i++)
		atomic_store_explicit(
			&to[i], atomic_load_explicit(&from[i], memory_order_relaxed), memory_order_relaxed);
}

static inline uint64_t journal_get_length(const struct file_entry *entry, uint64_t set)
{
	return atomic_load_explicit(&entry->length[set], memory_order_relaxed);
}

static inline void journal_set_length(struct file_entry *entry, uint64_t set, uint64_t length)
{
	atomic_store_explicit(&entry->length[set], length, memory_order_relaxed);
}

/* Makes room for that many entries. The new file is locked before it has its name: at no moment is there a journal that
 * nobody owns. */
int journal_grow(struct journal *journal, uint32_t streams_max, uint32_t files_max, struct enrg_error *err);

#endif

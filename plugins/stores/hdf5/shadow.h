/* shadow.h: a file that is changed in place by transactions, so that a kill at any moment leaves the state of the last
 * commit, or one that the next open takes back. One thread.
 *
 * What stood in the file at the last commit is changed in memory first (pages of 4 KiB); what is new is appended to the
 * file at once, where nothing points to it yet. A commit writes the old contents of the changed pages to an undo file
 * and then the pages into the file. Each commit has a number; whoever opens the file says which number was the last
 * that counts (the framework's journal knows it): a commit with the number after it is undone.
 *
 * Bytes of rows may be written in place without undo (is_undoable false): the part of a chunk behind the last committed
 * row is read by nobody. That does not hold for compressed chunks, which are moved about in the file.
 */
#ifndef HDF5_SHADOW_H
#define HDF5_SHADOW_H

#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#define SHADOW_PAGE_BYTES 4096u

struct shadow_page {
	uint64_t index;
	uint8_t *bytes; /* NULL: slot is free */
};

struct shadow {
	char *path, *undo_path;
	int descriptor, undo_descriptor;
	uint64_t committed_bytes; /* what lies below was there at the last commit, and can be undone */
	uint64_t used_bytes;      /* length for its user at the last commit; the rest is cut off at the end */
	uint64_t end;             /* length that it has for its user */
	uint64_t page_count, slot_count;
	struct shadow_page *slots; /* hash table with open addressing; slot_count is a power of two */
	bool is_synced;      /* the disk has the undo file before the pages, and the pages at the end of a commit */
	bool is_frozen;      /* nothing more reaches the file */
	int failure;         /* -errno of the first failed access, 0 = none; from then on it is frozen */
	uint64_t unfinished; /* number of a commit that failed halfway, taken back at close; 0 = none */
};

/* Opens or makes the file. `commit` is the number of the last commit that counts; a later one is undone. */
int shadow_open(const char *path, uint64_t commit, struct shadow **ret_shadow, struct enrg_error *err);
/* Throws away what was not committed. `is_clean`: the last commit counts, the undo file is removed. Takes NULL. */
void shadow_close(struct shadow *shadow, bool is_clean);

int shadow_set_synced(struct shadow *shadow, struct enrg_error *err);

/* The last commit counts: forget how to undo it. */
int shadow_settle(struct shadow *shadow, struct enrg_error *err);

/* 0 or -errno. Bytes behind the end read as zero. */
int shadow_read(struct shadow *shadow, uint64_t at, void *ret_bytes, uint64_t count);
/* Where the file can't be written this is 0 all the same, and `failure` says so: libhdf5 can't close a file any more
 * once a write has failed in the middle of a flush. What is undoable is kept in memory, so that libhdf5 reads back what
 * it wrote until it has closed the file; rows are thrown away. */
int shadow_write(struct shadow *shadow, uint64_t at, const void *bytes, uint64_t count, bool is_undoable);

/* Puts all changes into the file as commit number `commit`, with the length `end`. */
int shadow_commit(struct shadow *shadow, uint64_t commit, struct enrg_error *err);

#endif

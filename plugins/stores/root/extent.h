/* extent.h: places of a file that hold nothing any more, and may be written again two commits later: by then the disk
 * has the state that does not refer to them. */
#ifndef ROOT_EXTENT_H
#define ROOT_EXTENT_H

#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#define EXTENT_AGE_COMMITS 3u

struct extent {
	uint64_t position, bytes;
	uint64_t freed_at; /* number of the commit that was being made */
};

struct extent_list {
	struct extent *items; /* in the order of their positions */
	size_t count, capacity;
};

void extent_list_fini(struct extent_list *list);
/* -ENOMEM. Neighbours of the same age are joined. */
int extent_add(struct extent_list *list, uint64_t position, uint64_t bytes, uint64_t commit);
/* Takes the smallest place of at least `bytes` whose rest, if any, can be marked as a gap (4 bytes); UINT64_MAX: there
 * is none. *ret_rest: bytes of the rest, which stay in the list. */
uint64_t extent_take(struct extent_list *list, uint64_t bytes, uint64_t commit, uint64_t *ret_rest);

#endif

/* sequence_set.h: which sequences of one table were seen: the range from the first to the last, less the holes in it. A
 * late one closes its hole, a repeated one is known. Memory grows with the holes, not with the sequences. One thread.
 */
#ifndef ARROW_SEQUENCE_SET_H
#define ARROW_SEQUENCE_SET_H

#include <stddef.h>
#include <stdint.h>

struct sequence_range {
	uint64_t first, last;
};

struct sequence_set {
	uint64_t first, last;         /* 0, 0 while empty: sequences count from 1 */
	struct sequence_range *holes; /* ascending, apart */
	size_t hole_count, hole_capacity;
};

enum sequence_outcome { SEQUENCE_NEW, SEQUENCE_LATE, SEQUENCE_DUPLICATE };

/* An enum sequence_outcome, or -ENOMEM. Sequence 0 and UINT64_MAX are not for use. The set begins zeroed. */
int sequence_set_add(struct sequence_set *set, uint64_t sequence);
/* All from first to last; *ret_duplicates: how many were there before. 0, or -ENOMEM. */
int sequence_set_add_range(struct sequence_set *set, uint64_t first, uint64_t last, uint64_t *ret_duplicates);
void sequence_set_fini(struct sequence_set *set);

#endif

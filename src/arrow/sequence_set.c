/* sequence_set.c: see the header. Used by `enrgdaq verify` and whoever proves a file whole. */
#include "arrow/sequence_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int insert_hole(struct sequence_set *set, size_t index, uint64_t first, uint64_t last)
{
	if (set->hole_count == set->hole_capacity) {
		size_t capacity = set->hole_capacity ? 2 * set->hole_capacity : 16;
		struct sequence_range *grown = realloc(set->holes, capacity * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		set->holes = grown;
		set->hole_capacity = capacity;
	}
	memmove(&set->holes[index + 1], &set->holes[index], (set->hole_count - index) * sizeof(*set->holes));
	set->holes[index] = (struct sequence_range){first, last};
	set->hole_count++;
	return 0;
}

/* Takes one sequence out of hole `index`, which holds it. */
static int close_hole(struct sequence_set *set, size_t index, uint64_t sequence)
{
	struct sequence_range *hole = &set->holes[index];

	if (hole->first == hole->last) {
		set->hole_count--;
		memmove(hole, hole + 1, (set->hole_count - index) * sizeof(*hole));
	} else if (sequence == hole->first) {
		hole->first++;
	} else if (sequence == hole->last) {
		hole->last--;
	} else {
		uint64_t last = hole->last;
		int rc = insert_hole(set, index + 1, sequence + 1, last);
		if (rc < 0)
			return rc;
		set->holes[index].last = sequence - 1; /* insert_hole may have moved the array */
	}
	return SEQUENCE_LATE;
}

static int add_inside(struct sequence_set *set, uint64_t sequence)
{
	size_t low = 0, high = set->hole_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (set->holes[middle].last < sequence)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == set->hole_count || set->holes[low].first > sequence)
		return SEQUENCE_DUPLICATE;
	return close_hole(set, low, sequence);
}

int sequence_set_add(struct sequence_set *set, uint64_t sequence)
{
	int rc = 0;

	if (set->last == 0) {
		set->first = set->last = sequence;
		return SEQUENCE_NEW;
	}
	if (sequence > set->last) {
		if (sequence > set->last + 1)
			rc = insert_hole(set, set->hole_count, set->last + 1, sequence - 1);
		if (rc == 0)
			set->last = sequence;
		return rc < 0 ? rc : SEQUENCE_NEW;
	}
	if (sequence < set->first) {
		if (sequence + 1 < set->first)
			rc = insert_hole(set, 0, sequence + 1, set->first - 1);
		if (rc == 0)
			set->first = sequence;
		return rc < 0 ? rc : SEQUENCE_LATE;
	}
	return add_inside(set, sequence);
}

int sequence_set_add_range(struct sequence_set *set, uint64_t first, uint64_t last, uint64_t *ret_duplicates)
{
	*ret_duplicates = 0;
	for (uint64_t i = 0; i <= last - first; i++) { /* `last` may be the greatest number there is */
		int rc = sequence_set_add(set, first + i);
		if (rc < 0)
			return rc;
		*ret_duplicates += rc == SEQUENCE_DUPLICATE;
	}
	return 0;
}

void sequence_set_fini(struct sequence_set *set)
{
	free(set->holes);
	*set = (struct sequence_set){0};
}

/* extent.c: see the header. Store process, main thread. */
#include "extent.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define GAP_BYTES_MIN 4u

void extent_list_fini(struct extent_list *list)
{
	free(list->items);
	*list = (struct extent_list){0};
}

static void remove_at(struct extent_list *list, size_t index)
{
	list->count--;
	memmove(&list->items[index], &list->items[index + 1], (list->count - index) * sizeof(*list->items));
}

static bool is_ripe(const struct extent *extent, uint64_t commit)
{
	return extent->freed_at + EXTENT_AGE_COMMITS <= commit;
}

/* With the one behind it; not a ripe one with a young one, which would make both wait. */
static void join(struct extent_list *list, size_t index, uint64_t commit)
{
	struct extent *left = &list->items[index];

	if (index + 1 >= list->count || left->position + left->bytes != left[1].position)
		return;
	if (left->freed_at != left[1].freed_at && (!is_ripe(left, commit) || !is_ripe(&left[1], commit)))
		return;
	left->bytes += left[1].bytes;
	if (left[1].freed_at > left->freed_at)
		left->freed_at = left[1].freed_at;
	remove_at(list, index + 1);
}

int extent_add(struct extent_list *list, uint64_t position, uint64_t bytes, uint64_t commit)
{
	size_t index = list->count;

	if (bytes == 0)
		return 0;
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 16;
		struct extent *items = realloc(list->items, capacity * sizeof(*items));
		if (!items)
			return -ENOMEM;
		list->items = items;
		list->capacity = capacity;
	}
	while (index > 0 && list->items[index - 1].position > position)
		index--;
	memmove(&list->items[index + 1], &list->items[index], (list->count - index) * sizeof(*list->items));
	list->items[index] = (struct extent){position, bytes, commit};
	list->count++;
	join(list, index, commit);
	if (index > 0)
		join(list, index - 1, commit);
	return 0;
}

uint64_t extent_take(struct extent_list *list, uint64_t bytes, uint64_t commit, uint64_t *ret_rest)
{
	size_t best = SIZE_MAX;

	for (size_t i = list->count; i > 0; i--)
		join(list, i - 1, commit);
	for (size_t i = 0; i < list->count; i++) {
		const struct extent *item = &list->items[i];
		if (!is_ripe(item, commit) || item->bytes < bytes)
			continue;
		if (item->bytes != bytes && item->bytes - bytes < GAP_BYTES_MIN)
			continue;
		if (best == SIZE_MAX || item->bytes < list->items[best].bytes)
			best = i;
	}
	if (best == SIZE_MAX)
		return UINT64_MAX;
	struct extent *taken = &list->items[best];
	uint64_t position = taken->position;
	taken->position += bytes;
	taken->bytes -= bytes;
	*ret_rest = taken->bytes;
	if (taken->bytes == 0)
		remove_at(list, best);
	return position;
}

/* link_window.c: batches read and not acknowledged. */
#include "bus/link_window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void link_window_init(struct link_window *window, uint64_t bytes_max)
{
	*window = (struct link_window){.bytes_max = bytes_max};
}

void link_window_fini(struct link_window *window)
{
	free(window->items);
	*window = (struct link_window){0};
}

static struct link_item *item_at(const struct link_window *window, uint32_t index)
{
	return &window->items[(window->first + index) & (window->capacity - 1)];
}

static int grow(struct link_window *window)
{
	uint32_t capacity = window->capacity ? 2 * window->capacity : 64;

	if (capacity > LINK_WINDOW_ITEMS_MAX)
		return -ENOSPC;
	struct link_item *items = malloc(capacity * sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (uint32_t i = 0; i < window->count; i++)
		items[i] = *item_at(window, i);
	free(window->items);
	window->items = items;
	window->capacity = capacity;
	window->first = 0;
	return 0;
}

int link_window_append(struct link_window *window, const struct link_item *item)
{
	int rc = window->count == window->capacity ? grow(window) : 0;

	if (!rc)
		*item_at(window, window->count++) = *item;
	return rc;
}

bool link_window_is_full(const struct link_window *window)
{
	if (window->sent_count == LINK_WINDOW_ITEMS_MAX)
		return true;
	return window->sent_count && window->sent_count < window->count &&
	       window->sent_bytes + item_at(window, window->sent_count)->header.length > window->bytes_max;
}

const struct link_item *link_window_next(const struct link_window *window)
{
	if (window->sent_count == window->count || link_window_is_full(window))
		return NULL;
	return item_at(window, window->sent_count);
}

void link_window_count_sent(struct link_window *window)
{
	window->sent_bytes += item_at(window, window->sent_count++)->header.length;
}

uint64_t link_window_release(struct link_window *window, uint64_t position)
{
	uint64_t end = 0;

	while (window->count && item_at(window, 0)->end <= position) {
		end = item_at(window, 0)->end;
		if (window->sent_count) {
			window->sent_count--;
			window->sent_bytes -= item_at(window, 0)->header.length;
		}
		window->first = (window->first + 1) & (window->capacity - 1);
		window->count--;
	}
	return end;
}

uint32_t link_window_rewind(struct link_window *window)
{
	uint32_t sent = window->sent_count;

	window->sent_count = 0;
	window->sent_bytes = 0;
	return sent;
}

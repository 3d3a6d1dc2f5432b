/* link_window.h: the batches that a link's sender has read from its stream and that are not acknowledged yet, oldest
 * first: some sent, the rest to be sent (again). The bytes stay in the ring. Sender's thread. */
#ifndef BUS_LINK_WINDOW_H
#define BUS_LINK_WINDOW_H

#include <stdbool.h>

#include "plane/stream.h"

#define LINK_WINDOW_ITEMS_MAX 16384u

struct link_item {
	struct record header;
	const uint8_t *payload; /* in the ring, which keeps it until it is released */
	uint64_t after, position, end;
};

struct link_window {
	struct link_item *items;
	uint32_t capacity, first, count;
	uint32_t sent_count; /* the first of them have been sent */
	uint64_t sent_bytes; /* of those */
	uint64_t bytes_max;
};

void link_window_init(struct link_window *window, uint64_t bytes_max);
void link_window_fini(struct link_window *window);
/* Appends; -ENOMEM, -ENOSPC. */
int link_window_append(struct link_window *window, const struct link_item *item);
/* The next one to send; NULL: none, or it must wait until others are acknowledged. The first one always fits. */
const struct link_item *link_window_next(const struct link_window *window);
bool link_window_is_full(const struct link_window *window);
void link_window_count_sent(struct link_window *window);
/* Drops all up to `position`. End of the last one dropped, 0 where there was none. */
uint64_t link_window_release(struct link_window *window, uint64_t position);
/* All that is left must be sent again. Number of batches that had been sent. */
uint32_t link_window_rewind(struct link_window *window);

#endif

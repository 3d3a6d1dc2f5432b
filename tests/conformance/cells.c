/* cells.c: see the header. In the test process; out of memory ends it. */
#include "cells.h"

#include <stdlib.h>
#include <string.h>

void cells_add(struct cells *cells, const char *text, size_t count)
{
	size_t used = cells->count;

	if ((used & (used - 1)) == 0) {
		cells->items = realloc(cells->items, (used ? 2 * used : 1) * sizeof(*cells->items));
		if (!cells->items)
			abort();
	}
	cells->items[used] = strndup(text, count);
	if (!cells->items[used])
		abort();
	cells->count++;
}

void cells_add_hex(struct cells *cells, const void *bytes, size_t count)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *from = bytes;
	char *text = malloc(2 * count + 1);

	if (!text)
		abort();
	for (size_t i = 0; i < count; i++) {
		text[2 * i] = digits[from[i] >> 4];
		text[2 * i + 1] = digits[from[i] & 15];
	}
	cells_add(cells, text, 2 * count);
	free(text);
}

void cells_fini(struct cells *cells)
{
	for (size_t i = 0; i < cells->count; i++)
		free(cells->items[i]);
	free(cells->items);
	free(cells->is_absent);
	*cells = (struct cells){0};
}

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

void cells_fini(struct cells *cells)
{
	for (size_t i = 0; i < cells->count; i++)
		free(cells->items[i]);
	free(cells->items);
	*cells = (struct cells){ 0 };
}

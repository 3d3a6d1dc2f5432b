/* cells.c: see the header. In the test process; out of memory ends it. */
#include "cells.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* By the C library: another way than the stores'. */
bool cells_add_time(struct cells *cells, const char *text, size_t count)
{
	struct tm parts = {0};
	char copy[40], zone = 0;
	long ns = 0;
	int used = 0;

	snprintf(copy, sizeof(copy), "%.*s", (int)(count < sizeof(copy) ? count : sizeof(copy)), text);
	const char *end = strptime(copy, "%Y-%m-%dT%H:%M:%S.", &parts);
	if (!end || strlen(end) != 10 || sscanf(end, "%9ld%c%n", &ns, &zone, &used) != 2 || zone != 'Z' || used != 10)
		return false;
	/* by numbers that wrap: the first second of all begins before the least integer */
	uint64_t value = (uint64_t)timegm(&parts) * 1000000000u + (uint64_t)ns;
	snprintf(copy, sizeof(copy), "%" PRId64, (int64_t)value);
	cells_add(cells, copy, strlen(copy));
	return true;
}

void cells_fini(struct cells *cells)
{
	for (size_t i = 0; i < cells->count; i++)
		free(cells->items[i]);
	free(cells->items);
	free(cells->is_absent);
	*cells = (struct cells){0};
}

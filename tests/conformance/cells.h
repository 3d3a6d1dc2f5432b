/* cells.h: what was read back from a file, as text in one form for all stores (harness_expected_cell says which). */
#ifndef CONFORMANCE_CELLS_H
#define CONFORMANCE_CELLS_H

#include <stddef.h>

struct cells {
	size_t rows, columns, count; /* count = rows * columns */
	char **items;
};

void cells_add(struct cells *cells, const char *text, size_t count);
/* Bytes as hex digits. */
void cells_add_hex(struct cells *cells, const void *bytes, size_t count);
void cells_fini(struct cells *cells);

#endif

/* cells.h: what was read back from a file, as text in one form for all stores (data_format_cell says which). */
#ifndef CONFORMANCE_CELLS_H
#define CONFORMANCE_CELLS_H

#include <stdbool.h>
#include <stddef.h>

struct cells {
	size_t rows, columns, count; /* count = rows * columns */
	char **items;
	bool *is_absent; /* of each column: the file does not keep it; NULL: it keeps all */
};

void cells_add(struct cells *cells, const char *text, size_t count);
/* Bytes as hex digits. */
void cells_add_hex(struct cells *cells, const void *bytes, size_t count);
/* "2026-11-28T00:12:34.123456789Z" as ns since 1970; false: it is no such text, and nothing was added. */
bool cells_add_time(struct cells *cells, const char *text, size_t count);
void cells_fini(struct cells *cells);

#endif

/* read_raw.c: what the raw store makes of blobs and of tables. In the test process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "readers.h"

/* A blob's bytes, as one cell, are in the file without the suffix. */
static bool read_bytes(const char *path, struct cells *cells)
{
	char *bytes = NULL;
	size_t count;

	if (path_read_file(path, 1u << 30, &bytes, &count, NULL) < 0)
		return false;
	cells_add_hex(cells, bytes, count);
	free(bytes);
	cells->rows = 1;
	cells->columns = 1;
	return true;
}

bool read_raw(const char *path, const struct enrg_schema *schema, struct cells *ret_cells)
{
	char blob_path[1024];

	if (!schema->is_blob)
		return read_arrows(path, schema, ret_cells);
	snprintf(blob_path, sizeof(blob_path), "%.*s", (int)(strlen(path) - strlen(".arrows")), path);
	return read_bytes(blob_path, ret_cells);
}

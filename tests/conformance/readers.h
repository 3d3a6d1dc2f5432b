/* readers.h: reads files of stores back, with code that the stores do not share. */
#ifndef CONFORMANCE_READERS_H
#define CONFORMANCE_READERS_H

#include <stdbool.h>

#include "cells.h"
#include "enrgdaq/schema.h"

bool read_csv(const char *path, const struct enrg_schema *schema, struct cells *ret_cells);
bool read_csv_zstd(const char *path, const struct enrg_schema *schema, struct cells *ret_cells);
bool read_arrows(const char *path, const struct enrg_schema *schema, struct cells *ret_cells);
bool read_hdf5(const char *path, const struct enrg_schema *schema, struct cells *ret_cells);
bool read_root(const char *path, const struct enrg_schema *schema, struct cells *ret_cells);
bool read_raw(const char *path, const struct enrg_schema *schema, struct cells *ret_cells);

/* With the program sqlite3. */
bool read_sqlite(const char *path, const struct enrg_schema *schema, struct cells *ret_cells);

#endif

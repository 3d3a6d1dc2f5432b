/* reading.h: what other people's programs say that is in a database. In the test process. */
#ifndef DATABASES_READING_H
#define DATABASES_READING_H

#include <stdint.h>

#include "../conformance/cells.h"
#include "enrgdaq/schema.h"

/* The output of a shell command, and its length; fails the test where the command fails. free(). */
char *reading_run(const char *command, size_t *ret_bytes);

/* Adds `text`, in which strings, bytes and lists are hex digits where `is_hex`, as data_format_cell would print it. */
void reading_add(struct cells *cells, const struct enrg_column *column, const char *text, size_t count, int is_hex);

/* Row first + i is in line i, all cells right. */
void reading_check(
	int line, const struct cells *cells, const struct enrg_schema *schema, uint64_t first, uint64_t count);

#endif

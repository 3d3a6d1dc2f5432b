/* data.h: the rows that the suite sends: each cell follows from its column and the number of its row. */
#ifndef CONFORMANCE_DATA_H
#define CONFORMANCE_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/schema.h"

#define DATA_CELL_BYTES 64u

/* All types of columns; and two of them. Column 0 is the number of the row. */
extern const struct enrg_schema data_wide, data_narrow;

/* The value of a cell: one number, or the bytes or items of a variable one. Returns how many. */
uint64_t data_fill_cell(const struct enrg_column *column, uint64_t row, void *ret_value);

/* The same as text: integers in decimal, reals as %a, booleans true or false, bytes in hex, lists with blanks in
 * between. */
void data_format_cell(const struct enrg_column *column, uint64_t row, char *ret_text, size_t text_bytes);

/* A whole RecordBatch message of rows first … first + count - 1, 64-byte aligned; free(). */
void *data_build_message(const struct enrg_schema *schema, const char *source, const char *tag, uint64_t sequence,
	uint64_t first, uint64_t count, uint64_t acquired_ns, int is_gap, size_t *ret_bytes);

#endif

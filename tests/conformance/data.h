/* data.h: the rows that the suite sends: each cell follows from its column and the number of its row. */
#ifndef CONFORMANCE_DATA_H
#define CONFORMANCE_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/schema.h"

#define DATA_CELL_BYTES 64u

/* All types of columns; and two of them. Column 0 is the number of the row. */
extern const struct enrg_schema data_wide, data_narrow;
/* Columns that begin with "odd": NaN, infinities, -0.0, text that is no UTF-8, empty lists. */
extern const struct enrg_schema data_odd;
/* Names that some format has no place for. */
extern const struct enrg_schema data_names;

/* The value of a cell: one number, or the bytes or items of a variable one. Returns how many. */
uint64_t data_fill_cell(const struct enrg_column *column, uint64_t row, void *ret_value);

/* The same as text: integers in decimal, reals as %a, booleans true or false, bytes in hex, lists with blanks in
 * between. */
void data_format_cell(const struct enrg_column *column, uint64_t row, char *ret_text, size_t text_bytes);

/* A whole RecordBatch message of rows first … first + count - 1, 64-byte aligned; free(). */
struct data_rows {
	const struct enrg_schema *schema;
	const char *source, *tag;
	uint64_t sequence, first, count, acquired_ns;
	bool is_gap;
};
void *data_build_message(const struct data_rows *rows, size_t *ret_bytes);

/* A message of one blob of `count` bytes; what they are follows from their places. */
void *data_build_blob(const char *source, uint64_t sequence, size_t count, uint64_t acquired_ns, size_t *ret_bytes);
uint8_t data_blob_byte(size_t place);

#endif

/* cells.h: columns of a batch as MySQL's client library takes them. Numbers stay where they are. */
#ifndef MYSQL_CELLS_H
#define MYSQL_CELLS_H

#include <mysql.h>

#include "enrgdaq/batch.h"

struct cells {
	const void *values; /* of numbers, from the first row on */
	uint32_t width;     /* of one number; 0: pointers and lengths */
	enum enum_field_types type;
	bool is_unsigned;
	char *indicators; /* STMT_INDICATOR_NULL where nothing is to be stored */
	const char **pointers;
	unsigned long *lengths;
	int8_t *flags;  /* of booleans */
	char *repaired; /* of text that was no UTF-8 */
};

struct cells_notes {
	uint64_t not_finite; /* reals that MySQL can't hold: NULL */
	uint64_t not_utf8;   /* texts with '?' instead of the bytes that are no UTF-8 */
};

/* Rows first … first + count - 1 of one column; `count` > 0. */
struct cells_rows {
	const struct enrg_column *column;
	const struct enrg_column_view *view;
	uint64_t first, count;
};

/* The cells live as long as the batch; adds to *notes. */
int cells_init(struct cells *cells, const struct cells_rows *rows, struct cells_notes *notes, struct enrg_error *err);
void cells_fini(struct cells *cells); /* takes zeroed cells */

/* As an array of all rows. */
void cells_bind_all(const struct cells *cells, MYSQL_BIND *ret_bind);
/* One row of them. */
void cells_bind_one(const struct cells *cells, uint64_t row, MYSQL_BIND *ret_bind);

#define CELLS_EXTENT_BYTES 96u
/* From where to where the values go, for a person: "from -5 to 100000", "up to 300 bytes"; "" where there is none. */
void cells_format_extent(const struct cells *cells, uint64_t count, char ret_text[CELLS_EXTENT_BYTES]);

/* Bytes at the start of `text` that are UTF-8. */
size_t cells_count_utf8(const char *text, size_t count);

#endif

/* tail.h: what is in a CSV file from an earlier run, and where its good part ends. Reads only. */
#ifndef CSV_TAIL_H
#define CSV_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/error.h"
#include "text.h"

enum ending_form {
	ENDING_OF_LINES,  /* rows without text: each line end is the end of a row, so the file need not be read through */
	ENDING_OF_TEXT,   /* a line end may stand inside of a quoted value */
	ENDING_OF_FRAMES, /* zstd */
};

enum ending {
	ENDING_WHOLE,   /* our header, and the last line (frame) is whole */
	ENDING_TORN,    /* our header, but a part of a line (frame) at the end: *ret_good_bytes says where it starts */
	ENDING_FOREIGN, /* other columns, or no CSV file */
};

/* `size` bytes of the file behind `descriptor`; `header` is our line of column names with its "\n". */
int ending_find(int descriptor, uint64_t size, enum ending_form form, const struct text *header, enum ending *ret_ending,
	uint64_t *ret_good_bytes, struct enrg_error *err);

#endif

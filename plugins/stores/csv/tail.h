/* tail.h: what is in a CSV file from an earlier run, and where its good part ends. Reads only. */
#ifndef CSV_TAIL_H
#define CSV_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/error.h"
#include "text.h"

enum tail_form {
	TAIL_OF_LINES,  /* rows without text: each line end is the end of a row, so the file need not be read through */
	TAIL_OF_TEXT,   /* a line end may stand inside of a quoted value */
	TAIL_OF_FRAMES, /* zstd */
};

enum tail {
	TAIL_WHOLE,   /* our header, and the last line (frame) is whole */
	TAIL_TORN,    /* our header, but a part of a line (frame) at the end: *ret_good_bytes says where it starts */
	TAIL_FOREIGN, /* other columns, or no CSV file */
};

struct tail_file {
	int descriptor;
	uint64_t size;
	enum tail_form form;
};

/* `header` is our line of column names with its "\n". */
int tail_find(const struct tail_file *file, const struct text *header, enum tail *ret_tail, uint64_t *ret_good_bytes,
	struct enrg_error *err);

#endif

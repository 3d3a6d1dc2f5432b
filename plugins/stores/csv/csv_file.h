/* csv_file.h: one CSV file that is being written, plain or zstd, by one or several targets of the same columns. One
 * thread.
 *
 * Text gathers in memory and goes to the file in large pieces; a commit sends the rest and, with zstd, ends the
 * frame, so that the committed part of a file consists of whole lines in whole frames.
 */
#ifndef CSV_CSV_FILE_H
#define CSV_CSV_FILE_H

#include <zstd.h>

#include "enrgdaq/store.h"
#include "text.h"

struct csv_file {
	char *path;
	struct text header;     /* line of the column names */
	struct text text;       /* not yet in the file; with overwrite the newest message */
	struct text compressed; /* room for the compressor */
	struct enrg_file *file; /* NULL with overwrite */
	ZSTD_CCtx *compressor;  /* NULL = plain */
	bool is_overwrite;
	bool has_text; /* a column of strings */
	bool has_open_frame;
	bool is_dirty;  /* something for the next commit */
	unsigned users; /* targets that write to it */
	struct csv_file *next;
};

struct csv_file_params {
	const char *path;
	const struct enrg_schema *schema;
	bool use_zstd, overwrite;
};

/* Opens the file, mends a torn end, writes the header into a new one. ENRG_FILE_IS_OTHER: a file is there that has
 * other columns, or is no such file; nothing was changed. */
int csv_file_open(struct enrg_store *store, const struct csv_file_params *params, struct csv_file **ret_table,
	struct enrg_error *err);
/* Frees; does not commit. NULL is allowed. */
void csv_file_close(struct csv_file *table);

/* Would an opened table take rows of these columns in this form? */
bool csv_file_fits(const struct csv_file *table, const struct csv_file_params *params, const struct text *header);

int csv_file_write(struct csv_file *table, const struct enrg_batch *batch, struct enrg_error *err);
int csv_file_commit(struct enrg_store *store, struct csv_file *table, struct enrg_error *err);

#endif

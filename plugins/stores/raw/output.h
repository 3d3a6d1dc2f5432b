/* output.h: one file of the raw store, written by one or several targets. One thread. */
#ifndef RAW_OUTPUT_H
#define RAW_OUTPUT_H

#include "enrgdaq/store.h"

#include "copier.h"

enum output_mode {
	OUTPUT_APPEND, /* bytes of all messages, one behind the other */
	OUTPUT_NEWEST, /* bytes of the newest message alone */
	OUTPUT_TABLE,  /* no raw bytes but the batches of a table, as an Arrow IPC stream */
};

struct output {
	enum output_mode mode;
	char *path;
	struct enrg_file *file; /* NULL with OUTPUT_NEWEST */
	void *schema_ipc;       /* OUTPUT_TABLE: the Schema message without a source, to compare with */
	uint32_t schema_bytes;
	uint8_t *newest; /* OUTPUT_NEWEST: goes to the file with the next commit */
	uint64_t newest_bytes, newest_capacity;
	uint8_t *piece;       /* of a large message, on its way past the page cache; NULL until wanted */
	struct copier copier; /* that fills it */
	bool is_dirty;        /* `newest` is not in the file yet */
	unsigned users;       /* targets that write to it */
	struct output *next;
};

struct output_params {
	const char *path;
	const char *source; /* noted in a new OUTPUT_TABLE */
	enum output_mode mode;
	const struct enrg_schema *schema;
};

/* ENRG_FILE_IS_OTHER: the file that is there can't be continued in this mode with these columns; it was not changed. */
int output_open(struct enrg_store *store, const struct output_params *params, struct output **ret_output,
	struct enrg_error *err);
/* Frees; does not commit. NULL is allowed. */
void output_close(struct output *output);
/* May an output that is open be used for this as well? 0, ENRG_FILE_IS_OTHER, or an error. */
int output_fits(const struct output *output, const struct output_params *params, struct enrg_error *err);

int output_write(struct output *output, const struct enrg_batch *batch, struct enrg_error *err);
int output_commit(struct enrg_store *store, struct output *output, struct enrg_error *err);

#endif

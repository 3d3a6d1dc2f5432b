/* sink.h: where `enrgdaq convert` puts batches: a store type, driven without a supervisor, or one of Arrow's formats.
 */
#ifndef CLI_SINK_H
#define CLI_SINK_H

#include "cli/input.h"

struct sink_params {
	const char *folder;                    /* of our own: the output is the one file in it */
	const char *journal_path;              /* for a store's journal, outside `folder` */
	const char *section;                   /* of the store: "csv"; NULL: Arrow's */
	bool is_stream;                        /* Arrow's stream and not its file format */
	const char *store_keys, *section_keys; /* TOML */
	const struct enrg_schema *schema;
	/* The schema message of the input, where its batches are handed on with all their columns: then batch.ipc is
	 * what an Arrow file gets. NULL: batches have the columns of `schema`, and no message. */
	const void *schema_ipc;
	uint32_t schema_ipc_bytes;
	const struct ipc_message *message; /* of the batch at hand; of dumps without a stamp */
	const struct enrg_run_info *run;   /* that the file was begun in; NULL: not said */
	bool is_compact;                   /* Arrow's formats with schema_ipc: small batches are merged */
};

struct sink_type {
	int (*open)(const struct sink_params *params, void **ret_state, struct enrg_error *err);
	int (*write)(void *state, const struct enrg_batch *batch, struct enrg_error *err);
	int (*finish)(void *state, struct enrg_error *err);
	void (*close)(void *state); /* without finish before: what was written is worth nothing. Takes NULL. */
};

extern const struct sink_type sink_store, sink_arrow;

/* A TOML string with its quotes in malloc'ed memory. */
char *sink_quote(const char *text);

#endif

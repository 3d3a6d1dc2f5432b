/* merge.h: small batches put together into few large ones, for files that are closed. A slow source commits one row a
 * batch; a record of its own costs such a row 830 to 1,100 bytes, merged with others some bytes more than its values.
 *
 * A merged batch holds the rows of batches that follow each other in sequence, of one source, run, tag, epoch and
 * schema, in their order; it says the first and the last sequence, and the time of acquisition of the oldest row. Gaps,
 * batches of more than MERGE_SMALL_BYTES, with missing values, compressed ones and those without ENRGDAQ's keys stay as
 * they are. The order within each table stays; several tables of one file may change places. One thread.
 */
#ifndef ARROW_MERGE_H
#define ARROW_MERGE_H

#include "arrow/ipc.h"

#define MERGE_SMALL_BYTES (8u << 10)  /* message with its head: larger ones gain little */
#define MERGE_BODY_BYTES  (1u << 20)  /* of a merged batch, about */
#define MERGE_ROWS_MAX    (64u << 10) /* the same */

/* Gets what is to be written, in order. */
typedef int merge_emit_fn(void *context, const void *meta, uint32_t meta_bytes, const void *body, uint64_t body_bytes,
	struct enrg_error *err);

struct merger;

/* `schema` has to outlive it. */
int merger_create(const struct enrg_schema *schema, merge_emit_fn *emit, void *context, struct merger **ret_merger,
	struct enrg_error *err);
void merger_destroy(struct merger *merger); /* takes NULL */
/* The next batch: its message as ipc_read_message has it, and decoded (columns NULL: it can't be, and stays as it is).
 * batch->ipc, ipc_bytes and body_bytes are those of the message. */
int merger_add(struct merger *merger, const struct ipc_message *message, const struct enrg_batch *batch,
	struct enrg_error *err);
/* Emits what is still held. */
int merger_finish(struct merger *merger, struct enrg_error *err);

/* Would it be merged with its neighbours? */
bool merge_is_small(const struct ipc_message *message);

/* --- whole files --- */

struct merge_report {
	bool is_merged; /* else the file is as it was, and `reason` says why */
	uint64_t before_bytes, after_bytes;
	char reason[200];
};

/* Rewrites the .arrows file in place where small batches take at least a quarter of it: beside it (`.NAME.merging`),
 * compared with it value by value, synced, renamed over it, the folder synced. Killed at any moment it leaves the one
 * or the other, and perhaps the file beside it, which the next call removes. A file that is not whole, is linked from
 * elsewhere, that somebody else has locked, is larger than `bytes_max`, or has too little room on its disk is left as
 * it is. 0 with *ret_report; negative: it could not be read or written, and is as it was. */
int merge_file(const char *path, uint64_t bytes_max, struct merge_report *ret_report, struct enrg_error *err);

#endif

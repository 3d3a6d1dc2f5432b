/* checkpoint.h: what a processor had read, held in its state, counted and made at one moment. One file on tmpfs a
 * processor, beside its journal, which has the positions of its inputs: a checkpoint belongs to the commit of the
 * journal with its number. docs/stream-format.md, "checkpoint".
 *
 * Two slots; checkpoint n lies in slot n & 1. A step commits so: (1) the journal's next set of values, (2) the slot of
 * the next number, with the position that the head of the output will have, (3) head, (4) the number of the journal,
 * (5) acknowledgements. What was killed behind (3) is made up by checkpoint_roll_forward: so the one store that commits
 * is that of head, or, where nothing was made, the end of (2). */
#ifndef HANDOVER_CHECKPOINT_H
#define HANDOVER_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#define CHECKPOINT_MAGIC      0x504B484347524E45ull /* "ENRGCHKP" */
#define CHECKPOINT_VERSION    1u
#define CHECKPOINT_STATE_MAX  (512u << 20)
#define CHECKPOINT_STREAMS    65536u
#define CHECKPOINT_INPUTS     4096u
#define CHECKPOINT_POLICIES   4096u
#define CHECKPOINT_NAME_BYTES 112u
#define CHECKPOINT_RUN_BYTES  64u

#define CHECKPOINT_ENDED 1u /* flag: all inputs had ended, and all was flushed */

/* A stream of which a record was read in part. */
struct checkpoint_stream {
	uint8_t uuid[16];
	uint64_t position; /* of the record */
	uint64_t row;      /* first one that was not consumed */
};

/* Counts of this run of an [[input]]: rows read + carried = in + rejected + open. The key: checkpoint_input_key. */
struct checkpoint_input {
	uint32_t key; /* of what it names: counts follow it where the file changes */
	uint32_t reserved;
	uint64_t carried; /* were open when the run began */
	uint64_t read, in;
};

struct checkpoint_policy {
	uint32_t input;
	uint32_t reserved;
	uint64_t rows;
	char name[CHECKPOINT_NAME_BYTES];
};

struct checkpoint {
	uint64_t number;          /* of the journal's commit, from 1 */
	uint64_t output_position; /* that head of the output has when it is valid */
	uint8_t output_uuid[16];  /* zero: there is no output */
	uint64_t dropped_rows;    /* of the output */
	uint32_t text_key;        /* of the text that the processor went by; 0: an earlier version left it out */
	char run[CHECKPOINT_RUN_BYTES];
	uint32_t stream_count, input_count, policy_count, flags;
	struct checkpoint_stream *streams;
	struct checkpoint_input *inputs;
	struct checkpoint_policy *policies;
	uint64_t state_bytes;
	void *state;
};

/* Of what an [[input]] names (group, tag: NULL = all). */
uint32_t checkpoint_input_key(const char *job, const char *group, const char *tag);

struct checkpoint_file; /* a processor's own */

/* Opens or makes it. The processor holds the lock of its journal. ENRG_E_CORRUPT: another file lies there;
 * ENRG_E_VERSION. */
int checkpoint_open(const char *path, struct checkpoint_file **ret_file, struct enrg_error *err);
void checkpoint_close(struct checkpoint_file *file); /* takes NULL */
/* Memory for that slot before it is needed. -ENOSPC: tmpfs is full, and nothing has changed. */
int checkpoint_reserve(struct checkpoint_file *file, const struct checkpoint *checkpoint, struct enrg_error *err);
/* Fills the slot of its number. Reserve before. */
void checkpoint_write(struct checkpoint_file *file, const struct checkpoint *checkpoint);
/* Makes the slot that the next checkpoint of `number` + 1 would have no checkpoint: what a killed process had begun. */
void checkpoint_clear_next(struct checkpoint_file *file, uint64_t number);

/* From any process: the whole checkpoint of that number, checked. -ENOENT: there is none; ENRG_E_CORRUPT: damaged.
 * Without its state unless `with_state`. checkpoint_fini frees it. */
int checkpoint_read(
	const char *path, uint64_t number, bool with_state, struct checkpoint *ret_checkpoint, struct enrg_error *err);
void checkpoint_fini(struct checkpoint *checkpoint); /* takes a zeroed one */

/* For a processor that was killed, while nobody has its journal open: makes its last commit up, where the output's
 * `head` says that it was made. `output_uuid` of the output stream; NULL: there is none. 1: it has; 0; negative. */
int checkpoint_roll_forward(const char *path, const char *journal_path, const uint8_t output_uuid[16], uint64_t head,
	struct enrg_error *err);

/* For a commit of the journal that is made for a processor while it is not there: the checkpoint of `number` as that of
 * the next one as well. Between journal_complete and journal_make_valid. 0 also where there is none. */
int checkpoint_follow(const char *path, uint64_t number, struct enrg_error *err);

#endif

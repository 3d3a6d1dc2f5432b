/* life.h: one life of a processor's process: what its loop (processor.c), its checkpoints (commit.c), its counts
 * (count.c) and its tables (table.c) share. Main thread. */
#ifndef JOB_PROCESSOR_LIFE_H
#define JOB_PROCESSOR_LIFE_H

#include "enrgdaq/processor.h"
#include "handover/checkpoint.h"
#include "job/source/output.h"
#include "job/store/intake.h"
#include "job/store/set_aside.h"

/* One life of a processor; also what its author sees. */
struct enrg_processor {
	struct process *process;
	const struct enrg_processor_type *type;
	struct enrg_job job;
	struct stream *stream; /* NULL: nobody wants what it makes */
	struct journal *journal;
	struct intake intake;
	void *state; /* of the type */
	bool was_exact;
	bool is_new; /* nothing was read before, by any life */
	/* commit.c */
	struct checkpoint_file *file;
	struct checkpoint now; /* what the next checkpoint says; its lists and its state are of this process */
	uint64_t state_room;
	bool last_ended;                     /* the last checkpoint is of a life that had flushed all … */
	char last_run[CHECKPOINT_RUN_BYTES]; /* … in that run … */
	uint32_t last_text_key;              /* … by that text; 0: not known */
	bool has_stepped;                    /* since the last checkpoint */
	uint64_t read_bytes, first_step_ns;
	/* processor.c */
	uint64_t now_ns; /* as last read */
	uint64_t next_tick_ns;
	uint32_t first_input; /* whose turn it is to be first */
	struct set_aside crash;
	struct processor_tables **tables; /* one a stream of the intake; table.c */
	struct processor_gate *gates;     /* the same; gate.c */
	uint32_t gate_count;
	/* hear.c */
	struct enrg_job_type listener;
	bool is_deaf; /* a stop was seen */
};

/* --- commit.c ----------------------------------------------------------------------------------------------------- */

/* Opens the output, the journal and the checkpoint, and finds out where the last life stopped. */
int commit_open(struct enrg_processor *self, struct enrg_error *err);
/* Hands the state of the last checkpoint to the type, behind start. */
int commit_load(struct enrg_processor *self, struct enrg_error *err);
void commit_close(struct enrg_processor *self, bool in_order);
/* Around each call of the author's that is a step. */
void commit_begin_step(struct enrg_processor *self);
void commit_end_step(struct enrg_processor *self);
/* Is it time for a checkpoint while there is more to read? */
bool commit_is_due(const struct enrg_processor *self, const struct intake_input *input);
/* Commits all steps since the last one; nothing where there were none. */
int commit_make(struct enrg_processor *self, struct enrg_error *err);
/* The same for the last time: all inputs have ended, and what was open is flushed. */
int commit_make_last(struct enrg_processor *self, struct enrg_error *err);
/* Of the record at that position the first `row` rows are consumed; row 0: it has to begin with its first, or is done.
 */
int commit_set_part(struct enrg_processor *self, const struct intake_record *record, uint64_t row);
uint64_t commit_part(const struct enrg_processor *self, const struct intake_record *record);

/* --- count.c ------------------------------------------------------------------------------------------------------ */

/* One count for each [[input]], with those of `last` (an earlier life, or zeroed) where they name the same. */
int count_init(struct enrg_processor *self, const struct checkpoint *last, struct enrg_error *err);
const struct job_input *count_input(const struct enrg_processor *self, uint32_t input);

/* --- hear.c ------------------------------------------------------------------------------------------------------- */

/* Before start: makes ready what takes messages, where the type hears any. */
int hear_open(struct enrg_processor *self, struct enrg_error *err);
/* Behind load: from now on it hears. */
void hear_start(struct enrg_processor *self);
/* Between steps: hands over what waits, each message as a step with a checkpoint of its own; for the last time where a
 * stop has come. 0, or what failed. */
int hear_messages(struct enrg_processor *self, uint32_t stop, struct enrg_error *err);
/* When an answer is overdue, CLOCK_MONOTONIC; UINT64_MAX: none is. */
uint64_t hear_deadline(const struct enrg_processor *self);

/* --- gate.c ------------------------------------------------------------------------------------------------------- */

/* That input has come to the boundary `intake.at`, and is not read on. */
int gate_hold(struct enrg_processor *self, const struct intake_record *record, struct enrg_error *err);
bool gate_is_shut(const struct enrg_processor *self, const struct intake_input *input);
bool gate_is_any_shut(const struct enrg_processor *self);
/* Before the first record: where its inputs are in a run that its output has not heard of, it begins there. Once the
 * inputs are open. */
int gate_join(struct enrg_processor *self, struct enrg_error *err);
/* Behind each round: passes the boundary where all inputs have come to it. */
int gate_step(struct enrg_processor *self, struct enrg_error *err);
void gate_free(struct enrg_processor *self);

/* --- table.c ------------------------------------------------------------------------------------------------------ */

struct processor_table {
	uint32_t input; /* index of the [[input]] that takes it */
	struct enrg_schema *schema;
	struct enrg_column_view *views; /* one a column, filled again for each batch */
	char *tag;
};

/* *ret_table NULL: no [[input]] takes that table. ENRG_E_CORRUPT: its schema can't be decoded; -ENOMEM. */
int table_find(struct enrg_processor *self, const struct intake_record *record, struct processor_table **ret_table,
	struct enrg_error *err);
void table_free_all(struct enrg_processor *self);

#endif

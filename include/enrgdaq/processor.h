/* processor.h: for authors of processors: jobs that read the tables of other jobs and produce tables of their own
 * (filters, builders of events), exactly once, whoever is killed.
 *
 * Its file names what it reads ([[input]] job, group, tag); to its stores it is a source, with store groups as any job.
 * The framework runs each processor in a process of its own, on one thread: start, load where an earlier life left a
 * state, then process again and again; save between two of them; flush and destroy at the end.
 *
 * A *step* is one call of process, tick or flush. What it commits exists for nobody until the framework has made a
 * checkpoint, which ties together what was read, the saved state, what was counted and what was made: a processor that
 * is killed at any instruction goes on from its last checkpoint, and its stores see no batch twice and miss none. That
 * holds as long as all that a step depends on is in its rows and in what save writes: no clock, no random numbers, no
 * files.
 */
#ifndef ENRGDAQ_PROCESSOR_H
#define ENRGDAQ_PROCESSOR_H

#include "enrgdaq/batch.h"
#include "enrgdaq/job.h"

#ifdef __cplusplus
extern "C" {
#endif

struct enrg_processor; /* one running processor; owned by the framework, valid from start to destroy */

struct enrg_processor_type {
	size_t size;                         /* sizeof(struct enrg_processor_type): what its author knew of it */
	const char *name;                    /* "DAQJobFilter" */
	const char *const *old_names;        /* deprecated names that still work, NULL at the end; or NULL */
	const char *summary;                 /* one sentence */
	struct enrg_table options;           /* keys beside those that every job has, and [[input]] */
	const struct enrg_job_group *groups; /* store groups that its file may hold; NULL = none */

	/* Makes the state; may open outputs already. `options` lives as long as the processor. Sets *ret_state on
	 * success only. May block as long as it needs; readiness is told when it returns. Failure ends the process,
	 * which is started again with back-off. */
	int (*start)(struct enrg_processor *processor, const void *options, void **ret_state, struct enrg_error *err);

	/* Consumes rows of a batch from `row` on and returns how many, at least 1; commits to outputs by the calls of
	 * job.h. `input` counts the [[input]]s of its file from 0. It is called again for the rest; with fewer rows at
	 * a time a step commits less, which may be half of the ring at most (-EMSGSIZE from a claim). A batch without
	 * rows (batch->is_gap: its producer was started again) comes once and 0 is returned. The batch is valid during
	 * the call. May block in claims alone. A negative code ends the process, what this step committed does not
	 * exist, and the next life begins with the same rows; ENRG_E_STOPPED from a claim is passed on as it is. */
	int64_t (*process)(
		void *state, uint32_t input, const struct enrg_batch *batch, uint64_t row, struct enrg_error *err);

	/* Writes what the state holds beyond its options, in any form: at most `capacity` bytes, *ret_count is how
	 * many. Where they do not suffice, -ENOSPC with the count that does, and it is called again. At most 512 MiB;
	 * written with each checkpoint, so the smaller the better. NULL: there is no state. Never between start and
	 * load. */
	int (*save)(void *state, void *bytes, uint64_t capacity, uint64_t *ret_count, struct enrg_error *err);

	/* Called once behind start where there is a checkpoint: what save wrote then, maybe of an older version of this
	 * type, or under other options (an edited file behind a fast stop or behind a process that failed): check it.
	 * Not behind a run that had ended in order, nor where it was configured anew while the run is on: all was
	 * flushed, and what comes begins with a new state. Failure ends the process, which is started again; as long as
	 * it fails nothing is lost, and its sources are held back when their rings are full. Needed where there is a
	 * save. */
	int (*load)(void *state, const void *bytes, uint64_t count, struct enrg_error *err);

	/* A step that time asks for, each interval (enrg_job_set_interval; default 1 s) while nothing is to be read,
	 * and between reads. `now_ns`: CLOCK_MONOTONIC. May commit. Results as process: 0 or negative. NULL: none. */
	int (*tick)(void *state, uint64_t now_ns, struct enrg_error *err);

	/* The last step: all inputs have ended and all of them is consumed: commits what is still open. Also where a
	 * run begins or has ended in all inputs: what comes next is of another run, and process is called again. NULL:
	 * nothing is ever open. Also where it leaves inputs that go on: it is removed, or configured anew. Not at a
	 * fast stop, nor where it is stopped or restarted: the state is saved, and the next process goes on with it. */
	int (*flush)(void *state, struct enrg_error *err);

	/* Frees the state; takes NULL. Called once, last. */
	void (*destroy)(void *state);

	bool runs_code; /* what its files say may run programs: see struct enrg_option */

	/* By `enrgdaq check` and before anything starts; as that of struct enrg_job_type. NULL where not wanted. */
	int (*check)(const void *options, struct enrg_error *err);

	/* What it hears from others (enrgdaq/message.h), as in struct enrg_job_type; `job` is enrg_processor_job,
	 * `state` that of start. Called between steps, never inside of one, and each call is a step by itself: its
	 * checkpoint is made before anything else happens. So an answer that somebody got stands for what no kill takes
	 * away. A kill between the action and that checkpoint takes the action back: what it changed in the state and
	 * what it made do not exist, and the next life begins with the state of before. Whoever asked gets
	 * ENRG_ANSWER_UNKNOWN then, as where the kill came between checkpoint and answer, and reads the state back.
	 * What `save` does not write is lost with the process, here as everywhere. Reports may be lost; those that were
	 * heard are in the same checkpoints. A processor that waits for its stores, or is within a long step, answers
	 * when that is over. */
	const struct enrg_message_type *const *messages; /* commands that it takes, NULL at the end; or NULL */
	int (*on_alert)(struct enrg_job *job, void *state, const struct enrg_alert *alert, struct enrg_error *err);
	int (*on_stats)(struct enrg_job *job, void *state, const struct enrg_stats *stats, struct enrg_error *err);
	int (*on_started)(
		struct enrg_job *job, void *state, const struct enrg_started *started, struct enrg_error *err);
	int (*on_stopped)(
		struct enrg_job *job, void *state, const struct enrg_stopped *stopped, struct enrg_error *err);
	int (*on_message)(
		struct enrg_job *job, void *state, const struct enrg_message *message, struct enrg_error *err);
	int (*on_trace)(struct enrg_job *job, void *state, const struct enrg_trace *trace, struct enrg_error *err);
	int (*on_combined_stats)(
		struct enrg_job *job, void *state, const struct enrg_combined_stats *stats, struct enrg_error *err);
};

/* For the calls of job.h: outputs, log, alerts, interval. enrg_output_count_dropped enters the checkpoint, too. What
 * goes out at once (enrg_job_send, alerts) is no part of a step: it goes out again where the step is made again after a
 * kill.
 */
ENRG_API struct enrg_job *enrg_processor_job(struct enrg_processor *processor);

struct enrg_processor_input {
	const char *job;
	const char *group; /* NULL: all */
	const char *tag;   /* NULL: all */
};

/* The [[input]]s of its file. A table that several of them name goes to the first. */
ENRG_API uint32_t enrg_processor_input_count(const struct enrg_processor *processor);
ENRG_API struct enrg_processor_input enrg_processor_get_input(const struct enrg_processor *processor, uint32_t input);

/* Goes this life on exactly where the one before it stopped? false: it is the first, or its checkpoint is lost or
 * damaged (which was told): then the state is new, and its outputs say by a gap record that something may be missing
 * or twice. From start on. */
ENRG_API bool enrg_processor_was_exact(const struct enrg_processor *processor);

/* What became of rows of an input that were read in this step or before: each row is counted once, as taken into what
 * is made (`rejected_by` NULL), or as rejected by the policy of that name (up to 111 bytes, the same text each time; 64
 * names an input). Rows that were read and not counted yet are open: held in the state. The ledger: rows read = in +
 * rejected by each policy + open, and nothing is open when all has ended in order. -ENOSPC: too many names; -EINVAL. */
ENRG_API int enrg_processor_count(
	struct enrg_processor *processor, uint32_t input, uint64_t rows, const char *rejected_by);

#ifdef __cplusplus
}
#endif

#endif

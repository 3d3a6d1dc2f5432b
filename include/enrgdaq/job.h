/* job.h: for authors of jobs that produce data (drivers, simulators, monitors).
 *
 * A job type is a table of functions and options. The framework runs each configured job in a process of its own, on
 * one thread: start, then poll again and again, then stop, then destroy. A job may crash, hang or be killed at any
 * moment: what it committed is safe, what it did not commit does not exist.
 *
 * The way of a batch: claim (column pointers point straight into the shared ring), fill, commit; or abort. For single
 * rows append is simpler. None of these allocates, locks or calls the kernel while the consumers keep up; where they do
 * not, claim waits (back-pressure; counted as blocked time) or returns ENRG_E_STOPPED when the job is being stopped.
 */
#ifndef ENRGDAQ_JOB_H
#define ENRGDAQ_JOB_H

#include "enrgdaq/module.h"
#include "enrgdaq/option.h"
#include "enrgdaq/schema.h"

#ifdef __cplusplus
extern "C" {
#endif

struct enrg_job;    /* one running job; owned by the framework, valid from start to destroy */
struct enrg_output; /* one table (or blob stream) that a job produces; owned by the job's enrg_job */

struct enrg_message_type; /* what a job hears from others: enrgdaq/message.h */
struct enrg_alert;
struct enrg_stats;
struct enrg_combined_stats;
struct enrg_started;
struct enrg_stopped;
struct enrg_message;
struct enrg_trace;

enum enrg_poll {
	ENRG_POLL_IDLE =
		0, /* call again at the next interval (enrg_job_set_interval); messages are received meanwhile */
	ENRG_POLL_AGAIN = 1, /* there is more: call again at once */
	ENRG_POLL_DONE = 2,  /* this job has produced all that it ever will: stop it, and do not restart it */
};

struct enrg_job_group {
	const char *key; /* "store_config", "waveform_store_config"; NULL ends the list */
	bool required;
	const char *help;
};

/* A run of a folder with run control (key `runs.control`), as run_start and run_stop are told of it. */
struct enrg_run {
	uint64_t number; /* 0 = it has none */
	const char *id;
	bool is_continued;    /* an earlier life of this job had begun it: what was set up then is to be set up again */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC: whoever takes longer has refused */
};

struct enrg_job_type {
	size_t size;                         /* sizeof(struct enrg_job_type): what its author knew of it */
	const char *name;                    /* "DAQJobTest" */
	const char *const *old_names;        /* deprecated names that still work, NULL at the end; or NULL */
	const char *summary;                 /* one sentence */
	struct enrg_table options;           /* keys beside those that every job has */
	const struct enrg_job_group *groups; /* store groups that the job's file may hold; NULL = none */

	/* Opens the hardware, opens the outputs. `options` lives as long as the job. Sets *ret_state on success only.
	 * May block for as long as the hardware needs; readiness is told when it returns. Failure ends the process,
	 * which is started again with back-off. */
	int (*start)(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err);

	/* Takes what the hardware has and commits it. May block for 0.1 s at the most, but for as long as it likes
	 * inside enrg_job_wait_fd. An enum enrg_poll, or a negative code: the process ends and is started again with
	 * back-off. ENRG_E_STOPPED from a claim or a wait is passed on as it is. */
	int (*poll)(struct enrg_job *job, void *state, struct enrg_error *err);

	/* An ordered stop: stop the acquisition, read the hardware a last time, commit. Not called after a failure.
	 * NULL where there is nothing to do. */
	int (*stop)(struct enrg_job *job, void *state, struct enrg_error *err);

	/* Frees the state; takes NULL. Called once, last. */
	void (*destroy)(void *state);

	bool runs_code; /* what its files say may run programs: see struct enrg_option */

	/* Where run control is on; either may be NULL. Called on the job's thread between two polls, without an open
	 * claim. A negative code refuses, with the reason in err.
	 * run_start: makes the hardware ready and starts it. What it commits itself still belongs to the time before
	 * the run; what the next poll commits belongs to it. Called again in a job that was started again in a run,
	 * where a refusal ends the process as a failed start does. run_stop: stops the hardware and reads it a last
	 * time: what it commits belongs to the run. The run ends also where it refuses; then an alert tells the reason.
	 * Not called where the job never began the run. */
	int (*run_start)(struct enrg_job *job, void *state, const struct enrg_run *run, struct enrg_error *err);
	int (*run_stop)(struct enrg_job *job, void *state, const struct enrg_run *run, struct enrg_error *err);
	/* Default of the key `acquire`: "in_runs" (not polled between runs; for digitizers) in place of "always". */
	bool acquires_in_runs;

	/* By `enrgdaq check` and at the start of `run`, before any process starts; NULL where not wanted. Judges what
	 * stands in the configuration alone; opens and connects nothing. 0, or ENRG_E_CONFIG with a text that begins
	 * with the key ("pattern: …", "stage[0].column: …"): file and line are put before it, and nothing starts. */
	int (*check)(const void *options, struct enrg_error *err);

	/* What it hears from others (enrgdaq/message.h). A job that has one of these needs no `poll`: it is a service
	 * then, and counts for nothing where a run ends because no source will produce any more. A negative code of an
	 * on_… ends the process, as that of `poll` does. */
	const struct enrg_message_type *const *messages; /* commands that it takes, NULL at the end; or NULL */
	int (*on_alert)(struct enrg_job *job, void *state, const struct enrg_alert *alert, struct enrg_error *err);
	int (*on_stats)(struct enrg_job *job, void *state, const struct enrg_stats *stats, struct enrg_error *err);
	int (*on_started)(
		struct enrg_job *job, void *state, const struct enrg_started *started, struct enrg_error *err);
	int (*on_stopped)(
		struct enrg_job *job, void *state, const struct enrg_stopped *stopped, struct enrg_error *err);
	int (*on_message)(
		struct enrg_job *job, void *state, const struct enrg_message *message, struct enrg_error *err);

	/* A service although it has `poll` (for what is due by the clock, or a descriptor): see above. */
	bool is_service;

	/* Jobs trace their batches while there is one job with on_trace, or who subscribes to `traces` otherwise. */
	int (*on_trace)(struct enrg_job *job, void *state, const struct enrg_trace *trace, struct enrg_error *err);

	/* The figures of all jobs of a supervisor. */
	int (*on_combined_stats)(
		struct enrg_job *job, void *state, const struct enrg_combined_stats *stats, struct enrg_error *err);
};

/* The name of this job (unique in its supervisor) and of the supervisor. Valid as long as the job. */
ENRG_API const char *enrg_job_name(const struct enrg_job *job);
ENRG_API const char *enrg_job_supervisor(const struct enrg_job *job);

/* Time from one idle poll to the next, ns; 0 = as often as possible. The schedule does not drift: after a slow poll the
 * missed ticks are skipped. Default 1 s. */
ENRG_API void enrg_job_set_interval(struct enrg_job *job, uint64_t interval_ns);

/* For a job that keeps a schedule of its own: so many of its ticks were left out. They stand beside those that polls
 * overslept, in `enrgdaq status` and the ledger. */
ENRG_API void enrg_job_count_missed(struct enrg_job *job, uint64_t ticks);

/* A few bytes that outlive the instances of this job within a run of its supervisor, zeroed for the first one: where a
 * counter stood that must not give a number twice. Write them before the commit that they belong to: a kill between
 * both then leaves a gap, and no repetition. Once in `start`, at most 64 KiB; aligned to 64 bytes, and on a store to
 * memory as safe against a kill as the stream is. 0; -EINVAL, -EEXIST, and errors of the file behind it. */
ENRG_API int enrg_job_keep(struct enrg_job *job, size_t bytes, void **ret_bytes, struct enrg_error *err);

struct enrg_published {
	uint64_t batches, rows; /* gap records are no batches */
};

/* For a source that reads what can be read again, such as a file: what earlier instances of this job have published in
 * this run (with run control: since its supervisor was started), exact also after a kill. Who asks continues right
 * behind that: nothing is missing there, so no gap record is written. In `start`. All 0: this is the first instance, or
 * no store takes its data. */
ENRG_API void enrg_job_continue(struct enrg_job *job, struct enrg_published *ret_published);

#define ENRG_WAIT_MAX 64u /* descriptors of one enrg_job_wait_fd */

struct pollfd; /* of <poll.h>, for whoever waits: without it a driver may call a function of its own `poll` */

/* Sleeps in the kernel until one of `count` descriptors is ready, as of poll(2) (events, revents; a negative fd is left
 * out), a message or a stop came, or `timeout_ns` is over (UINT64_MAX = never). Meanwhile it gives the signs of life
 * and commits appended rows when they are due, so that a driver needs no interval: poll may stay in here as long as it
 * likes, and returns ENRG_POLL_AGAIN after it, also where nothing came (runs begin and end between two polls). Also
 * from `start` and `stop`, for hardware that takes its time. How many descriptors are ready; 0: the time is over, or a
 * message came and was received; ENRG_E_STOPPED: a stop came (in `stop`: a fast one), which poll and start pass on as
 * it is: `stop` may still read the hardware. -EPERM in a processor behind its start. Other codes: rows that were due
 * could not be committed, or no descriptor is left. */
ENRG_API int enrg_job_wait_fd(
	struct enrg_job *job, struct pollfd *entries, uint32_t count, uint64_t timeout_ns, struct enrg_error *err);

enum enrg_level { ENRG_DEBUG, ENRG_INFO, ENRG_WARNING, ENRG_ERROR };

/* One line in the log, named after the job. Not for every batch. */
ENRG_API void enrg_job_log(struct enrg_job *job, enum enrg_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Which instrument it reads out, for the record of each run: as soon as it is known, again where it changes. UTF-8, cut
 * at 127 bytes; "" or NULL: not known. Copied. What can't be kept is logged, and no failure. */
ENRG_API void enrg_job_identify(struct enrg_job *job, const char *model, const char *serial, const char *firmware);

/* For the records of the runs that a file holds: a copy of it was proved elsewhere. `path`: the file's, absolute;
 * `sha256`: 64 hexadecimal digits; `where`: of the copy, UTF-8 text; `is_here`: the original has not been removed.
 * Where there is no run book nothing happens; what can't be told is logged, and no failure. */
ENRG_API void enrg_job_tell_archived(
	struct enrg_job *job, const char *path, const char *sha256, const char *where, bool is_here);

/* A message for the operator; goes out as an alert and as a log line. */
ENRG_API void enrg_job_alert(struct enrg_job *job, enum enrg_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For a job that has work which it can't do yet: its state is "waiting", and `enrgdaq status` gives this reason (one
 * sentence, copied) until the next call. NULL: it waits for nothing. */
ENRG_API void enrg_job_set_waiting(struct enrg_job *job, const char *reason);

/* For whoever moves files away: is this a file that a store has not closed, in a run of this user that is on, or in one
 * that was killed and will be continued? The stores keep that on tmpfs: some ms. Where it can't be told (what they keep
 * is damaged or gone), every file is: the log says so once. */
ENRG_API bool enrg_job_file_is_open(const struct enrg_job *job, const char *path);

/* Opens a table of the store group `group` ("store_config"). `tag` NULL = none. Schema and tag are copied. The same
 * group, tag and schema give the same output again. Where the configuration has no such group, the output swallows
 * batches without a cost (enrg_output_wanted tells). Errors: -EINVAL schema or group, -ENOSPC too many outputs. */
ENRG_API int enrg_output_open(struct enrg_job *job, const char *group, const char *tag,
	const struct enrg_schema *schema, struct enrg_output **ret_output, struct enrg_error *err);

/* Does any store take this output? */
ENRG_API bool enrg_output_wanted(const struct enrg_output *output);

/* The most rows that one claim of this output can have, given `bytes_per_row` of variable data in all its columns. */
ENRG_API uint64_t enrg_output_rows_max(const struct enrg_output *output, uint64_t bytes_per_row);

struct enrg_column_buffer {
	void *values;            /* write here: `rows` numbers, bits of booleans (zeroed), or variable data */
	int32_t *offsets;        /* variable data: rows + 1 entries, [0] is 0 and set already; else NULL */
	uint64_t value_capacity; /* values (items, bytes) that fit */
};

struct enrg_claim {
	uint64_t rows;                      /* capacity */
	struct enrg_column_buffer *columns; /* one a column */
};

/* Opens a batch of up to `rows` rows. `variable`: one entry a column with the items or bytes needed in all rows
 * together (0 for numbers), or NULL where there is no variable column. One claim a job at a time. 0; ENRG_E_STOPPED;
 * -EMSGSIZE: larger than the largest batch (ring_buffer_slot_size_kb): split it by rows. */
ENRG_API int enrg_output_claim(struct enrg_output *output, uint64_t rows, const uint64_t *variable,
	struct enrg_claim *ret_claim, struct enrg_error *err);

/* Publishes the first `rows` rows of the claim (0 rows publishes an empty batch). `acquired_ns`: wall clock of the
 * oldest row, 0 = now. After it the column pointers are not the caller's any more. */
ENRG_API int enrg_output_commit(
	struct enrg_output *output, uint64_t rows, uint64_t acquired_ns, struct enrg_error *err);

/* Gives the claim back; nothing happened. */
ENRG_API void enrg_output_abort(struct enrg_output *output);

struct enrg_value {
	union {
		int64_t i;        /* ENRG_BOOL, ENRG_I8 … ENRG_I64, ENRG_TIMESTAMP_NS */
		uint64_t u;       /* ENRG_U8 … ENRG_U64 */
		double f;         /* ENRG_F32, ENRG_F64 */
		const void *data; /* strings, bytes, lists: copied */
	};
	uint64_t count; /* bytes or items behind `data` */
};

/* Appends one row (one value a column) to the open batch of this output; the framework commits it when it is full or
 * 1 ms after its first row. 0, ENRG_E_STOPPED, -EMSGSIZE. */
ENRG_API int enrg_output_append(struct enrg_output *output, const struct enrg_value *values, struct enrg_error *err);

/* A column of many rows in the caller's memory. */
struct enrg_column_rows {
	const void *values;    /* the first row's number; a boolean is a byte, 0 or not */
	uint64_t stride_bytes; /* from one row's number to the next, such as the size of a struct that holds a row; 0 =
				  no gaps */
};

/* Appends `rows` rows at once to the open batch, one entry a column; commits whenever it is full, and 1 ms after its
 * first row as enrg_output_append does. For detectors that hand over many small records: a row of 64 bytes costs some
 * ns. Only for tables of numbers (else -EINVAL). 0; ENRG_E_STOPPED and -EBUSY (full beside an open claim): what had not
 * been taken is counted as dropped. */
ENRG_API int enrg_output_append_many(
	struct enrg_output *output, uint64_t rows, const struct enrg_column_rows *columns, struct enrg_error *err);

/* Publishes a copy of a table that lies in the caller's memory, one pointer a column to its numbers; splits by rows
 * where it is larger than the largest batch. Only for tables of numbers. */
ENRG_API int enrg_output_write(struct enrg_output *output, uint64_t rows, const void *const *columns,
	uint64_t acquired_ns, struct enrg_error *err);

/* A table of numbers that is made in pieces: begin; put again and again, first all rows of column 0, then of column 1,
 * and so on; end. Each piece is copied by the instruction that is fastest between these cores now, and its CRC is taken
 * on the way. Where producer and store do not share a cache, this is several times faster than filling a claim by
 * ordinary stores; pieces of 128 KiB or so are best (they stay in the cache). -EMSGSIZE and ENRG_E_STOPPED as for a
 * claim; -EINVAL (too many values, or too few at the end) aborts the table. */
ENRG_API int enrg_output_begin(struct enrg_output *output, uint64_t rows, struct enrg_error *err);
ENRG_API int enrg_output_put(struct enrg_output *output, const void *values, uint64_t count, struct enrg_error *err);
ENRG_API int enrg_output_end(struct enrg_output *output, uint64_t acquired_ns, struct enrg_error *err);

/* Publishes bytes as one message of a blob output. -EMSGSIZE names the key when they are too many. */
ENRG_API int enrg_output_write_blob(struct enrg_output *output, const void *bytes, uint64_t byte_count,
	uint64_t acquired_ns, struct enrg_error *err);

/* Rows that the job itself threw away by a policy named in `policy` (zero suppression is not one: it is data). They
 * enter the ledger. */
ENRG_API void enrg_output_count_dropped(struct enrg_output *output, uint64_t rows, const char *policy);

#ifdef __cplusplus
}
#endif

#endif

/* output.h: the tables that a job produces: the framework's side of enrg_output_… (enrgdaq/job.h). Main thread of a
 * source. */
#ifndef JOB_SOURCE_OUTPUT_H
#define JOB_SOURCE_OUTPUT_H

#include "arrow/ipc.h"
#include "base/copy_tuner.h"
#include "config/toml.h"
#include "enrgdaq/job.h"
#include "handover/kept.h"
#include "job/process/process.h"
#include "job/source/run.h"
#include "job/source/stage.h"
#include "job/source/yield.h"
#include "plane/stream.h"

#define OUTPUTS_MAX SEGMENT_ROUTES
/* While a store holds this job back it gives a sign of life and looks for a stop this often. */
#define OUTPUT_WAIT_NS 500000000ull

struct outputs_params {
	struct stream *stream; /* NULL: all outputs swallow; stays the caller's */
	uint32_t producers;    /* that share stores with this one, itself included */
	const char *source, *run;
	const struct enrg_job_group *groups; /* of the job's type; NULL = none */
	const struct toml_node *toml;        /* the job's file: which groups have a store; NULL = none */
	const char *read_groups;             /* those that other jobs read, a space behind each; NULL = none */
	bool is_patient;         /* at a stop claims wait for stores until a fast one: nothing would be lost */
	struct process *process; /* life signs, counters, stop; NULL in tests */
};

/* All outputs of one job. */
struct outputs {
	struct outputs_params params;
	uint32_t count;
	struct enrg_output *items[OUTPUTS_MAX];
	struct enrg_output *claimed; /* has the one open claim */
	char label[64];              /* what their sequences count under: the run */
	bool is_boundary_due;        /* `boundary` goes out before the next record */
	struct boundary boundary;
	uint32_t staged;         /* outputs with rows that were appended and not yet committed */
	uint64_t drain_until_ns; /* a claim that waits gives up then; 0 = no stop seen yet */
	bool is_short_told;      /* that no page was left for the ring, and not yet that there are some again */
	uint64_t short_told_ns;
	struct copy_tuner copies;
	uint64_t claim_ns; /* when the room for the open claim was asked for */
	uint8_t *scratch;  /* where claims of outputs without a store are filled */
	uint64_t scratch_bytes;
};

/* Fills a body from its start to its end and takes the CRC on the way. */
struct output_filler {
	uint8_t *body;
	uint64_t at;
	uint32_t crc;
	bool has_crc;
};

struct enrg_output {
	struct outputs *set;
	struct enrg_schema *schema;
	char *tag;
	uint16_t group, route;
	bool is_wanted;
	bool is_gap_due; /* a gap record must go out before the next batch */
	bool is_drop_told;
	bool is_notes_told; /* that the stream has no room for further notes */
	struct ipc_template *template;
	uint32_t meta_bytes;
	uint32_t variable_count; /* columns of variable size */
	uint64_t rows_max;       /* of numbers in one batch */
	uint64_t blob_bytes;     /* of a blob: of all that were committed, without what surrounds them */
	/* the open claim */
	struct stream_claim claim;
	uint64_t claim_rows;
	uint64_t *claim_variable, *used_variable;
	struct ipc_column_place *places;
	struct enrg_column_buffer *buffers;
	struct stage stage;
	/* a table that is put in pieces */
	struct output_filler filler;
	uint32_t put_column;
	uint64_t put_rows; /* of that column */
};

/* Of a job whose author's calls are steps, one of which is whole before anything else happens. */
struct job_steps {
	void (*begin)(struct enrg_job *job);
	int (*end)(struct enrg_job *job, struct enrg_error *err);
};

/* One running job, as its author sees it. */
struct enrg_job {
	struct process *process;
	struct outputs *outputs;
	const struct enrg_job_type *type;
	void *state;                   /* of the type, once `start` has returned */
	bool is_started;               /* it has */
	struct receiver *receiver;     /* NULL: it hears nothing and asks nobody */
	const struct job_steps *steps; /* around each message that is received; NULL: of a source, which makes none */
	uint64_t interval_ns;
	bool is_interval_new;
	uint64_t waited_ns;          /* of the poll that runs, in enrg_job_wait_fd */
	enum process_stop stop_seen; /* enrg_job_wait_fd waits on through it: in `stop` that of a drain */
	bool is_latency_told;        /* that latency_target_ms can't be met */
	bool is_slow_told;           /* that a poll took longer than its interval */
	struct yield yield;
	struct source_run run;
	struct enrg_device *devices; /* the first one; NULL: none */
	struct kept kept;            /* what outlives this instance, where the type asked for it */
	/* where shared memory is off: one a sink, NULL where that sink reads the ring */
	size_t link_count;
	struct link_sender **links;
};

int outputs_create(const struct outputs_params *params, struct outputs **ret_outputs, struct enrg_error *err);
void outputs_destroy(struct outputs *outputs); /* takes NULL; an open claim is aborted, staged rows are not committed */

/* Commits all appended rows. The first error is told, the other outputs are committed all the same. */
int outputs_flush(struct outputs *outputs, struct enrg_error *err);
/* Commits appended rows whose linger time is over. */
int outputs_flush_due(struct outputs *outputs, uint64_t now_ns, struct enrg_error *err);
/* From now on batches say that they are of this run. Not with an open claim or appended rows. */
int outputs_set_label(struct outputs *outputs, const char *label, struct enrg_error *err);
/* That boundary goes out before the next record, if there ever is one. */
void outputs_owe_boundary(struct outputs *outputs, const struct boundary *boundary);
/* Commits a boundary now, in the place of one that is owed; swallowed where there is no stream. -ETIMEDOUT: there was
 * no room for it until `deadline_ns` (CLOCK_MONOTONIC; UINT64_MAX or 0 = for ever); ENRG_E_STOPPED. */
int outputs_commit_boundary(
	struct outputs *outputs, const struct boundary *boundary, uint64_t deadline_ns, struct enrg_error *err);
/* Commits the gap records that are still due: before a boundary, since what an earlier life missed lies before it. */
int outputs_commit_gaps(struct outputs *outputs, struct enrg_error *err);
void outputs_forget_gaps(struct outputs *outputs);
/* When the next appended rows are due, CLOCK_MONOTONIC; UINT64_MAX = none. */
uint64_t outputs_deadline(const struct outputs *outputs);

#endif

/* plan.h: all that a job process is told by its supervisor, as JSON in a memory file whose descriptor number stands in
 * ENRGDAQ_PLAN_FD. Readiness goes to ENRGDAQ_READY_FD ("READY=1\n"); ENRGDAQ_LIFELINE_FD is a pipe that ends when the
 * supervisor is gone. ENRGDAQ_MODULE_FD is the file of the job's type as the supervisor had loaded it, so that a
 * version that is installed meanwhile is not mixed with this one; a plan of another version is refused for the same
 * reason. */
#ifndef HANDOVER_PLAN_H
#define HANDOVER_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/error.h"

struct plan_sink { /* of a producer: a store or processor that reads its stream */
	char *store_name;
	char *store_type;
	char *link_url; /* NULL = through shared memory */
	/* The supervisor's own, of a store that leaves: how far it has still to read, and that this is known; what it
	 * has not read stays for it, as nobody waits; and its section has changed, so that it reads the old first. */
	uint64_t mark;
	bool is_leaving, is_parked, is_renewed;
};

struct plan_input { /* of a store or processor: one stream to read */
	char *source;
	char *stream_path;
	char *producer_file; /* for messages */
	char *producer_toml; /* text of the producer's file: holds the sections of this store */
	char *producer_type;
	size_t group_count;
	char **groups; /* groups[i] = key of the group with index i in the producer's type */
	bool is_link;  /* comes over ZeroMQ */
	/* "RUN:EPOCH RUN:EPOCH …": batches of the producer's lives up to EPOCH are of that run, all others of the
	 * present one. NULL: none of an earlier run is left in the stream. */
	char *earlier_runs;
};

struct plan {
	char *version; /* of the program that made the plan; NULL = not said (tests) */
	char *supervisor, *run;
	char *name, *type, *module_path;
	char *file, *toml_text;
	char *runtime_folder; /* of this supervisor */
	char *page_path;
	char *journal_path; /* stores and processors */
	char *publish_url, *subscribe_url;
	int verbosity;
	bool is_log_json;
	char *log_file;            /* NULL = standard error only */
	uint64_t log_rotate_bytes; /* 0 = it is not rotated */
	uint32_t log_keep;
	int previous_signal; /* that ended the last life; 0 = none */
	bool was_hung;       /* the watchdog ended the last life */
	uint32_t life;       /* 0 = first start */
	uint64_t serial;     /* raised with each change of it while the job runs */
	uint64_t beat_ns;    /* a life sign at least this often; 0 = twice a second */
	bool is_store;
	bool has_run_control;  /* runs begin and end while it lives: wish.h */
	bool is_processor;     /* it has what a store has, and what a producer has */
	uint32_t level;        /* 0 = a source or store; a processor: one more than the furthest of its inputs */
	char *checkpoint_path; /* processors */
	/* producers */
	char *read_groups;  /* store groups that other jobs read by [[input]], a space behind each; NULL = none */
	char *stream_path;  /* NULL: nothing takes its data */
	uint64_t hot_bytes; /* window set by hand; 0 = found by measuring */
	uint64_t latency_target_ns;
	uint32_t producers; /* of this supervisor */
	/* What its stream held of earlier runs when this run took it over: data batches, rows. */
	uint64_t earlier_batches, earlier_rows;
	size_t sink_count;
	struct plan_sink *sinks;
	/* stores and processors */
	char *link_url; /* bind here; NULL = none */
	size_t input_count;
	struct plan_input *inputs;
};

/* The plan of a store that runs and is to read other streams from now on: a file beside its page, there from the order
 * until the store has taken it. */
#define PLAN_SUFFIX ".plan"
int plan_write_file(const struct plan *plan, struct enrg_error *err);
int plan_read_file(const struct plan *plan, struct plan **ret_plan, struct enrg_error *err);
void plan_remove_file(const struct plan *plan);

/* Lists that change while a run is on. The index of that name, or the count. */
size_t plan_find_sink(const struct plan *plan, const char *store);
size_t plan_find_input(const struct plan *plan, const char *source);
/* Copies, or moves, an entry to the end of another plan's list. 0, -ENOMEM. */
int plan_copy_sink(const struct plan_sink *sink, struct plan *to);
int plan_move_input(struct plan *from, size_t index, struct plan *to);
void plan_drop_sink(struct plan *plan, size_t index);
void plan_drop_input(struct plan *plan, size_t index);

json_t *plan_format(const struct plan *plan); /* new reference */
int plan_parse(const json_t *json, struct plan **ret_plan, struct enrg_error *err);
void plan_free(struct plan *plan);

#endif

/* runs.h: runs, as they begin and end. With run control they do while jobs live: `run_configure`, `run_start`,
 * `run_stop`, what is wished for, and the account of each. Without it the start is the run (runs_plain.h). Process:
 * supervisor, main thread.
 *
 * A transition is a state, kept in runs.json before anything is told: a supervisor that was killed in it finds in
 * streams and journals how far it came, and goes on. Sources are told last at a start, when all stores are there, and
 * first at a stop; the stop is done when the end stands in each stream, and the account of the run closes when each
 * store has committed that, while the next run may be on.
 */
#ifndef SUPERVISOR_RUNS_H
#define SUPERVISOR_RUNS_H

#include "handover/wish.h"
#include "supervisor/account.h"
#include "supervisor/book.h"
#include "supervisor/commands.h"
#include "supervisor/run_figures.h"
#include "supervisor/runtime.h"

enum runs_state {
	RUNS_IDLE,
	RUNS_CONFIGURING, /* the number, then the jobs of its templates */
	RUNS_CONFIGURED,  /* rests there, until it is started or stopped */
	RUNS_STARTING,    /* stores, then sources */
	RUNS_ON,
	RUNS_ERROR, /* it is on, and a part of it has given up */
	RUNS_STOPPING,
};

#define RUNS_CLOSING 2u /* runs that have ended and are not stored; no other begins while there are so many */

enum runs_progress { RUNS_DONE, RUNS_WAITING, RUNS_REFUSED };

/* What templates add to a run: jobs that are started before its sources and removed behind its end. All may be NULL. */
struct runs_hooks {
	/* Before a number is taken; changes nothing in the system. Adds to `asked` (fields of `run_start`, an object)
	 * what the run's type says, and all its values (`shown_values`: for records, secrets masked), and to `problems`
	 * (an array of texts) all that is wrong. */
	void (*check)(void *context, json_t *asked, json_t *problems);
	/* Does the run that was checked last bring a job of that name? */
	bool (*brings)(void *context, const char *job);
	/* Has that run jobs or messages of its own? Then its end waits until its account is closed, before `clean`. */
	bool (*has_parts)(void *context, const struct account *account);
	/* Called in CONFIGURING until it is not RUNS_WAITING any more, also again by a supervisor that continues:
	 * brings its jobs and sends its messages. `ret_text`: what is waited for, or why it can't be. */
	enum runs_progress (*configure)(
		void *context, const struct account *account, char *ret_text, size_t text_bytes);
	/* Called in STOPPING, when the run has ended everywhere and is stored, also where it was never on: its jobs go.
	 */
	enum runs_progress (*clean)(void *context, const struct account *account, char *ret_text, size_t text_bytes);
	void *context;
};

/* Of all runs of this start that are closed, for one source and store: what is beyond that was between runs. */
struct runs_sum {
	char source[256], store[240];
	uint64_t produced_batches, produced_rows, stored_batches, stored_rows;
};

struct runs {
	bool is_open;
	bool is_on; /* run control is on; else the one run is `account`, without sources */
	const struct runtime *runtime;
	char supervisor[256]; /* its own: folders come and go while it runs */
	struct roster *roster;
	struct commands *commands;
	const struct ledger *ledger;
	struct book *book;                     /* NULL: runs have no record */
	json_t *(*make_record)(void *context); /* record.h; NULL: nothing of it is known */
	void *record_context;
	struct runs_hooks hooks;
	uint64_t patience_ns,
		more_patience_ns; /* more: for the first transition of a supervisor that goes on with it */
	int descriptor;           /* of the wish, for jobs */
	struct wish_page *wishes;
	uint64_t serial;             /* of the wish */
	enum runs_state state, goal; /* goal of CONFIGURING: RUNS_CONFIGURED or RUNS_ON */
	bool is_draining;            /* the supervisor stops */
	bool is_number_asked;        /* CONFIGURING: the book was asked for one */
	bool is_abort_due;           /* … and is ended as soon as it has it */
	uint64_t wanted_number;      /* 0 = the next */
	bool is_told;                /* STARTING: the stores are there, and the sources were told */
	bool is_late;                /* the deadline has passed, and it was said */
	char waits_for[600];         /* a transition, or "" */
	char reason[480];            /* of the state */
	char by[RUN_BY_BYTES];       /* who has brought it there; "" = the engine itself */
	char refused_id[64];         /* the last run that could not be begun, until one is on; "" = none */
	char refused[480];           /* why */
	uint64_t refused_number, refused_wall_ns;
	uint64_t since_wall_ns;
	uint64_t deadline_ns, next_look_ns, closing_look_ns; /* 0: from the next step on */
	uint64_t deadline_wall_ns;                           /* of the state, for who asks; 0 = none */
	uint64_t end_due_ns;                                 /* ON: it ends by time; 0 = not */
	char end_due[480];                                   /* ON: why it ends with the next step; "" = it does not */
	uint64_t absent_ns, absent_pause_ns;                 /* when ends of absent sources are tried again */
	uint64_t last_number;
	struct account *account;                  /* of the run that is on, begins or ends */
	struct account *closing[RUNS_CLOSING];    /* those before, the oldest first */
	json_t *next;                             /* owned: terms of the run that follows by itself; NULL = none */
	char last_id[64];                         /* that was closed last */
	uint64_t closed_count, unaccounted_count; /* of this start */
	json_t *rates;                            /* owned: by type of run, bytes a second of the last that was on */
	uint64_t judged_ns, progress_ns;          /* last look at the run that is on; last progress for the book */
	struct run_figures figures;               /* of the run that was on last, … */
	char figures_of[64];                      /* … which is this one; "" = none */
	char missing[300];                        /* a part of it that is not there, and what it does; "" = none */
	uint32_t sum_count;
	struct runs_sum *sums;
	bool has_asker;
	uint8_t asker[COMMAND_ID_BYTES]; /* a command that waits for the end of the transition */
	enum runs_state asked;           /* what it waits for: RUNS_ON, RUNS_CONFIGURED or RUNS_IDLE */
	uint64_t changes;                /* counts what `status` should say at once */
};

struct runs_alarm {
	const char *key, *event, *severity, *text;
	bool begins;
};

struct runs_params {
	const struct runtime *runtime;
	struct book *book; /* NULL: none is kept */
	json_t *(*make_record)(void *context);
	void *record_context;
	const char *supervisor;
	double deadline_seconds;
	bool has_control;
	bool goes_on; /* the supervisor continues with the run of a killed one: then a run that was on is on */
};

/* Behind plan_set_create: makes what jobs are told by, and knows what a supervisor before this one left. */
int runs_open(struct runs *runs, const struct runs_params *params, struct enrg_error *err);
/* Behind roster_create and control_open. */
void runs_attach(struct runs *runs, struct roster *roster, const struct ledger *ledger, struct commands *commands);
/* `hooks` is copied. */
void runs_set_hooks(struct runs *runs, const struct runs_hooks *hooks);
/* Adds `run_start`, `run_configure`, `run_stop`, `run_state`, `run_note`, `run_flag`. -ENOSPC. */
int runs_add_commands(struct runs *runs);
void runs_close(struct runs *runs); /* takes zeroed state */

/* Does what is due. `now_ns`: the clock of the time in which the supervisor ran. */
void runs_step(struct runs *runs, uint64_t now_ns);
uint64_t runs_next_due(const struct runs *runs); /* UINT64_MAX = nothing */
/* A job comes from outside for the run that is on; where none is, a run of type `custom` begins with it. runs_may_join
 * first, before anything is changed. */
bool runs_may_join(const struct runs *runs, struct enrg_error *err);
int runs_join(struct runs *runs, const char *job, const char *by, struct enrg_error *err);
/* Behind each look at all jobs: is a part of the run missing, and is it to end? `now_ns` as for runs_step. */
void runs_judge(struct runs *runs, uint64_t now_ns);
/* The process of a job has ended, and was not to. */
void runs_note_end(struct runs *runs, const struct member *member);
/* An alarm begins or ends, of one of these kinds (or none): for the record, and as a flag of the run that is on. */
void runs_note_alarm(struct runs *runs, const struct runs_alarm *alarm, const struct enrg_string_list *taint_by);
/* The supervisor stops: no run begins any more; sources that end in order end theirs. */
void runs_begin_stop(struct runs *runs, const char *why);
/* All sources are gone: their streams say that the run has ended also where a source could not. Before stores drain. */
void runs_end_streams(struct runs *runs);
/* All jobs are gone: the last account, and into `ledger` (the object of ledger_format_json) what was between runs.
 * false: a run of this start is not accounted for. */
bool runs_finish(struct runs *runs, json_t *ledger);

/* For status.json and who asks: new reference. */
json_t *runs_format(const struct runs *runs);

#endif

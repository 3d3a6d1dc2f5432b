/* runs.h: runs that begin and end while jobs live: `run_start` and `run_stop`, what is wished for, and the account of
 * each. Process: supervisor, main thread.
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
#include "supervisor/commands.h"
#include "supervisor/runtime.h"

enum runs_state { RUNS_IDLE, RUNS_STARTING, RUNS_ON, RUNS_STOPPING };

#define RUNS_CLOSING 2u /* runs that have ended and are not stored; no other begins while there are so many */

/* Of all runs of this start that are closed, for one source and store: what is beyond that was between runs. */
struct runs_sum {
	char source[256], store[240];
	uint64_t produced_batches, produced_rows, stored_batches, stored_rows;
};

struct runs {
	bool is_on; /* run control is on; else nothing of this is used */
	const struct runtime *runtime;
	char supervisor[256]; /* its own: folders come and go while it runs */
	struct roster *roster;
	struct commands *commands;
	uint64_t patience_ns,
		more_patience_ns; /* more: for the first transition of a supervisor that goes on with it */
	int descriptor;           /* of the wish, for jobs */
	struct wish_page *wishes;
	uint64_t serial; /* of the wish */
	enum runs_state state;
	bool is_told;        /* STARTING: the stores are there, and the sources were told */
	bool is_late;        /* the deadline has passed, and it was said */
	char waits_for[600]; /* a transition, or "" */
	char refused_id[64]; /* the last run that could not be begun, until one is on; "" = none */
	char refused[480];   /* why */
	uint64_t refused_number, refused_wall_ns;
	uint64_t since_wall_ns;
	uint64_t deadline_ns, next_look_ns, closing_look_ns; /* 0: from the next step on */
	uint64_t absent_ns, absent_pause_ns;                 /* when ends of absent sources are tried again */
	uint64_t last_number;
	struct account *account;                  /* of the run that is on, begins or ends */
	struct account *closing[RUNS_CLOSING];    /* those before, the oldest first */
	char last_id[64];                         /* that was closed last */
	uint64_t closed_count, unaccounted_count; /* of this start */
	uint32_t sum_count;
	struct runs_sum *sums;
	bool has_asker;
	uint8_t asker[COMMAND_ID_BYTES]; /* a command that waits for the end of the transition */
	enum runs_state asked;           /* what it waits for: RUNS_ON or RUNS_IDLE */
};

/* Behind plan_set_create: makes what jobs are told by. `goes_on`: the supervisor continues with the run of a killed
 * one: then a run that was on is on. */
int runs_open(struct runs *runs, const struct runtime *runtime, const char *supervisor, double deadline_seconds,
	bool goes_on, struct enrg_error *err);
/* Behind roster_create and control_open. */
void runs_attach(struct runs *runs, struct roster *roster, struct commands *commands);
/* Adds `run_start`, `run_stop`, `run_state`. -ENOSPC. */
int runs_add_commands(struct runs *runs);
void runs_close(struct runs *runs); /* takes zeroed state */

/* Does what is due. `now_ns`: the clock of the time in which the supervisor ran. */
void runs_step(struct runs *runs, uint64_t now_ns);
uint64_t runs_next_due(const struct runs *runs); /* UINT64_MAX = nothing */
/* The supervisor stops: no run begins any more; sources that end in order end theirs. */
void runs_begin_stop(struct runs *runs);
/* All sources are gone: their streams say that the run has ended also where a source could not. Before stores drain. */
void runs_end_streams(struct runs *runs);
/* All jobs are gone: the last account, and into `ledger` (the object of ledger_format_json) what was between runs.
 * false: a run of this start is not accounted for. */
bool runs_finish(struct runs *runs, json_t *ledger);

/* For status.json: new reference. */
json_t *runs_format(const struct runs *runs);

#endif

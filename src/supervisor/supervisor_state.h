/* supervisor_state.h: what the files of supervisor.h have among themselves. Process: supervisor, main thread. */
#ifndef SUPERVISOR_SUPERVISOR_STATE_H
#define SUPERVISOR_SUPERVISOR_STATE_H

#include <jansson.h>

#include "config/folder.h"
#include "supervisor/book.h"
#include "supervisor/control.h"
#include "supervisor/control_plane.h"
#include "supervisor/drain.h"
#include "supervisor/earlier/streams.h"
#include "supervisor/jobs.h"
#include "supervisor/judge.h"
#include "supervisor/keeper.h"
#include "supervisor/ledger.h"
#include "supervisor/pace.h"
#include "supervisor/permission.h"
#include "supervisor/reconfigure.h"
#include "supervisor/renewal.h"
#include "supervisor/roster.h"
#include "supervisor/run_parts.h"
#include "supervisor/run_plans_commands.h"
#include "supervisor/runs.h"
#include "supervisor/service.h"
#include "supervisor/signals.h"
#include "supervisor/transition.h"
#include "supervisor/web_link.h"

#define TICK_NS 1000000000ull

/* Lower half of epoll_data.u64 where the upper half is 0 (members have their enum roster_event there). */
enum own_event { OWN_SIGNAL = 1, OWN_TIMER, OWN_BUS, OWN_CONTROL, OWN_BOOK, OWN_WEB };

/* The last figures that were told to whoever reads them. */
struct told {
	uint64_t at_ns;
	bool is_news; /* they were not those of the time before; so the next ones are wanted, too */
	enum drain_phase phase;
	uint64_t alerts, losses;
	uint64_t runs; /* when their state changed, and how many are closed */
	uint64_t web;
};

struct supervisor {
	const struct supervisor_params *params;
	struct types *types;
	struct folder *folder;
	struct runtime runtime;
	struct plan_set *plans;
	struct stream_specs *specs;
	struct roster *roster;
	struct ledger *ledger;
	struct control_plane control;
	struct control commands;
	struct runs runs;
	struct run_parts run_parts;
	struct run_plans_commands run_plans;
	struct book book;
	struct web_link **web; /* outlives this one */
	struct transition transition;
	struct reconfigure reconfigure;
	struct renewal renewal;
	struct jobs jobs;
	struct permission permission;
	struct sources sources; /* to start with; empty: those of params */
	uint64_t duration_ns;   /* that are left of those of params */
	struct keeper keeper;
	struct losses losses; /* found at the start, until there is a ledger */
	struct alarms alarms;
	struct judge judge;
	struct drain drain;
	struct signals signals;
	struct service service;
	int epoll, timer, lifeline[2];
	uint64_t started_ns, summary_ns;
	struct pace pace;
	struct told told;
	uint64_t looked_ns, away_ns;    /* last look at the clock; time in which this process did not run */
	struct clock_state clock_begin; /* when this process took the run over */
	bool has_begun;                 /* run.json says "running" */
	bool goes_on;                   /* with the run of a supervisor that was killed */
	bool has_mail;                  /* more has come over the bus than a turn could take */
	bool is_status_lost;            /* and it has been said */
};

/* --- supervisor_start.c --- */

/* CLOCK_MONOTONIC without the time in which this process itself did not run: a virtual machine that stood still, a
 * container that was paused, SIGSTOP. The jobs did not run then either, and no patience may end by it. */
uint64_t supervisor_running_ns(struct supervisor *self);
/* Modules and configuration; all that is wrong with it is printed. 0, or an exit code. */
int supervisor_load(struct supervisor *self);
/* All that jobs need is there; none runs. */
int supervisor_start(struct supervisor *self, struct enrg_error *err);

/* --- supervisor_status.c --- */

json_t *supervisor_make_status(const struct supervisor *self, double interval_s, bool is_final);
void supervisor_write_status(struct supervisor *self, const json_t *status);

/* --- supervisor_figures.c --- */

/* Before figures are read there, and before a job is started that needs what lies there. */
void supervisor_look_after(struct supervisor *self, bool is_whole);
/* true: something has changed since the figures were told last. */
bool supervisor_take_samples(struct supervisor *self, bool is_final);
/* All jobs' figures, to whoever reads them, and their signs of life. */
void supervisor_look_at_jobs(struct supervisor *self, uint64_t now_ns);

/* --- supervisor_alarms.c --- */

/* Those of the supervisor before, and the commands of operators. */
int supervisor_open_alarms(struct supervisor *self, struct enrg_error *err);
/* Behind supervisor_take_samples; a run that ends raises none. true: something has changed. */
bool supervisor_judge(struct supervisor *self);
void supervisor_close_alarms(struct supervisor *self);

/* --- supervisor_book.c --- */

/* Behind runtime_open. Only a folder has one: texts leave nothing behind. */
int supervisor_open_book(struct supervisor *self, struct enrg_error *err);
/* A line of the log and an alert; `context` is the supervisor. */
void supervisor_tell(void *context, enum enrg_level level, const char *key, const char *text, bool is_over);
/* Of the first store that writes files. */
void supervisor_find_data_folder(const struct folder *folder, char ret_path[BOOK_PATH_BYTES]);

/* --- supervisor_web.c --- */

/* Last of the start: the program that listens, where [cnc] wants it. */
void supervisor_open_web(struct supervisor *self);

/* --- supervisor_end.c --- */

/* All jobs have ended. An exit code. */
int supervisor_finish(struct supervisor *self);
void supervisor_fini(struct supervisor *self);

#endif

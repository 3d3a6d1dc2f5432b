/* process.h: what every job process has, whether it produces or stores: its plan, its page, its log, its bus, its signals.
 *
 * Threads: the main thread runs the job; the reporter thread owns the bus client, refreshes the page and publishes
 * statistics once a second, sends queued alerts, and turns messages, signals and the end of the supervisor into
 * stop requests. `enrgdaq-job` (argv[0]) or `enrgdaq job` starts here.
 */
#ifndef JOB_PROCESS_PROCESS_H
#define JOB_PROCESS_PROCESS_H

#include <stdatomic.h>

#include "config/folder.h"
#include "handover/page.h"
#include "handover/plan.h"

enum process_stop {
	PROCESS_RUN = 0,
	PROCESS_DRAIN = 1, /* asked, or the supervisor is gone: sources end in order; stores drain their rings, then end */
	PROCESS_HURRY = 2, /* asked for a fast stop: end after the batch at hand; what is left stays on tmpfs */
};

struct process {
	struct plan *plan;
	struct page *page;
	const struct type_entry *type;
	struct types *types;
	struct options_memory *memory;
	struct job_common common;
	void *options;           /* of the type's table */
	_Atomic uint32_t stop;   /* enum process_stop; a futex word: changes wake consumer_wait */
	_Atomic uint32_t is_orphan; /* the supervisor is gone */
	_Atomic uint32_t is_asked;  /* the supervisor has asked for the stop */
	void *on_stop_context;   /* set before on_stop */
	/* Called by the reporter thread each time that stop is raised: stream_interrupt or such. A stop that came
	 * before this was set is only seen in `stop`. */
	void (*_Atomic on_stop)(void *context);
	struct reporter *reporter; /* NULL: alerts are logged only */
	int ready_descriptor;    /* 0 or -1 = none, or told */
	bool is_ready;
};

/* main() of a job process: reads the plan, loads the module, fills the options, runs source_run or store_run, reports.
 * Exit codes: 0 ended in order as asked, or DONE; 1 failed, 2 configuration, 3 hurried, 4 a source that ended in order
 * because somebody else than its supervisor asked. The state of its page is PAGE_DONE after 0 and 3 only. */
int process_main(int argc, char **argv);

/* Tells the supervisor that this job is ready (once; later calls do nothing). */
void process_tell_ready(struct process *process);
/* Life sign; the main loop calls it at least every 0.5 s (cheap: one store, and the clock). */
void process_beat(struct process *process);
enum process_stop process_stop_state(const struct process *process);
/* Raises `stop` (never lowers it) and wakes whoever sleeps on it. Reporter thread; before there is one, any. */
void process_request_stop(struct process *process, enum process_stop stop);
/* Log line and alert for the operator; any thread. Alerts go out as topic "alerts" messages of kind "alert". */
void process_alert(struct process *process, enum enrg_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The two kinds of job. They return an exit code. */
int source_run(struct process *process, struct enrg_error *err);
int store_run(struct process *process, struct enrg_error *err);

#endif

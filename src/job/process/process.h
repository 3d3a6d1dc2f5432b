/* process.h: what every job process has, whether it produces or stores: its plan, its page, its log, its bus, its
 * signals.
 *
 * Threads: the main thread runs the job; the reporter thread owns the bus client, refreshes the page and publishes
 * statistics once a second, sends queued alerts, and turns messages, signals and the end of the supervisor into
 * stop requests. job/main.c starts it.
 */
#ifndef JOB_PROCESS_PROCESS_H
#define JOB_PROCESS_PROCESS_H

#include <poll.h>
#include <stdatomic.h>

#include "config/folder.h"
#include "handover/page.h"
#include "handover/plan.h"
#include "job/process/alerts.h"
#include "job/process/traces.h"

enum process_stop {
	PROCESS_RUN = 0,
	PROCESS_DRAIN =
		1, /* asked, or the supervisor is gone: sources end in order; stores drain their rings, then end */
	PROCESS_HURRY = 2, /* asked for a fast stop: end after the batch at hand; what is left stays on tmpfs */
};

/* What the supervisor reads from the end of a process. */
enum process_exit {
	EXIT_IN_ORDER = 0,
	EXIT_FAILED = 1,
	EXIT_CONFIG = 2,  /* trying again is of no use */
	EXIT_HURRIED = 3, /* a fast stop left something in shared memory */
	EXIT_UNASKED = 4, /* in order, while the run goes on */
};

struct process {
	struct plan *plan;
	struct page *page;
	const struct type_entry *type;
	struct types *types;
	struct options_memory *memory;
	struct job_common common;
	void *options;               /* of the type's table */
	_Atomic uint32_t stop;       /* enum process_stop; a futex word */
	_Atomic uint32_t wake;       /* 1: the main thread is to look; a futex word: process_wake */
	_Atomic int wake_event;      /* an eventfd that tells the same to poll(2), plus one; 0: nobody has polled yet */
	_Atomic uint32_t is_orphan;  /* the supervisor is gone */
	_Atomic uint32_t is_asked;   /* the supervisor has asked for the stop */
	_Atomic uint32_t is_parting; /* it is started again or removed while others go on */
	_Atomic uint32_t is_leaving; /* it is removed: nothing that it holds waits for a next process of this job */
	_Atomic uint32_t is_plan_due; /* the file of its plan is new: the main thread reads it */
	void *on_stop_context;        /* set before on_stop */
	/* Called by the reporter thread each time that stop is raised: stream_interrupt or such. A stop that came
	 * before this was set is only seen in `stop`. */
	void (*_Atomic on_stop)(void *context);
	struct alerts *
		alerts; /* on their way to the reporter thread, as long as there is one; NULL: alerts are logged only */
	struct traces *_Atomic traces;   /* NULL: nobody reads traces (traces.h) */
	struct mailbox *mailbox;         /* between the reporter and a job; NULL in a store */
	struct reporter *reporter;       /* main's, to stop it */
	_Atomic uint32_t is_started_due; /* it is ready, and the bus has not heard of it */
	uint64_t cpu_noted_ns;           /* when the page's CPU time was written by the main loop … */
	uint64_t cpu_noted;              /* … and what it was */
	_Atomic uint32_t is_dozing;      /* the reporter looks seldom, and is to be woken where the job has work */
	int wish_descriptor;             /* 0 or -1 = none */
	int ready_descriptor;            /* 0 or -1 = none, or told */
	bool is_ready;
	bool is_thread_left; /* one hangs in a library: no code may be unloaded, no destructor called */
};

/* Less of a core than this is so little work that figures about it may be old. */
#define PROCESS_LIGHT_CPU 50 /* one part in … */

/* Tells the supervisor that this job is ready (once; later calls do nothing). */
void process_tell_ready(struct process *process);
/* Life sign; the main loop calls it at least every 0.5 s, or as the plan says (cheap: one store, and the clock). Once a
 * second it also tells the CPU time: who idles has no other wake-up for that; and wakes the reporter where it dozes and
 * there is more than light work. */
void process_beat(struct process *process);
/* Wakes the main thread wherever it sleeps: process_sleep_until, process_poll, or a store's wait for batches. What it
 * is to look at (a message, a stop) stands ready before the call. Once is enough until it has looked. Any thread. */
void process_wake(struct process *process);
/* Main thread, awake from a sleep of its own on `wake`, before it looks: the next process_wake wakes it again. */
void process_clear_wake(struct process *process);
/* Sleeps until `until_ns` (CLOCK_MONOTONIC), until process_wake, or until `stop` is raised beyond what the caller saw.
 */
void process_sleep_until(struct process *process, enum process_stop stop, uint64_t until_ns);
/* As process_sleep_until, and until one of `count` descriptors is ready, as of poll(2). entries[count] is room for one
 * more. How many of the `count` are ready, or -errno: there is no descriptor left to be woken by. */
int process_poll(
	struct process *process, enum process_stop stop, struct pollfd *entries, uint32_t count, uint64_t until_ns);
enum process_stop process_stop_state(const struct process *process);
/* Raises `stop` (never lowers it) and wakes whoever sleeps on it. Reporter thread; before there is one, any. */
void process_request_stop(struct process *process, enum process_stop stop);
/* Main thread, each batch: where it is to be noted, or NULL. */
static inline struct traces *process_traces(const struct process *process)
{
	/* pairs with the release of the reporter, which has made it */
	return atomic_load_explicit(&process->traces, memory_order_acquire);
}
/* Log line and alert for the operator; any thread. Alerts go out as topic "alerts" messages of kind "alert". */
void process_alert(struct process *process, enum enrg_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif

/* run_parts.h: what the templates of a run's type bring: jobs that come before its sources begin and go behind its end,
 * and messages that are sent when they are there. The hooks of runs.h. Process: supervisor, main thread.
 *
 * The jobs of a run lie as files in `run_jobs` of the runtime folder, written before any of them is started and removed
 * when all are gone. So a supervisor that continues a run finds them, and starts with them. */
#ifndef SUPERVISOR_RUN_PARTS_H
#define SUPERVISOR_RUN_PARTS_H

#include "supervisor/book.h"
#include "supervisor/reconfigure.h"
#include "supervisor/run_message.h"
#include "supervisor/runs.h"

#define RUN_PARTS_FOLDER "run_jobs"

enum run_parts_phase { RUN_PARTS_NONE, RUN_PARTS_ADDING, RUN_PARTS_SENDING, RUN_PARTS_READY, RUN_PARTS_REMOVING };

struct run_parts {
	struct reconfigure *reconfigure;
	struct roster *roster;
	char path[RUNTIME_PATH_BYTES + 16]; /* of the files */
	enum run_parts_phase phase;
	char run[64];          /* that it is about */
	char comment[2000];    /* that goes to the next run; "" = none */
	char refused[900];     /* "" = no */
	uint64_t refused_ns;   /* when; CLOCK_MONOTONIC */
	struct json_t *coming; /* owned: names of jobs of the run that was checked last; NULL = none */
	struct run_message_link messages;
};

void run_parts_open(struct run_parts *parts, struct reconfigure *reconfigure, struct commands *commands,
	struct book *book, struct roster *roster);
void run_parts_close(struct run_parts *parts); /* takes zeroed state */
/* For runs_set_hooks; `parts` is the context. */
struct runs_hooks run_parts_hooks(struct run_parts *parts);

/* Behind runtime_open, before anything is planned: where a run of a killed supervisor is open, its jobs join the
 * folder; else what lies there is removed. */
void run_parts_restore(struct folder **folder, const struct types *types, const struct runtime *runtime);

#endif

/* worker.h: what waits for a disk, on a thread of its own, so that a number is given at once whatever it does: files
 * are written whole and synced, and files of runs are read for their SHA-256, in pieces, with the lowest priority of
 * processor and disk. Writing comes first. */
#ifndef RUNS_WORKER_H
#define RUNS_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#define WORKER_PATH_BYTES 4096u

enum worker_kind { WORKER_WRITE, WORKER_HASH };

struct worker_job {
	struct worker_job *next;
	enum worker_kind kind;
	int64_t run, changed; /* the caller's */
	char path[WORKER_PATH_BYTES];
	char *text; /* WORKER_WRITE: freed with the job */
	/* what came of it */
	int code;
	struct enrg_error err;
	char sha256[65];
	int64_t bytes; /* that were read */
};

struct worker;

int worker_start(struct worker **ret_worker, struct enrg_error *err);
/* What is written is written to its end; what is read is given up. NULL is allowed. */
void worker_stop(struct worker *worker);
int worker_descriptor(const struct worker *worker); /* readable when a job is done */
/* Takes the job, of malloc. */
void worker_add(struct worker *worker, struct worker_job *job);
/* One that is done, the caller's; NULL. */
struct worker_job *worker_take(struct worker *worker);
void worker_free_job(struct worker_job *job);
/* Jobs of that kind that were not taken yet. */
unsigned worker_count(struct worker *worker, enum worker_kind kind);

/* Of a whole file, on the calling thread; `is_given_up` is asked between pieces (NULL: never). */
int worker_hash(struct worker_job *job, bool (*is_given_up)(void *context), void *context);
/* The calling thread gets processor and disk when nobody else wants them. */
void worker_yield_to_all(void);

#endif

/* sequence_driver.h: moves the sequence that is active: a client of the supervisor's control socket as any other. What
 * it asks for it may ask for again; what became of it, it reads from the run book. So it may be killed at any moment,
 * and so may the supervisor. Process: the book, main thread; nothing here waits. */
#ifndef RUNS_SEQUENCE_DRIVER_H
#define RUNS_SEQUENCE_DRIVER_H

#include "runs/sequence.h"

struct sequence_driver {
	char runtime_folder[DATABASE_PATH_BYTES];
	int socket; /* -1 = none */
	bool is_asked;
	uint8_t id[16];    /* of the command that has no answer yet */
	uint64_t asked_ns; /* when; CLOCK_MONOTONIC */
	bool is_active;
	int is_marked;               /* for the supervisor: 1, 0; -1: not known */
	uint64_t due_ns, missing_ns; /* missing: since when the book does not say how its run ended; 0 = it does */
};

void sequence_driver_open(struct sequence_driver *driver, const char *runtime_folder);
void sequence_driver_close(struct sequence_driver *driver);

/* Does what is due, where the database is there (not in a transaction). 0; negative: what the database says. */
int sequence_driver_step(
	struct sequence_driver *driver, struct database *database, uint64_t now_ns, struct enrg_error *err);
/* An entry of kind "sequence" was entered, or the program has begun: it looks at once. */
void sequence_driver_wake(struct sequence_driver *driver);
uint64_t sequence_driver_next_due(const struct sequence_driver *driver); /* CLOCK_MONOTONIC; UINT64_MAX = nothing */
/* For poll; -1 = none. */
int sequence_driver_descriptor(const struct sequence_driver *driver);

#endif

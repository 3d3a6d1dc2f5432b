/* needs.h: what a run needs of the system's limits, counted before anything is started. Process: supervisor. */
#ifndef SUPERVISOR_NEEDS_H
#define SUPERVISOR_NEEDS_H

#include "supervisor/plan_builder.h"

/* Raises the soft limits of open files and processes to the hard ones; jobs inherit that. */
void needs_raise_limits(void);

struct needs {
	uint64_t supervisor_files; /* open at once in the supervisor */
	uint64_t store_files;      /* in the store that needs most */
	const char *store;         /* its name; NULL = there is none */
	uint64_t threads;          /* of all processes together */
};

struct needs needs_count(const struct plan_set *plans);

/* -EMFILE, -EAGAIN: a limit is too low; `err` says which one, what is needed, and how to raise it. */
int needs_check(const struct plan_set *plans, struct enrg_error *err);

#endif

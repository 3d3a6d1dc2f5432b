/* backoff.h: how often to try a server that does not answer: after 1, 2, 4, 8, 8 … seconds. The framework opens a
 * failed store anew each second; this outlives it, one a process.
 */
#ifndef SQL_BACKOFF_H
#define SQL_BACKOFF_H

#include <stdint.h>

#include "enrgdaq/store.h"

struct backoff {
	uint64_t delay_ns, until_ns; /* 0: the last try was good */
	struct enrg_error last;
};

/* 0: try now. Negative: not yet, with the error of the last try. */
int backoff_check(const struct backoff *backoff, uint64_t now_ns, struct enrg_error *err);
/* What came of it: 0, or the code that `why` holds. */
void backoff_note(struct backoff *backoff, int code, const struct enrg_error *why, uint64_t now_ns);

/* A server that a store may live without. One a process. */
struct remote {
	struct backoff backoff;
	bool has_looked;
	/* Connects; negative with an error that names the server. */
	int (*connect)(void *state, struct enrg_error *err);
};

/* Connects, unless the last failure is too fresh; then it is told again. */
int remote_connect(struct remote *remote, void *state, struct enrg_error *err);
/* Of a tick: connects once in a life, so that a wrong password is told at the start, not when the first row comes. */
void remote_look(struct remote *remote, struct enrg_store *store, void *state);

/* CLOCK_MONOTONIC */
uint64_t backoff_clock_ns(void);

#endif

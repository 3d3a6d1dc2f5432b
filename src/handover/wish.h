/* wish.h: which run a supervisor wants its jobs to be in, in a memory file that it alone writes and that each job has
 * mapped read-only. It is a state and no message: a job that was killed, or is started later, reads the same, and
 * nothing can be lost or come twice. The descriptor's number stands in ENRGDAQ_WISH_FD; a change is said by ORDER_RUN
 * as well, so that sleepers wake. What a job makes of it stands in its page.
 *
 * Supervisor: main thread. Jobs: any thread reads. */
#ifndef HANDOVER_WISH_H
#define HANDOVER_WISH_H

#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#define WISH_RUN_BYTES 64u

struct wish {
	uint64_t serial;          /* counts up with each change, from 1 */
	char run[WISH_RUN_BYTES]; /* "" = no run is on */
	uint64_t number;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC: who is not there by then has refused; 0 = none */
};

struct wish_page; /* a mapping */

/* Supervisor: makes the file with no run in it. *ret_descriptor is for reading alone, for the jobs. */
int wish_create(int *ret_descriptor, struct wish_page **ret_page, struct enrg_error *err);
/* Supervisor: sets the next serial; the wish's own does not count. Returns it. */
uint64_t wish_set(struct wish_page *page, const struct wish *wish);
/* Job. */
int wish_open(int descriptor, const struct wish_page **ret_page, struct enrg_error *err);
void wish_close(const struct wish_page *page); /* takes NULL */
/* One load: has it changed? */
uint64_t wish_serial(const struct wish_page *page);
/* false: it is being changed, look again. */
bool wish_read(const struct wish_page *page, struct wish *ret_wish);

#endif

/* owner.h: whose the database is: a lock on DATABASE.owner, which says who holds it. The lock lasts as long as a
 * descriptor of it is open anywhere, so that the supervisor holds it while no program is there. One thread. */
#ifndef RUNS_OWNER_H
#define RUNS_OWNER_H

#include <stddef.h>

#include "enrgdaq/error.h"

#define OWNER_FINISHING    "a program that finishes: " /* so begins the name of who goes by itself soon */
#define OWNER_FINISHING_NS 30000000000ull              /* a disk may be slow */

/* Waits `patience_ns` for whoever holds it, and OWNER_FINISHING_NS more for a program that only finishes, or that holds
 * it for the same `who` on this machine. `who`: "supervisor lab1". -EPERM: somebody holds it; err is the sentence that
 * says who, and what to do. Others: it can't be locked (a disk that is away, or can be read only). */
int owner_take(const char *database, const char *who, unsigned long long patience_ns, int *ret_descriptor,
	struct enrg_error *err);
/* The supervisor has gone, and its program finishes: whoever comes next waits for it, and is not refused. */
void owner_say_finishing(int descriptor);
void owner_release(int *descriptor); /* -1 is allowed */

#endif

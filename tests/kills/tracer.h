/* tracer.h: runs a function in a child process and kills it (SIGKILL) at its N-th system call that may change anything
 * outside of the process. By ptrace: calls of every library and every thread count, also those of stores that are yet
 * to be written. In the test process, which has no other children meanwhile.
 */
#ifndef KILLS_TRACER_H
#define KILLS_TRACER_H

#include <stdbool.h>
#include <stdint.h>

#define TRACER_NEVER UINT32_MAX

struct tracer_aim {
	unsigned call; /* from 1; TRACER_NEVER: run to the end */
	bool is_torn;  /* not before the call, but after it wrote up to the first end of a page */
};

struct tracer_end {
	unsigned calls; /* that were counted */
	bool was_killed;
	int status;      /* of waitpid, where it was not */
	char place[300]; /* where it was killed: "call 17, pwrite64 /tmp/…/t.root" */
};

/* The child's exit code is the function's result. */
void tracer_run(
	int (*function)(void *context), void *context, const struct tracer_aim *aim, struct tracer_end *ret_end);

enum tracer_flag {
	TRACER_CAN_TEAR = 1, /* a write that crosses the end of a page */
	TRACER_CHANGED = 2,  /* `look` returned another value than before the call before */
};

/* Counts the calls, and says of each, up to `capacity`, what enum tracer_flag is true of it. */
void tracer_count(int (*function)(void *context), void *context, uint64_t (*look)(void), unsigned *ret_flags,
	unsigned capacity, struct tracer_end *ret_end);

#endif

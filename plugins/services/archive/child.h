/* child.h: one program that is run to its end without waiting for it: its exit code, and the beginning of what it said.
 * It gets no input, default signals, and a process group of its own. Main thread. */
#ifndef ARCHIVE_CHILD_H
#define ARCHIVE_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "enrgdaq/error.h"

#define CHILD_OUTPUT_BYTES 2048u

struct child {
	pid_t pid;      /* 0: none runs */
	int descriptor; /* readable when it has ended */
	int output;
	uint64_t until_ns; /* CLOCK_MONOTONIC: it is ended then */
};

#define CHILD_NONE                                                                                                     \
	{                                                                                                              \
		.descriptor = -1, .output = -1                                                                         \
	}

/* `argv[0]` is looked for in PATH. */
int child_start(struct child *child, const char *const *argv, double timeout_seconds, struct enrg_error *err);
/* -EAGAIN: it runs. Else its exit code (128 + signal, as shells count; 124: it took too long), and what it said,
 * without control characters but newlines. */
int child_end(struct child *child, char ret_output[CHILD_OUTPUT_BYTES]);
void child_kill(struct child *child); /* with all that it has started, and waits for it; takes CHILD_NONE */

#endif

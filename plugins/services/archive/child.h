/* child.h: one program that is run to its end without waiting for it: its exit code, and the beginning and end of what
 * it said, however much that was. It gets no input, default signals, and a process group of its own. Main thread. */
#ifndef ARCHIVE_CHILD_H
#define ARCHIVE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "enrgdaq/error.h"

#define CHILD_HALF_BYTES   1023u
#define CHILD_OUTPUT_BYTES (2 * CHILD_HALF_BYTES + 2) /* with a newline where something was left out between them */

struct child {
	pid_t pid;      /* 0: none runs */
	int descriptor; /* readable when it has ended, or said something: call child_end */
	int life, output;
	uint64_t until_ns; /* CLOCK_MONOTONIC: it is ended then */
	/* what it said: the first CHILD_HALF_BYTES, and the last */
	size_t first_bytes, last_bytes;
	bool is_cut; /* and there was more between them */
	char first[CHILD_HALF_BYTES], last[CHILD_HALF_BYTES];
};

#define CHILD_NONE                                                                                                     \
	{                                                                                                              \
		.descriptor = -1, .life = -1, .output = -1                                                             \
	}

/* `argv[0]` is looked for in PATH. */
int child_start(struct child *child, const char *const *argv, double timeout_seconds, struct enrg_error *err);
/* Takes what it has said. -EAGAIN: it runs. Else its exit code (128 + signal, as shells count; 124: it took too long),
 * and what it said, without control characters but newlines. */
int child_end(struct child *child, char ret_output[CHILD_OUTPUT_BYTES]);
void child_kill(struct child *child); /* with all that it has started, and waits for it; takes CHILD_NONE */

#endif

/* child.h: a process that this one starts, niced, with pipes; ended, and given up where it hangs in a disk. Process:
 * enrgdaq-web, any thread. */
#ifndef WEB_RECORD_CHILD_H
#define WEB_RECORD_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "enrgdaq/error.h"

struct child {
	pid_t pid;  /* 0: none */
	int input;  /* its standard input; -1 */
	int output; /* its standard output, which is not blocking; -1 */
};

/* `words`: path of the program, arguments, NULL. With an input where `has_input`, else it reads nothing, and has the
 * lowest priority. 0, -errno. */
int child_start(const char *const *words, bool has_input, struct child *ret_child, struct enrg_error *err);
/* Waits up to `patience_ms` for bytes: how many came; 0: its output has ended; -ETIMEDOUT; -errno. */
int child_read(const struct child *child, void *bytes, int count, int patience_ms);
/* All of it within `patience_ms`: 0, -ETIMEDOUT, -EPIPE, -errno. */
int child_write(const struct child *child, const void *bytes, size_t count, int patience_ms);
/* Closes the pipes and kills it. true: it is gone. false: it can't end, since it waits for a disk: again later. */
bool child_end(struct child *child);
/* Of one that child_end could not end: the same, without waiting. */
bool child_reap(struct child *child);

#endif

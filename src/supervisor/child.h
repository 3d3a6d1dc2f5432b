/* child.h: one job process as its parent holds it: pid, descriptor of its end, readiness pipe. Process: supervisor,
 * main thread. */
#ifndef SUPERVISOR_CHILD_H
#define SUPERVISOR_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "enrgdaq/error.h"

struct child {
	pid_t pid;      /* 0 = none */
	int descriptor; /* pidfd, or a pipe where there are none: an event of epoll when the process has ended; -1 */
	int ready;      /* read end of the readiness pipe; -1 */
};

#define CHILD_NONE                                                                                                     \
	{                                                                                                              \
		.pid = 0, .descriptor = -1, .ready = -1                                                                \
	}

struct child_params {
	const char *program;     /* NULL = /proc/self/exe */
	const char *type, *name; /* argv[1], argv[2] behind "enrgdaq-job" */
	const char *plan_text;   /* handed over in a memory file */
	size_t plan_bytes;
	int lifeline; /* read end of the pipe that ends with the supervisor */
	int module;   /* the file of the job's type, as it was when the supervisor loaded it; 0 = none */
	int wish;     /* of wish.h; 0 = none */
};

/* Starts the process in a group of its own (Ctrl-C reaches the supervisor alone), with default signals, those that it
 * must say something about held back, and only standard input, output, error, plan, readiness, lifeline, module, wish
 * and (without pidfds) its end of the pipe that tells of its end open. Runs under valgrind as well. */
int child_start(const struct child_params *params, struct child *ret_child, struct enrg_error *err);

/* 1: the job told that it is ready; 0: nothing yet; -EPIPE: it closed the pipe without a word. Closes the pipe after 1
 * and -EPIPE. Does not block. */
int child_read_ready(struct child *child);

/* Sends a signal to exactly this process, never to a later one with its pid. 0, -ESRCH. */
int child_signal(const struct child *child, int signal_number);

/* Says a word of order.h to it. 0, -ESRCH, -EAGAIN: try again later. */
int child_send_order(const struct child *child, int order);

/* Reaps an ended process without blocking. 1: ended, *ret_code is its exit code or -1 with *ret_signal; 0: it runs.
 * Closes everything. */
int child_reap(struct child *child, int *ret_code, int *ret_signal);

#endif

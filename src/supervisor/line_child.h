/* line_child.h: a program of ours as a child that is spoken to in lines of JSON over a socket, its standard input and
 * lifeline: started when wanted, pinged, killed when it does not answer, started again with a growing delay. One
 * discipline for `enrgdaq-runs` and `enrgdaq-web`. It may hang, crash, write without end or hang up and stay: nothing
 * of that holds this process up. Process: supervisor, main thread. */
#ifndef SUPERVISOR_LINE_CHILD_H
#define SUPERVISOR_LINE_CHILD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "enrgdaq/error.h"

#define LINE_CHILD_PATH_BYTES    1024u
#define LINE_CHILD_ARGUMENTS     12u
#define LINE_CHILD_TOLD_FAILURES 3u /* in a row: then it is hopeless */

struct line_child_params {
	char program[LINE_CHILD_PATH_BYTES];
	const char *arguments[LINE_CHILD_ARGUMENTS]; /* from the name of the program on; live as long as the child */
	/* It may pass a descriptor over the socket, which is kept here and given to each later program as its
	 * descriptor 3, with these two arguments; NULL: it passes none. */
	const char *descriptor_argument, *descriptor_value;
	uint64_t ping_ns, hung_ns; /* {"do": "ping"} so often; killed when {"do": "pong"} (or {"pong": true}) is missing
				      for so long */
	bool may_end;              /* exit code 0 means: there is nothing to do any more */
	/* What it may take; 0: as this process. */
	int nice;
	uint64_t files_max, bytes_max; /* RLIMIT_NOFILE, RLIMIT_AS */
	bool is_bound; /* no new privileges, and it is killed with this process; else it may finish what it does */
	/* First line to each program; new reference. */
	json_t *(*hello)(void *context);
	/* A line that came; borrowed. */
	void (*hear)(void *context, const json_t *line);
	/* It `what`, the failures-th time in a row: "ended with exit code 3". 0 failures: it is well again. */
	void (*note)(void *context, unsigned failures, const char *what);
	void *context;
};

struct line_child;

int line_child_open(const struct line_child_params *params, struct line_child **ret_child, struct enrg_error *err);
/* Says that nothing follows, and waits until the program has hung up, and where it is bound has ended; then it is
 * killed where it is bound. Takes NULL. */
void line_child_close(struct line_child *child, uint64_t patience_ns);
/* For epoll: readable when line_child_step has something to do. Stays the same. */
int line_child_descriptor(const struct line_child *child);
pid_t line_child_pid(const struct line_child *child); /* 0 = none */
/* Can it be spoken to? */
bool line_child_is_there(const struct line_child *child);
uint32_t line_child_starts(const struct line_child *child); /* how often it was started */
/* RLIMIT_AS of the next program that is started. */
void line_child_set_bytes_max(struct line_child *child, uint64_t bytes_max);
/* There is something to do: starts the program where it is not there. `now_ns`: the clock of all calls. */
void line_child_want(struct line_child *child, uint64_t now_ns);
/* Somebody waits: one that has ended is started again at once, unless it has again and again. */
void line_child_hurry(struct line_child *child);
/* Starts it where it is not there, however often it has failed. */
void line_child_retry(struct line_child *child, uint64_t now_ns);
/* It is to end, and the next one begins with another hello. */
void line_child_replace(struct line_child *child, uint64_t now_ns);
/* It has failed again and again, and is not there. */
bool line_child_is_hopeless(const struct line_child *child);
/* A line to the program that is there. -ENOTCONN: it is not, hello says it again; -EAGAIN: it does not read. */
int line_child_send(struct line_child *child, const json_t *line);
void line_child_step(struct line_child *child, uint64_t now_ns);
uint64_t line_child_next_due(const struct line_child *child);

#endif

/* signals.h: what signals say to the supervisor. SIGINT and SIGTERM: end in order, a second time: at once; signals that
 * come together (a service manager, `timeout`, `sudo` and a script send several) are one. SIGHUP, where it was not
 * inherited as ignored (nohup): log files are to be opened anew. Those that would end a process for an output that
 * nobody takes (SIGPIPE, SIGXFSZ, SIGTTOU) are ignored from the start on. Process: supervisor, main thread. */
#ifndef SUPERVISOR_SIGNALS_H
#define SUPERVISOR_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define SIGNALS_TOGETHER_NS 500000000ull /* signals within so long are one word */

struct signals {
	int descriptor; /* a signalfd; -1 = none */
	sigset_t before;
	uint64_t asked_ns; /* of the first word to end; 0 = none yet */
};

struct signals_words {
	bool is_end;    /* end in order: the first such word */
	bool is_fast;   /* end at once */
	bool is_hangup; /* open log files anew */
};

/* Before any thread is started: they inherit what is blocked. 0, -errno. */
int signals_open(struct signals *ret_signals);
/* What has come since the last call; does not block. `now_ns`: CLOCK_MONOTONIC. */
struct signals_words signals_read(struct signals *signals, uint64_t now_ns);
/* Forgets what still waits (the run is over), and gives signals back their meaning. Zeroed state is allowed. */
void signals_close(struct signals *signals);

#endif

/* restart.h: when a job that has ended is started again. Arithmetic only: no clock, no process. Process: supervisor. */
#ifndef SUPERVISOR_RESTART_H
#define SUPERVISOR_RESTART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESTART_STABLE_NS    60000000000ull /* an instance that ran this long is followed at once */
#define RESTART_UNASKED      4              /* exit code of a source that ended in order, but not at our word */
#define RESTART_CONFIG_TRIES 3u             /* lives that may end with a configuration error in a row */

struct restart_policy {
	uint64_t delay_ns, delay_max_ns;
};

struct restart {
	uint64_t started_ns;      /* begin of the present life */
	uint64_t due_ns;          /* begin of the next life, where one is planned */
	uint32_t failures;        /* lives in a row that were not stable */
	uint32_t config_failures; /* lives in a row that ended with a configuration error */
	uint32_t count;           /* starts after the first */
};

/* How a life ended. */
struct restart_end {
	int exit_code; /* -1 where a signal ended it */
	int signal;    /* 0 = none */
	bool was_hung; /* the watchdog ended it */
	bool is_store; /* or processor: they never end by themselves, exit 0 unasked is a failure */
	bool is_done;  /* its page says that it ended in order; a library that calls exit(0) in a source says nothing */
};

enum restart_verdict {
	RESTART_LATER,   /* at due_ns */
	RESTART_DONE,    /* a source that has produced all that it ever will */
	RESTART_GIVE_UP, /* its configuration is wrong, again and again */
};

void restart_begin(struct restart *restart, uint64_t now_ns);
enum restart_verdict restart_decide(
	struct restart *restart, const struct restart_policy *policy, const struct restart_end *end, uint64_t now_ns);
/* The delay after `failures` lives in a row that were not stable (1 = the first; 0: none, the life was stable). */
uint64_t restart_delay(const struct restart_policy *policy, uint32_t failures);
/* "signal 9 (Killed)", "hung, killed by the watchdog", "exit 2 (configuration)". */
void restart_format_end(const struct restart_end *end, char *ret_text, size_t text_bytes);

#endif

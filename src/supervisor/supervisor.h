/* supervisor.h: runs a configured system from start to its ordered end: streams, broker, job processes, restarts,
 * watchdog, statistics, ledger. Process: supervisor; everything but the broker's forwarding happens on the calling
 * thread.
 *
 * The caller may be `enrgdaq run` or the benchmark: both run the same system. supervisor_run takes the signals
 * (signals.h) until it returns.
 */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

enum supervisor_exit {
	SUPERVISOR_OK = 0,      /* every batch is accounted for and stored */
	SUPERVISOR_TROUBLE = 1, /* something is missing, was set aside, stays in a ring, or the start failed */
	SUPERVISOR_CONFIG = 2,  /* configuration; all problems were printed on stderr */
};

struct supervisor_params {
	const char *config_path;     /* folder; NULL = the texts below */
	const char *supervisor_file; /* in the place of the folder's supervisor.toml; NULL = that */
	const char *const *names;    /* names[i] stands for a file: "supervisor.toml", "daq.toml" … */
	const char *const *texts;
	size_t text_count;
	uint64_t duration_ns; /* 0 = until it is stopped or all sources are done; counted from the first ready source */
	bool checks_off;      /* streams without CRC (benchmark only) */
	enum log_format log_format; /* of the supervisor and its jobs */
	bool is_quiet;              /* no periodic summary, no ledger lines; warnings and errors stay */
	/* Called once a second with the object that status.json holds, and a last time with is_last when all jobs have
	 * ended and their pages and streams still exist ("ledger" is final then). Either may be NULL. */
	void (*on_status)(void *context, const json_t *status, bool is_last);
	void *context;
};

/* Blocks until the end of the run; an enum supervisor_exit. */
int supervisor_run(const struct supervisor_params *params);

#endif

/* runner.h: a benchmark as a child process, with its output and a limit of time, so that one that fails or hangs is
 * left out and the rest goes on. One thread. */
#ifndef BENCHMARK_RUNNER_H
#define BENCHMARK_RUNNER_H

#include <stdbool.h>
#include <stddef.h>

#include "enrgdaq/error.h"

#define RUNNER_GRACE_S 30.0 /* a run may outlive its duration by this much: start, warm-up, limits, drain */

struct runner_params {
	char *const *arguments; /* arguments[0] is found in PATH; NULL-terminated */
	const char *folder;     /* that it runs in; NULL = this one */
	double timeout_s;
};

struct runner_output {
	char *text;      /* its standard output; free() */
	char said[2048]; /* the first of its standard error */
	int status;      /* of waitpid */
};

/* From now on SIGINT and SIGTERM end the child that runs, and all later ones at once. */
void runner_catch_interrupts(void);
bool runner_is_interrupted(void);

/* Waits for its end. 0 whatever its exit code is; -ETIMEDOUT and ENRG_E_STOPPED: it was killed; other system errors: it
 * could not be started. `ret_output` is set in each case, `text` possibly NULL. It dies with its parent, and at
 * its end every process that it started and left in its process group. */
int runner_run(const struct runner_params *params, struct runner_output *ret_output);

#endif

/* reconfigure.h: the commands that change a run: `job.add`, `job.remove`, `job.stop`, `job.start`, `job.restart`,
 * `reload`. Each is checked as a whole first; what is refused has changed nothing. Process: supervisor, main thread. */
#ifndef SUPERVISOR_RECONFIGURE_H
#define SUPERVISOR_RECONFIGURE_H

#include "base/log.h"
#include "supervisor/runs.h"
#include "supervisor/runtime.h"
#include "supervisor/transition.h"

struct reconfigure {
	const struct types *types;
	struct folder **folder;      /* the one that runs */
	const char *config_path;     /* NULL: no folder, there is nothing to reload */
	const char *supervisor_file; /* in the place of the folder's supervisor.toml, or NULL */
	enum log_format log_format;
	bool checks; /* of new streams */
	struct runtime *runtime;
	struct transition *transition;
	uint64_t (*now_ns)(void *context); /* the clock of the time in which the supervisor ran */
	void *context;
	struct runs *runs; /* that a job may come for */
};

/* Adds the kinds. */
int reconfigure_open(struct reconfigure *reconfigure, struct commands *commands);

/* The run is to be what these sources say, which are taken: for jobs that come and go with a run (run_parts.h). true:
 * the change is under way, and transition_is_busy until it is done; false: `answer` says why nothing was changed. */
bool reconfigure_take(struct reconfigure *reconfigure, struct sources *sources, struct command_answer *answer);

/* Names all that is wrong, in the fields too. `problems` has an error. */
enum command_outcome reconfigure_refuse_problems(const struct problems *problems, struct command_answer *answer);

#endif

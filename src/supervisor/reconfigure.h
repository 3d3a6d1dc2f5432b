/* reconfigure.h: the commands that change a run: `job.add` (job_add.h), `job.remove`, `job.stop`, `job.start`,
 * `job.restart`, `reload`. Each is checked as a whole first; what is refused has changed nothing. Process: supervisor,
 * main thread. */
#ifndef SUPERVISOR_RECONFIGURE_H
#define SUPERVISOR_RECONFIGURE_H

#include "base/log.h"
#include "supervisor/deferred.h"
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
	struct deferred deferred;
};

/* Folder of jobs that came as a text, in the runtime folder, and the begin of their names as sources. */
#define RECONFIGURE_CUSTOM        "custom"
#define RECONFIGURE_CUSTOM_SOURCE "~custom/"

struct reconfigure_request {
	const struct command *command;
	bool is_now;      /* removals do not wait for what is left */
	bool is_dry;      /* says what would be done */
	bool is_detached; /* the command is not answered at the end of the change */
	const char *note; /* for the answer; NULL */
	/* A file that nobody outside knows: problems in it are told as of "text", without so many lines at its top. */
	const char *text_file; /* NULL: none */
	int text_lines;
};

/* Adds the kinds. */
int reconfigure_open(struct reconfigure *reconfigure, struct commands *commands);

/* The run is to be what these sources say, which are taken: for jobs that come and go with a run (run_parts.h). true:
 * the change is under way, and transition_is_busy until it is done; false: `answer` says why nothing was changed. */
bool reconfigure_take(struct reconfigure *reconfigure, struct sources *sources, struct command_answer *answer);

/* The same for a command; COMMAND_LATER: it is under way. `sources` is taken. */
enum command_outcome reconfigure_consider(struct reconfigure *reconfigure, struct sources *sources,
	const struct reconfigure_request *request, struct command_answer *answer);
/* One more job, of a file. */
enum command_outcome reconfigure_add_file(struct reconfigure *reconfigure, const struct reconfigure_request *wanted,
	const char *file, struct command_answer *answer);
/* Does it lie below the folder that runs? The name there, without .toml, and the path as the folder's own files have it
 * (PATH_MAX each). */
bool reconfigure_is_inside(const struct reconfigure *reconfigure, const char *file, char *ret_name, char *ret_file);
/* Is it the file of a job that came as a text? A folder of the user's may be called as ours is. */
bool reconfigure_is_custom(const struct reconfigure *reconfigure, const char *file);
/* Is a change under way? `answer` says so. */
bool reconfigure_is_busy(const struct reconfigure *reconfigure, struct command_answer *answer);
enum command_outcome reconfigure_refuse(struct command_answer *answer, const struct enrg_error *err);
/* Names all that is wrong, in the fields too. `problems` has an error. */
enum command_outcome reconfigure_refuse_problems(const struct problems *problems, struct command_answer *answer);

#endif

/* run_log.h: where the lines of a run go, and from which level on. Process: supervisor, main thread. */
#ifndef SUPERVISOR_RUN_LOG_H
#define SUPERVISOR_RUN_LOG_H

#include "base/log.h"
#include "config/folder.h"
#include "supervisor/plan_builder.h"
#include "supervisor/roster.h"

/* Opens the log as supervisor.toml says. Without [log] file, one that stands at out/supervisor.log already (where a run
 * of the Python program had it) is continued, and not rotated. */
int run_log_open(const struct supervisor_options *options, enum log_format format, struct enrg_error *err);
/* When the runtime folder is there: its log_path becomes the absolute path of that file; "": lines go to standard error
 * alone. Where enrgdaq-web is wanted and nobody could read along, a small file in the runtime folder takes them as
 * well. */
void run_log_follow(const struct supervisor_options *options, struct runtime *runtime);

struct run_log_params {
	const struct supervisor_options *options;
	const char *runtime_folder;
	enum log_format format;
};

/* The same for all jobs. */
int run_log_plan(const struct run_log_params *params, struct plan_set *plans, struct enrg_error *err);
/* SIGHUP: log files are opened anew, here and in the jobs, and the verbosity is read again from supervisor.toml, or
 * from the file that stands for it (NULL = none does). */
void run_log_reload(const struct folder *folder, const char *supervisor_file, struct roster *roster);

#endif

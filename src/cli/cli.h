/* cli.h: the sub-commands. One file a command: src/cli/NAME.c defines cli_NAME, main.c has its line in the table.
 *
 * A command is called with argv[0] = "enrgdaq NAME" and the arguments behind it, so that getopt_long works and reports
 * as in a main(). It answers --help itself (options, examples). Results go to stdout, errors and warnings to stderr.
 * Exit codes: 0 done, 1 failed, 2 a configuration or a command line that a human must mend.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>

#include "cli/usage.h"

struct types;  /* config/types.h */
struct folder; /* config/folder.h */

struct cli_command {
	const char *name;
	const char *summary; /* NULL = not for humans: left out of --help */
	int (*run)(int argc, char **argv);
	bool is_lister; /* what it prints is all that it does: an output that can't be written is a failure */
};

int cli_run(int argc, char **argv);
int cli_run_job(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_jobs(int argc, char **argv);
int cli_describe(int argc, char **argv);
int cli_status(int argc, char **argv);
int cli_alarms(int argc, char **argv);
int cli_runs(int argc, char **argv);
int cli_stop(int argc, char **argv);
int cli_send(int argc, char **argv);
int cli_job(int argc, char **argv);
int cli_reload(int argc, char **argv);
int cli_watch(int argc, char **argv);
int cli_history(int argc, char **argv);
int cli_bench(int argc, char **argv);
int cli_plot(int argc, char **argv);
int cli_verify(int argc, char **argv);
int cli_cat(int argc, char **argv);
int cli_convert(int argc, char **argv);
int cli_cnc_keys(int argc, char **argv);
int cli_doctor(int argc, char **argv);

/* Loads all types; modules that are left out are named on stderr. 0, or an exit code after the error was printed. */
int cli_load_types(struct types **ret_types);
/* Reads a folder and prints all its problems to stderr. 0 with warnings at the most, else 2. */
int cli_load_folder(const char *path, const struct types *types, struct folder **ret_folder);
#endif

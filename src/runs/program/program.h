/* program.h: the sub-commands of enrgdaq-runs. One file each: NAME.c defines program_NAME, main.c has its line in the
 * table. `enrgdaq runs` calls them; they are called with argv[0] = "enrgdaq runs NAME". Exit codes: 0 done, 1 failed, 2
 * wrong usage. */
#ifndef RUNS_PROGRAM_PROGRAM_H
#define RUNS_PROGRAM_PROGRAM_H

#include <jansson.h>
#include <stdbool.h>

#include "runs/database.h"

int program_serve(int argc, char **argv);
int program_list(int argc, char **argv);
int program_show(int argc, char **argv);
int program_diff(int argc, char **argv);
int program_export(int argc, char **argv);
int program_import_panel(int argc, char **argv);
int program_sequence(int argc, char **argv);
int program_rebuild(int argc, char **argv);
int program_check(int argc, char **argv);
int program_enter(int argc, char **argv);
int program_answer(int argc, char **argv);

/* A line on standard error; an exit code. */
int program_usage_error(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* --json, --database FILE and --help; what remains begins at optind. -1, or an exit code: nothing else is to be done.
 */
int program_read_options(
	const char *name, const char *usage, int argc, char **argv, const char **ret_path, bool *ret_is_json);
int program_fail(const char *name, const struct enrg_error *err);
/* `path`, or where it is NULL the only runs_*.sqlite of `out` or of this folder. An exit code after a line on standard
 * error. */
int program_find_database(const char *name, const char *path, char ret_path[DATABASE_PATH_BYTES]);
/* Opens it for reading: the one of --database, else the only runs_*.sqlite of `out` or of this folder. NULL after a
 * line on standard error. */
struct database *program_open_reader(const char *name, const char *path);

#endif

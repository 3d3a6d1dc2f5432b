/* runs.h: the sub-commands of `enrgdaq runs` that the program itself has. Each is called with argv[0] = its own name;
 * exit codes: 0 done, 1 refused or failed, 2 wrong usage. */
#ifndef CLI_RUNS_H
#define CLI_RUNS_H

#include <jansson.h>

#include "cli/runs_book.h"

int runs_start(int argc, char **argv);
int runs_stop(int argc, char **argv);
/* `state` */
int runs_now(int argc, char **argv);
/* `types`, `templates`, `sequences` */
int runs_plans(int argc, char **argv);
int runs_sequence(int argc, char **argv);

/* `note`, `flag`, `delete` */
int runs_notes(int argc, char **argv);

/* What `enrgdaq-runs` prints as JSON with these arguments (NULL at the end); NULL, after a line on standard error: it
 * can't be had. New reference. */
json_t *runs_read_book(const struct runs_book *book, const char *const *arguments);
/* Takes the place of this process with that program, with the book that is meant. Returns an exit code where it can't.
 */
int runs_call_program(int argc, char **argv);

#endif

/* ask.h: a command to the supervisor of a running system, for sub-commands. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <jansson.h>

#include "handover/command.h"

/* Takes `body`. Prints what a change waits for, a line when that is another than before. Waits until the answer is
 * there, an hour at the most. 0: *ret_answer is set, for command_answer_fini; else an exit code, after the error was
 * printed. `supervisor` NULL: the one that runs. */
int ask_supervisor(const char *supervisor, const char *kind, json_t *body, struct command_answer *ret_answer);
/* What is wrong, an entry a line, on standard error; `word` and the answer's text; an exit code. */
int ask_print(const struct command_answer *answer, const char *word);

#endif

/* line_child_spawn.h: the process of a line_child, with the limits that it has from its first instruction on. Process:
 * supervisor, main thread. */
#ifndef SUPERVISOR_LINE_CHILD_SPAWN_H
#define SUPERVISOR_LINE_CHILD_SPAWN_H

#include "supervisor/line_child.h"

#define LINE_CHILD_NO_PROGRAM 127 /* exit code of one that could not be executed */

/* `socket` becomes its standard input; `passed` its descriptor 3, -1: none. It is in a group of its own (Ctrl-C reaches
 * this process alone) and has default signals. 0 also where the program can't be executed: then it ends at once. */
int line_child_spawn(const struct line_child_params *params, int socket, int passed, pid_t *ret_pid);

#endif

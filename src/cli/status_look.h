/* status_look.h: what `enrgdaq status` finds out by itself, beside what the supervisor has written: the age of that,
 * the files that stores have open, their disks, and whether the program was replaced. No process of the run is asked.
 * Process: `status`. */
#ifndef CLI_STATUS_LOOK_H
#define CLI_STATUS_LOOK_H

#include <jansson.h>
#include <stdio.h>
#include <sys/types.h>

/* Adds "age_s", "files", "disks" and "program" to the status of the supervisor `pid` with that runtime folder. */
void status_look_add(json_t *status, const char *folder, pid_t pid);
/* A warning where the supervisor hangs; before the table. */
void status_look_print_age(const json_t *status, FILE *stream);
/* Files, disks, and what happened to the program; behind the table. */
void status_look_print(const json_t *status, FILE *stream);

#endif

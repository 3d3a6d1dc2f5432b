/* status_files.h: what stands around the table of a status: how old it is, the files that stores write, their disks,
 * and what happened to the program. Process: `status`. */
#ifndef CLI_STATUS_FILES_H
#define CLI_STATUS_FILES_H

#include <jansson.h>
#include <stdio.h>

/* A warning where the supervisor hangs; before the table. */
void status_files_print_age(const json_t *status, FILE *stream);
/* Files, disks, and what happened to the program; behind the table. */
void status_files_print(const json_t *status, FILE *stream);

#endif

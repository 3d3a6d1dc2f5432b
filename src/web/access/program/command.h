/* command.h: the sub-commands of enrgdaq-access: one file each. They are called with argv[0] = "enrgdaq NAME", so that
 * getopt_long reports as `enrgdaq` does. Exit codes: 0 done, 1 failed, 2 wrong usage. */
#ifndef WEB_ACCESS_PROGRAM_COMMAND_H
#define WEB_ACCESS_PROGRAM_COMMAND_H

#include <stdint.h>

#include "web/access/access.h"

int command_token(int argc, char **argv);
int command_user(int argc, char **argv);
int command_certificate(int argc, char **argv);

/* "enrgdaq NAME: what is wrong" and the hint to --help; 2. */
int command_usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Of --role: 0, or 2 after the message. */
int command_parse_role(const char *command, const char *text, enum access_role *ret_role);
/* Prints the error; 1. */
int command_failed(const char *command, const struct enrg_error *err);
/* The folder of a change: is there afterwards. 0, or 1 after the message. */
int command_make_folder(const char *command, const char *folder);
/* A line of the audit: the user of this machine has done, or could not do, `what`. `about`: JSON text; NULL: none. */
void command_audit(const char *folder, const char *what, const char *about, const char *result);

#endif

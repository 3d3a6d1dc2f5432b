/* usage.h: what every command says to a wrong command line, and how it may look. Knows nothing of the rest. */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

#include <stdbool.h>

/* Prints "enrgdaq COMMAND: what is wrong" and the hint to --help; returns 2. */
int cli_usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* After getopt_long has said which option is wrong: the hint to --help; returns 2. */
int cli_option_error(const char *command);
/* `how` where `rc` is of a system that was to be found and several run, else "": to be added to that error's text. */
const char *cli_how_to_name(int rc, const char *how);
/* true where stdout may be coloured. */
bool cli_is_colored(void);

#endif

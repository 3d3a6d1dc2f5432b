/* usage.c: what every command says to a wrong command line. */
#include "cli/usage.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cli_usage_error(const char *command, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "enrgdaq %s: ", command);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "; see `enrgdaq %s --help`\n", command);
	return 2;
}

int cli_option_error(const char *command)
{
	fprintf(stderr, "see `enrgdaq %s --help`\n", command);
	return 2;
}

const char *cli_how_to_name(int rc, const char *how)
{
	return rc == -EEXIST ? how : "";
}

bool cli_is_colored(void)
{
	const char *no = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE"), *term = getenv("TERM");

	if (no && *no)
		return false;
	if (force && *force && strcmp(force, "0") != 0)
		return true;
	return isatty(STDOUT_FILENO) && !(term && strcmp(term, "dumb") == 0);
}

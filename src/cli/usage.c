/* usage.c: what every command says to a wrong command line. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>

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

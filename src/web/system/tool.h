/* tool.h: the program `enrgdaq` asked for something that needs the modules, which this process does not load. It
 * inherits being niced. Waits; workers. Process: enrgdaq-web. */
#ifndef WEB_SYSTEM_TOOL_H
#define WEB_SYSTEM_TOOL_H

#include <jansson.h>

#include "enrgdaq/error.h"

struct tool_params {
	const char *const *words; /* path of the program, arguments, NULL */
	const char *input;        /* of its standard input; NULL: none */
	unsigned patience_ms;
};

/* The JSON that it printed, new reference; *ret_code: its exit code. NULL: it could not be started, took too long and
 * was killed, was killed, or printed something else; err says which. */
json_t *tool_run(const struct tool_params *params, int *ret_code, struct enrg_error *err);

#endif

/* run_text.h: the table of a job in a template as TOML text of its own, with values in the places of parameters. Each
 * value is printed as TOML prints such a value, so that none can end its string or begin another key. */
#ifndef CONFIG_RUN_TEXT_H
#define CONFIG_RUN_TEXT_H

#include <jansson.h>

#include "config/toml.h"

struct run_text {
	const struct toml_node *table;
	const json_t *values; /* of parameters, by name */
	const char *name;     /* daq_job_unique_id where the table has none */
	bool is_aligned;      /* each key stands in the line that it has in its file: for messages */
};

/* malloc'ed; NULL: out of memory. A place whose parameter has no value is left away. */
char *run_text_make(const struct run_text *text);
/* The same table as JSON, for the body of a message. New reference; NULL: out of memory. */
json_t *run_text_body(const struct toml_node *table, const json_t *values);

#endif

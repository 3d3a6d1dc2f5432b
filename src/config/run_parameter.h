/* run_parameter.h: a parameter of a template, and values for it. A value is a JSON string, integer, real or boolean of
 * the parameter's kind: it is put in its place as a value, never as text. */
#ifndef CONFIG_RUN_PARAMETER_H
#define CONFIG_RUN_PARAMETER_H

#include <jansson.h>

#include "config/options.h"

enum run_parameter_kind { RUN_STRING, RUN_INT, RUN_FLOAT, RUN_BOOL };

struct run_parameter {
	const char *name, *file;
	int line;
	struct {
		int kind; /* enum run_parameter_kind */
		bool required, secret;
		double minimum, maximum;
		bool has_minimum, has_maximum;
		const char *unit, *title, *description;
	} options;
	const struct toml_node *default_node, *choices; /* NULL = none */
	bool is_secret;                                 /* said so, or put where a job keeps a secret */
	bool runs_code;                                 /* put where a value may run programs */
};

extern const struct enrg_table run_parameter_table;

/* Fills one from [parameters.NAME]; its default and choices are judged. */
void run_parameter_fill(const struct toml_node *node, const char *file, struct options_memory *memory,
	struct run_parameter *ret_parameter, struct problems *problems);

/* The value as the parameter has it: an integer for a float is a real, 3.0 for an int is an integer, and a text that is
 * a number or true or false stands for that where one is wanted (as a command line gives it). New reference; NULL: it
 * is of another kind, out of range or not among the choices, and *ret_wrong says what was expected. */
json_t *run_parameter_take(
	const struct run_parameter *parameter, const json_t *value, char *ret_wrong, size_t wrong_bytes);
/* The same from a file. */
json_t *run_parameter_take_node(
	const struct run_parameter *parameter, const struct toml_node *node, char *ret_wrong, size_t wrong_bytes);
/* New reference, or NULL: it has none. */
json_t *run_parameter_default(const struct run_parameter *parameter);
const char *run_parameter_kind_name(const struct run_parameter *parameter);
/* { parameter = "NAME" }: the name, or NULL: it is something else. */
const char *run_parameter_place(const struct toml_node *node);
/* For who asks; secret defaults are masked. New reference. */
json_t *run_parameter_format(const struct run_parameter *parameter);
/* The node as JSON: new reference; NULL: out of memory, or a number that JSON does not have. Dates become strings. */
json_t *run_parameter_json(const struct toml_node *node);

#endif

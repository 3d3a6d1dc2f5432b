/* option.h: configuration as data. One table of fields fills a typed struct, prints `enrgdaq describe`, gives the JSON
 * Schema and the documentation tables.
 *
 * The struct is zeroed, then every field is set from its default, then from the TOML. Strings, lists and maps belong to
 * the configuration and live as long as the job.
 */
#ifndef ENRGDAQ_OPTION_H
#define ENRGDAQ_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum enrg_option_kind {
	ENRG_OPTION_BOOL = 1,    /* bool */
	ENRG_OPTION_INT,         /* int64_t */
	ENRG_OPTION_FLOAT,       /* double; takes a TOML integer as well */
	ENRG_OPTION_STRING,      /* const char *; NULL where absent and without default */
	ENRG_OPTION_CHOICE,      /* int, the value of a struct enrg_choice; TOML string */
	ENRG_OPTION_STRING_LIST, /* struct enrg_string_list */
	ENRG_OPTION_INT_LIST,    /* struct enrg_int_list */
	ENRG_OPTION_TABLE,       /* the struct of `table`, embedded at `offset` */
	ENRG_OPTION_TABLE_LIST,  /* struct enrg_struct_list of `table` */
	ENRG_OPTION_MAP,         /* struct enrg_map: any key to an integer, float or string */
	ENRG_OPTION_INCLUDE, /* the struct of `table`, embedded at `offset`, whose keys stand among those of the table
			      * that includes it; `key` only names it, and no file may write it */
};

struct enrg_string_list {
	size_t count;
	const char *const *items;
};

struct enrg_int_list {
	size_t count;
	const int64_t *items;
};

struct enrg_struct_list {
	size_t count;
	const void *items; /* `count` structs of table->size bytes, back to back */
};

struct enrg_map_entry {
	const char *key;
	const char *text; /* the value as TOML prints it */
	double number;    /* NaN where the value is a string */
};

struct enrg_map {
	size_t count;
	const struct enrg_map_entry *entries;
};

struct enrg_choice {
	const char *name; /* as written in TOML, compared without regard to case; a list ends with NULL */
	int value;
};

struct enrg_table;

struct enrg_option {
	const char *key; /* NULL ends a table */
	enum enrg_option_kind kind;
	size_t offset; /* offsetof(struct x_options, member) */
	bool required; /* absent = error */
	const char
		*default_value; /* as TOML would print it ("1.0", "\"out/\"", "[]"); NULL = none: zero, NULL, empty */
	double min, max;        /* of numbers; both 0 = any */
	const char *unit;       /* "s", "Hz", "MB"; NULL where there is none */
	const char *help;       /* one sentence */
	const struct enrg_choice *choices; /* of ENRG_OPTION_CHOICE */
	const struct enrg_table *table;    /* of ENRG_OPTION_TABLE, _TABLE_LIST and _INCLUDE */
	size_t present_offset; /* offset of a bool set to true where the TOML names the key; 0 = not wanted */
	bool secret; /* of ENRG_OPTION_STRING: its value is shown nowhere ("***"), and `key`_file may name a file that
		      * holds it, of mode 0600 and of this user */
	bool runs_code; /* a program, a library, a command or a folder outside of the data: who may set it from outside
			 * of this machine is decided by role */
	const char *environment; /* of strings and numbers: a variable of the environment that counts where the key is
				  * absent and this is set and not empty; NULL: none */
	const char *example; /* a value for the example of `enrgdaq describe`, as TOML would print it, where none or one
			      * of its own would not pass the type's `check`; NULL: one that fits the kind */
};

struct enrg_table {
	size_t size; /* of the struct */
	const struct enrg_option *options;
};

#ifdef __cplusplus
}
#endif

#endif

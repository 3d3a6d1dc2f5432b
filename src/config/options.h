/* options.h: fills typed structs from TOML by tables of fields (enrgdaq/option.h), and prints those tables. */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include <jansson.h>
#include <stdio.h>

#include "config/problems.h"
#include "config/toml.h"
#include "enrgdaq/option.h"

struct options_memory; /* owns the strings and lists of filled structs */
struct options_memory *options_memory_create(void);
void options_memory_destroy(struct options_memory *memory);
/* Zeroed bytes that live as long as `memory`, aligned for any struct; NULL where there are none left. */
void *options_memory_take(struct options_memory *memory, size_t bytes);

/* What a struct is filled from. */
struct options_text {
	const struct toml_node *node; /* a table; NULL = an empty one, at line 0 */
	const char *file, *prefix;    /* for messages; prefix, such as "store_config.csv.", before keys; NULL = "" */
	const char *const *known;     /* keys that others read, NULL at the end; NULL = none */
};

/* Fills `ret_struct` (table->size bytes). Adds a problem for each wrong type, value outside min…max, unknown choice,
 * missing required key. A key that no table and not `known` has is a problem with the nearest known key as a
 * suggestion. */
void options_fill(const struct enrg_table *table, const struct options_text *text, void *ret_struct,
	struct options_memory *memory, struct problems *problems);

/* The same for a struct that several tables share: keys of all `tables` are known, `structs[i]` is filled by tables[i].
 */
void options_fill_many(const struct enrg_table *const *tables, void *const *structs, size_t count,
	const struct options_text *text, struct options_memory *memory, struct problems *problems);

#define OPTIONS_FILE_SUFFIX "_file" /* password = "…" or password_file = "…" */
/* Is the key that of the file of a secret option of the table? */
bool options_is_file_of_secret(const struct enrg_table *table, const char *key);

/* Bytes of the member that an option of this kind fills; 0 for an unknown kind. */
size_t options_kind_bytes(const struct enrg_option *option);
/* "int", "list of strings", "one of A, B": as `describe` prints it. */
void options_format_type(const struct enrg_option *option, char *ret_text, size_t text_bytes);
/* Does a number option have a bound below / above? Both 0 = any; beyond 1e18 counts as none. */
bool options_has_min(const struct enrg_option *option);
bool options_has_max(const struct enrg_option *option);
/* Parses a default as TOML prints it. The caller frees *ret_root; the value is its child "value". */
int options_parse_literal(const char *literal, struct toml_node **ret_root, struct enrg_error *err);

/* The nearest of `names` to `word` within a third of its length (at least 1 edit), or NULL. */
const char *options_suggest(const char *word, const char *const *names, size_t count);

/* "key  type  default  unit  help", aligned, for `enrgdaq describe`. */
void options_print(const struct enrg_table *table, int indent, FILE *stream);
/* The same as a Markdown table. */
void options_print_markdown(const struct enrg_table *table, FILE *stream);
/* JSON Schema (draft 2020-12) "object" of the table; new reference. */
json_t *options_schema(const struct enrg_table *table);
/* A commented TOML example with every key and its default; required keys have a placeholder. */
void options_print_example(const struct enrg_table *table, const char *section, FILE *stream);

#endif

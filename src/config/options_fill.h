/* options_fill.h: a struct while it is filled: what options.c (values), options_mismatch.c and options_known.c (what is
 * wrong) have among themselves. */
#ifndef CONFIG_OPTIONS_FILL_H
#define CONFIG_OPTIONS_FILL_H

#include "config/options.h"

struct options_fill {
	const char *file;
	struct options_memory *memory;
	struct problems *problems;
	int line;      /* of the table at hand: where a missing key is reported */
	bool is_quiet; /* an absent optional table: its required keys are not missed */
};

/* "an integer from 1 to 65535 MB" */
void options_format_expected(const struct enrg_option *option, char *ret_text, size_t text_bytes);
void options_add_mismatch(const struct options_fill *fill, const struct enrg_option *option,
	const struct toml_node *node, const char *name);
/* The same for one item of a list or entry of a map, as a field of its own kind. */
void options_add_item_mismatch(const struct options_fill *fill, const struct enrg_option *list,
	enum enrg_option_kind kind, const struct toml_node *item, const char *name, size_t index);
/* Keys of `node` that neither a table nor `known` has. */
void options_check_unknown(const struct options_fill *fill, const struct enrg_table *const *tables, size_t table_count,
	const struct toml_node *node, const char *prefix, const char *const *known);

#endif

/* options_json.h: fills typed structs from JSON (the body of a message) by the tables and with the checks of the
 * configuration. Any process, one thread at a time. */
#ifndef CONFIG_OPTIONS_JSON_H
#define CONFIG_OPTIONS_JSON_H

#include "config/options.h"

/* Fills a struct of `table`, which lives as long as `memory`, from the members of `json` (NULL: none). A member that is
 * null counts as absent; no member may name a file that holds a secret. ENRG_E_CONFIG: `ret_wrong` names all that is
 * wrong, cut where it does not fit. */
int options_fill_json(const struct enrg_table *table, const json_t *json, struct options_memory *memory,
	void **ret_struct, char *ret_wrong, size_t wrong_bytes);

#endif

/* options_values.h: a filled struct as JSON that options_fill_json makes the same struct of, for another process of
 * this system. Any process, one thread at a time. */
#ifndef CONFIG_OPTIONS_VALUES_H
#define CONFIG_OPTIONS_VALUES_H

#include <jansson.h>

#include "enrgdaq/option.h"

/* An object with a member for each option that has a value. Secrets stand in it as they are: not for logs, and for
 * nobody but a child. New reference; NULL: out of memory, or a text that is not UTF-8. */
json_t *options_values(const struct enrg_table *table, const void *filled);

#endif

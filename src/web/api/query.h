/* query.h: what stands behind '?' as JSON, so that the tables that fill bodies fill it as well. Any thread. Process:
 * enrgdaq-web. */
#ifndef WEB_API_QUERY_H
#define WEB_API_QUERY_H

#include <jansson.h>

#include "enrgdaq/option.h"

/* "a=1&b=x%20y" by the kinds of the table: numbers and "true" or "false" as such, a list by the key said again. Keys
 * that the table has not come as text, and are refused where the struct is filled. New reference; NULL: `ret_wrong`
 * says what is wrong with it (no UTF-8, %-signs that are none, a key twice, no number). */
json_t *query_parse(const char *query, const struct enrg_table *table, char *ret_wrong, size_t wrong_bytes);

#endif

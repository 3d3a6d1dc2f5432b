/* node_templates.h: the types of this machine as the Python program describes its own, for the forms of its panel
 * (docs/rest.md). Made of the catalogue (enrgdaq describe --catalogue). Any thread. Process: enrgdaq-web. */
#ifndef WEB_NODE_NODE_TEMPLATES_H
#define WEB_NODE_NODE_TEMPLATES_H

#include <jansson.h>

/* Each: a map, new reference. `catalogue` is borrowed. */
json_t *node_templates_jobs(const json_t *catalogue);
json_t *node_templates_stores(const json_t *catalogue);
json_t *node_templates_messages(const json_t *catalogue);

/* "StoreCSV" → "Store CSV", as the Python program does it. */
void node_templates_label(const char *name, char *ret_label, size_t label_bytes);

#endif

/* describe_schema.h: JSON Schemas of types (new references) and their examples, from their tables of fields. */
#ifndef CLI_DESCRIBE_SCHEMA_H
#define CLI_DESCRIBE_SCHEMA_H

#include <jansson.h>
#include <stdio.h>

#include "config/types.h"

/* Of the section [store_config.csv]. */
json_t *describe_section_schema(const struct enrg_store_type *store);
/* Keys of every job, those of the type, and its store groups as one object; its commands beside them. `types` NULL:
 * without the store groups. */
json_t *describe_type_schema(const struct types *types, const struct type_entry *type);
/* Commented TOML to start from. */
void describe_print_example(const struct types *types, const struct type_entry *type, FILE *stream);

#endif

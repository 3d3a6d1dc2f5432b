/* schemas.h: JSON Schemas with a name, which answers of several routes share; in an answer's schema "#Name" stands for
 * one. A list a file of routes, or for several of them; each is named in schemas.c. Any thread. Process: enrgdaq-web.
 */
#ifndef WEB_API_SCHEMAS_H
#define WEB_API_SCHEMAS_H

#include <stddef.h>

struct schema {
	const char *name; /* NULL ends the list */
	const char *text; /* JSON */
};

extern const struct schema *const schemas_all[]; /* NULL at the end */

extern const struct schema schemas_system[], schemas_jobs[], schemas_runs[], schemas_record[];

/* NULL: there is none of that name. */
const struct schema *schemas_find(const char *name);

/* What they are made of. `required`: names in quotes, with commas. */
#define OBJECT(properties, required) "{\"type\":\"object\",\"properties\":{" properties "},\"required\":[" required "]}"
#define TEXT_OR_NULL                 "{\"type\":[\"string\",\"null\"]}"
#define NUMBER_OR_NULL               "{\"type\":[\"number\",\"null\"]}"
#define INTEGER_OR_NULL              "{\"type\":[\"integer\",\"null\"]}"
#define OBJECT_OR_NULL               "{\"type\":[\"object\",\"null\"]}"
#define LIST(items)                  "{\"type\":\"array\",\"items\":" items "}"
#define TEXT                         "{\"type\":\"string\"}"
#define BOOL                         "{\"type\":\"boolean\"}"
#define INTEGER                      "{\"type\":\"integer\"}"
#define REF(name)                    "{\"$ref\":\"#/components/schemas/" name "\"}"

#endif

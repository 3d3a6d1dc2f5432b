/* openapi.h: OpenAPI 3.1 of the tables of routes: what is asked and answered stands there once, and is described by
 * what fills and checks it. Any thread. Process: enrgdaq-web. */
#ifndef WEB_API_OPENAPI_H
#define WEB_API_OPENAPI_H

#include <jansson.h>

#include "web/api/route.h"

/* New reference. NULL: a table is wrong, and err names the row (a path twice, a schema that is none …). */
json_t *openapi_make(const struct route *const *tables, struct enrg_error *err);
/* The same as text. */
int openapi_render(const struct route *const *tables, struct web_bytes **ret_bytes, struct enrg_error *err);

#endif

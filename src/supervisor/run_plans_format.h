/* run_plans_format.h: types, templates and sequences of runs as JSON, for forms and terminals. Process: supervisor,
 * main thread. */
#ifndef SUPERVISOR_RUN_PLANS_FORMAT_H
#define SUPERVISOR_RUN_PLANS_FORMAT_H

#include <jansson.h>

#include "config/run_plans.h"

/* `kind`: "types", "templates" or "sequences". `name` "": {KIND: [{"name", "title", …}, …]}; else all of that one. New
 * reference; NULL: no such kind or name. */
json_t *run_plans_format(const struct run_plans *plans, const char *kind, const char *name);

#endif

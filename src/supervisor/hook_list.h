/* hook_list.h: the hooks of a configuration for the program that calls them, over its socket alone: they hold secrets.
 * Process: supervisor. */
#ifndef SUPERVISOR_HOOK_LIST_H
#define SUPERVISOR_HOOK_LIST_H

#include <jansson.h>

#include "config/run_hooks.h"

/* An array, an object for each; keys as in supervisor.toml. New reference. */
json_t *hook_list_format(const struct enrg_struct_list *hooks);

#endif

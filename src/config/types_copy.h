/* types_copy.h: the tables of a module as this program knows them. A module may have been built with older or with
 * newer headers: members that it did not know are 0 here, what this program does not know is left away. */
#ifndef CONFIG_TYPES_COPY_H
#define CONFIG_TYPES_COPY_H

#include "enrgdaq/job.h"
#include "enrgdaq/processor.h"
#include "enrgdaq/store.h"

#define MODULE_NAMES_MAX   100  /* of a list without its end */
#define MODULE_OPTIONS_MAX 1000 /* the same */
#define MODULE_DEPTH_MAX   8    /* of tables in tables */

struct module_copy; /* refers to texts, functions and choices of the module, which must stay loaded */

/* ENRG_E_PLUGIN: another ABI, a table whose size can't be true, a list without its end. Nothing else is judged. */
int module_copy_create(const struct enrg_module *module, struct module_copy **ret_copy, struct enrg_error *err);
void module_copy_free(struct module_copy *copy); /* takes NULL */
const struct enrg_module *module_copy_get(const struct module_copy *copy);

#endif

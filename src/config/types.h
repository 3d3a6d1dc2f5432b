/* types.h: the registry of job, processor and store types, from loadable modules. */
#ifndef CONFIG_TYPES_H
#define CONFIG_TYPES_H

#include "enrgdaq/job.h"
#include "enrgdaq/processor.h"
#include "enrgdaq/store.h"

struct type_entry {
	const struct enrg_job_type *job; /* one of the three is set */
	const struct enrg_store_type *store;
	const struct enrg_processor_type *processor;
	const char *name;
	const char *module_path;
	int module_descriptor; /* of that file as it was when it was loaded; 0 = none */
};

/* What types of all kinds have. */
const struct enrg_table *type_options(const struct type_entry *type);
const char *type_summary(const struct type_entry *type);
const char *const *type_old_names(const struct type_entry *type); /* or NULL */
bool type_runs_code(const struct type_entry *type);
/* Store groups of a type that produces; NULL: it has none. */
const struct enrg_job_group *type_groups(const struct type_entry *type);
/* Commands that it takes, NULL at the end; NULL: none. */
const struct enrg_message_type *const *type_messages(const struct type_entry *type);
/* "job", "processor", "store". */
const char *type_kind(const struct type_entry *type);

struct types; /* entries sorted by name */

/* Loads every *.so of ENRGDAQ_MODULE_PATH, of the folder `modules` beside the program, of the prefix that the program
 * lies in, and of the prefix that it was configured for; the first of a type name wins. A module that can't be loaded
 * (missing library, other ABI, malformed table) is left out and explained by `warn`; the rest works. */
int types_load(struct types **ret_types, void (*warn)(void *context, const char *sentence), void *context,
	struct enrg_error *err);
void types_free(struct types *types); /* modules stay loaded */

/* Exactly one module: the one that lies there. */
int types_load_one(const char *module_path, struct types **ret_types, struct enrg_error *err);
/* For a job process: the module behind `descriptor`, also where it does not lie there any more. The descriptor stays
 * the caller's; -1: as types_load_one. */
int types_load_pinned(const char *module_path, int descriptor, struct types **ret_types, struct enrg_error *err);

/* From entries in memory (copied, sorted by name), for tests. */
int types_create_static(
	const struct type_entry *entries, size_t count, struct types **ret_types, struct enrg_error *err);

size_t types_count(const struct types *types);
const struct type_entry *types_at(const struct types *types, size_t index);
/* By name or old name; *ret_is_old tells. NULL: none. */
const struct type_entry *types_find(const struct types *types, const char *name, bool *ret_is_old);
const struct type_entry *types_find_section(const struct types *types, const char *section);
/* Nearest type name for a message, or NULL. */
const char *types_suggest(const struct types *types, const char *name);

/* Checks the tables of a module as the loader does: unique keys, offsets inside the struct, defaults that parse,
 * functions that must be there. ENRG_E_PLUGIN says what is lacking. */
int types_check_module(const struct enrg_module *module, struct enrg_error *err);
/* The same for tables that were copied. */
struct module_copy;
int types_check_copy(const struct module_copy *copy, struct enrg_error *err);

#endif

/* module.h: what a loadable module exports. Installed modules lie in LIBDIR/enrgdaq/modules; ENRGDAQ_MODULE_PATH names
 * more folders (colon separated), searched first. */
#ifndef ENRGDAQ_MODULE_H
#define ENRGDAQ_MODULE_H

#include <stdint.h>

#include "enrgdaq/error.h"
#include "enrgdaq/option.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The last one of 0.x: members are appended to the tables of functions, never moved, and a table says by its `size`
 * which of them its author knew. A module built with older headers leaves the others 0; of one built with newer headers
 * what this program knows is used. docs/decisions/0015-open-contract.md says what may change and how. */
#define ENRG_MODULE_ABI 3u

struct enrg_job_type;
struct enrg_store_type;
struct enrg_processor_type;

struct enrg_module {
	uint32_t abi;                                        /* ENRG_MODULE_HEAD sets the first three */
	uint32_t size;                                       /* of this struct */
	uint32_t option_bytes;                               /* of one struct enrg_option, since they stand in arrays */
	const char *name;                                    /* "csv" */
	const struct enrg_job_type *const *jobs;             /* NULL-terminated, or NULL */
	const struct enrg_store_type *const *stores;         /* NULL-terminated, or NULL */
	const struct enrg_processor_type *const *processors; /* NULL-terminated, or NULL */
};

#define ENRG_MODULE_HEAD ENRG_MODULE_ABI, (uint32_t)sizeof(struct enrg_module), (uint32_t)sizeof(struct enrg_option)

/* The one symbol that the loader looks up: ENRG_MODULE = {ENRG_MODULE_HEAD, .name = …}; */
#define ENRG_MODULE const struct enrg_module enrg_module
ENRG_API extern const struct enrg_module enrg_module;

#ifdef __cplusplus
}
#endif

#endif

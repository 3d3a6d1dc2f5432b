/* module.h: what a loadable module exports. Installed modules lie in LIBDIR/enrgdaq/modules; ENRGDAQ_MODULE_PATH names
 * more folders (colon separated), searched first. */
#ifndef ENRGDAQ_MODULE_H
#define ENRGDAQ_MODULE_H

#include <stdint.h>

#include "enrgdaq/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ENRG_MODULE_ABI 3u /* raised when a struct of include/enrgdaq/ changes */

struct enrg_job_type;
struct enrg_store_type;

struct enrg_module {
	uint32_t abi;                                /* ENRG_MODULE_ABI, first, for ever */
	const char *name;                            /* "csv" */
	const struct enrg_job_type *const *jobs;     /* NULL-terminated, or NULL */
	const struct enrg_store_type *const *stores; /* NULL-terminated, or NULL */
};

/* The one symbol that the loader looks up: ENRG_MODULE = { .abi = ENRG_MODULE_ABI, … }; */
#define ENRG_MODULE const struct enrg_module enrg_module
ENRG_API extern const struct enrg_module enrg_module;

#ifdef __cplusplus
}
#endif

#endif

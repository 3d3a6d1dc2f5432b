/* crate.h: a run as an RO-Crate (version 1.2, https://w3id.org/ro/crate/1.2): a description that other programs and
 * archives of data understand. Pure; any thread. */
#ifndef RUNS_CRATE_H
#define RUNS_CRATE_H

#include <jansson.h>

#define CRATE_METADATA_NAME "ro-crate-metadata.json"
#define CRATE_CONFIG_NAME   "configuration.toml"

/* `run`: of reader_show. `folder`: where the crate's files will lie, without links; what lies below it is named from
 * there, all else by its place on this machine. NULL: the configuration stands in the description itself. New
 * reference; NULL: out of memory. */
json_t *crate_make(const json_t *run, const char *folder);

#endif

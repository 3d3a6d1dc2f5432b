/* describe_catalogue.h: all types at once, for programs that make forms of them: `enrgdaq describe --catalogue`. */
#ifndef CLI_DESCRIBE_CATALOGUE_H
#define CLI_DESCRIBE_CATALOGUE_H

#include "config/types.h"

/* One JSON object in one line to standard output:
 *   version
 *   types    by name: kind ("job", "processor", "store"), summary, runs_code, old_names, schema (keys of every job and
 *            its own, without store groups), groups [{key, required, help}], messages (by kind: schema of the fields of
 *            a command), example (TOML to start from)
 *   stores   by section ("csv"): type, summary, schema (of the section)
 *   common   schema of the keys of every job
 * A key that is required, or that the checks of its type ask for, has `examples` with one value. */
int describe_catalogue(const struct types *types);

#endif

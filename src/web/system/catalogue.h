/* catalogue.h: the types of jobs with their JSON Schemas, as `enrgdaq describe --catalogue` prints them. This process
 * loads no module: a program of its own does, once, niced, for a limited time. Any thread. Process: enrgdaq-web. */
#ifndef WEB_SYSTEM_CATALOGUE_H
#define WEB_SYSTEM_CATALOGUE_H

#include <jansson.h>

#include "enrgdaq/error.h"

struct catalogue;

struct catalogue *catalogue_create(const char *program); /* copied; NULL: out of memory */
void catalogue_destroy(struct catalogue *catalogue);     /* takes NULL */
/* New reference. Waits for the program, 20 s at most; after a failure it is not started again for 10 s. */
json_t *catalogue_get(struct catalogue *catalogue, struct enrg_error *err);

#endif

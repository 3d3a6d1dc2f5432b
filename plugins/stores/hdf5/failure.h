/* failure.h: says what libhdf5 says, in our words. One thread. */
#ifndef HDF5_FAILURE_H
#define HDF5_FAILURE_H

#include "enrgdaq/error.h"
#include "shadow.h"

/* "path: can't VERB: …" with the reason of the system where `shadow` had one, else with libhdf5's own. Returns a
 * negative code. */
int failure_set(struct enrg_error *err, const struct shadow *shadow, const char *verb);

#endif

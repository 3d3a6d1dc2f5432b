/* failure.h: says what libhdf5 says, in our words. One thread. */
#ifndef HDF5_FAILURE_H
#define HDF5_FAILURE_H

#include "enrgdaq/error.h"
#include "shadow.h"

/* To be called where a call has failed and others follow before failure_set: libhdf5 forgets its reason with each
 * call. */
void failure_keep(void);

/* "path: can't VERB: …" with the reason of the system where `shadow` had one, else with libhdf5's own. Returns a
 * negative code. */
int failure_set(struct enrg_error *err, const struct shadow *shadow, const char *verb);

#endif

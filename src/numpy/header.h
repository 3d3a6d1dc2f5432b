/* header.h: the front of a file that numpy.save wrote. One thread. */
#ifndef NUMPY_HEADER_H
#define NUMPY_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

/* Checks that a saved object (and no plain array) stands at bytes[0, count), and where its pickle starts. */
int header_parse(const uint8_t *bytes, size_t count, size_t *ret_pickle, struct enrg_error *err);

#endif

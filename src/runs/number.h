/* number.h: the last number that was given, in DATABASE.number, and numbers in the names beside the data: so that
 * numbers go on above them where an older database was restored. One thread. */
#ifndef RUNS_NUMBER_H
#define RUNS_NUMBER_H

#include <stdint.h>

#include "enrgdaq/error.h"

/* The largest that is taken from somebody else's bytes: there is always one behind it. */
#define NUMBER_MAX (INT64_MAX / 2)

uint64_t number_read(const char *database); /* 0: it is not known */
/* Synced. */
int number_write(const char *database, uint64_t number, struct enrg_error *err);
/* The largest NNNNNN of names run_NNNNNN….json there. */
uint64_t number_find_largest(const char *folder);

#endif

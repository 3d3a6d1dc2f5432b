/* unfinished.h: files that stores have not closed: of a run that is on, or of one that was killed and has not been
 * started again. Any process, one thread. */
#ifndef HANDOVER_UNFINISHED_H
#define HANDOVER_UNFINISHED_H

#include <stddef.h>

#include "enrgdaq/error.h"

/* 1: a journal of this user's runtime folder names that file, which need not be there; sets "STORE of RUN-ID". 0: none
 * does. Negative: it can't be told, since the folder or a journal can't be read, and none of the others names it. */
int unfinished_find(const char *path, char *ret_store, size_t store_bytes, struct enrg_error *err);

#endif

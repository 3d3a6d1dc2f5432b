/* unfinished.h: files that stores have not closed: of a run that is on, or of one that was killed and has not been
 * started again. Any process, one thread. */
#ifndef HANDOVER_UNFINISHED_H
#define HANDOVER_UNFINISHED_H

#include <stdbool.h>
#include <stddef.h>

/* A journal of this user's runtime folder names that file, which need not be there. Sets "STORE of RUN-ID". */
bool unfinished_find(const char *path, char *ret_store, size_t store_bytes);

#endif

/* placing.h: copies into a folder, such as that of a mounted disk: written under another name, synced, read back past
 * the page cache, renamed; then the folder is synced. Nothing that lies there is overwritten unless the new copy begins
 * with all of its bytes, and it is a copy of ours. Main thread. */
#ifndef ARCHIVE_PLACING_H
#define ARCHIVE_PLACING_H

#include "way.h"

struct placing_params {
	const char *target; /* both texts outlive it */
	const char *marker; /* a file that is in the target, and is not in the empty folder where it is mounted */
	const char *job;
};

int placing_create(const struct placing_params *params, struct way *ret_way, struct enrg_error *err);

#endif

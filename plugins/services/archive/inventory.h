/* inventory.h: the files of the folder that is archived, oldest first. Main thread. */
#ifndef ARCHIVE_INVENTORY_H
#define ARCHIVE_INVENTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "enrgdaq/error.h"
#include "names.h"

struct inventory_file {
	char *name; /* below the folder */
	struct stat status;
	uint64_t since_ns; /* it was found like this first; CLOCK_MONOTONIC */
	bool is_waiting;   /* to be copied; its user's */
};

struct inventory {
	struct inventory_file *files;
	size_t count, capacity;
	uint64_t bytes;
};

struct inventory_params {
	const char *root;
	const struct names_patterns *exclude;
	uint64_t now_ns; /* CLOCK_MONOTONIC */
};

/* Regular files below `root` on its own file system; no hidden ones, none of those patterns, nothing in root/state,
 * where services keep what they remember. A folder that is not there is empty. Takes the place of an earlier one, from
 * which it knows how long files have been as they are. */
int inventory_read(struct inventory *inventory, const struct inventory_params *params, struct enrg_error *err);
void inventory_fini(struct inventory *inventory); /* takes zeroed memory */

/* What a kill left in the middle of a removal gets its name back. How many. */
unsigned inventory_restore(const char *root);

static inline int64_t inventory_changed_ns(const struct stat *status)
{
	return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}

#endif

/* aside.h: files that could not be archived, or whose copy could not be proved: how often, why, and when again. One
 * that fails again and again while others succeed is *set aside*: then it is the file, not the target, and nobody waits
 * for it. In memory: whoever starts anew tries all of them. Main thread. */
#ifndef ARCHIVE_ASIDE_H
#define ARCHIVE_ASIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inventory.h"

#define ASIDE_TRIES 3u      /* failures of a file until others have their turn */
#define ASIDE_MAX   100000u /* files that are remembered */

struct aside_file {
	char *name;
	int64_t changed_ns; /* as it was then: another one of that name is tried afresh */
	uint64_t bytes;
	unsigned failures;
	uint64_t failed_ns, next_ns; /* the last time; not before (where it is set aside). CLOCK_MONOTONIC */
	bool is_set_aside, is_there;
	char reason[300];
};

struct aside {
	struct aside_file *files; /* by name */
	size_t count, capacity;
	size_t set_aside;
	uint64_t worked_ns; /* when another file went through, the last time */
};

void aside_fini(struct aside *aside); /* takes zeroed memory */

/* NULL: it has not failed as it is now. */
const struct aside_file *aside_find(const struct aside *aside, const struct inventory_file *file);
/* May it be tried: behind the others (true) or among them (false)? */
bool aside_is_due(const struct aside *aside, const struct inventory_file *file, bool is_behind, uint64_t now_ns);

struct aside_failure {
	const char *reason;
	bool is_own; /* no target would take it */
	uint64_t now_ns;
	uint64_t delay_ns; /* until a file that is set aside is tried again the first time; then twice as long, up to a
			      day */
};
/* true: it is set aside, and the target is not to blame. */
bool aside_fail(struct aside *aside, const struct inventory_file *file, const struct aside_failure *failure);
/* It went through. */
void aside_succeed(struct aside *aside, const struct inventory_file *file, uint64_t now_ns);
/* Forgets those that are no longer in the inventory as they were. */
void aside_forget_gone(struct aside *aside, const struct inventory *inventory);
/* One that is set aside, to be named; NULL: none is. */
const struct aside_file *aside_first(const struct aside *aside);

#endif

/* drill.h: which of the calls of a store are to fail, and how. One thread.
 *
 * Calls are counted from 1 in each life of the process, a call that comes again after a failure as a new one; with
 * keep_counts the counts are kept in a hidden file, so that each fault comes once, however often the process dies.
 */
#ifndef FAULTY_DRILL_H
#define FAULTY_DRILL_H

#include <limits.h>

#include "enrgdaq/store.h"

struct drill_options {
	int64_t fail_write_at, fail_every, fail_commit_at, short_write_at, crash_at, stop_after; /* 0 = never */
	double stop_seconds, delay_ms;
	int error; /* errno */
	bool keep_counts;
};

extern const struct enrg_table drill_table; /* for an option of kind ENRG_OPTION_INCLUDE */

struct drill_counts {
	uint64_t writes, commits;
};

struct drill {
	struct enrg_store *store;
	const struct drill_options *options;
	char path[PATH_MAX]; /* of the kept counts */
};

enum drill_order { DRILL_GO_ON, DRILL_FAIL, DRILL_SHORT };

/* Called again after each failure: counts and the announcements of a life go on. */
int drill_open(struct drill *drill, struct enrg_store *store, const struct drill_options *options, const char *out_dir,
	struct enrg_error *err);

/* Counts a call of write or commit, announces what is due, waits or crashes, and says what the caller has to do. */
int drill_write(struct drill *drill, enum drill_order *ret_order, struct enrg_error *err);
int drill_commit(struct drill *drill, enum drill_order *ret_order, struct enrg_error *err);
/* The error of the drill: `what` is its object. Returns the code. */
int drill_fail(const struct drill *drill, const char *what, struct enrg_error *err);

#endif

/* snapshot.h: one look at the system: never changes, any number of readers on any thread. Process: enrgdaq-web. */
#ifndef WEB_SYSTEM_SNAPSHOT_H
#define WEB_SYSTEM_SNAPSHOT_H

#include <jansson.h>
#include <stdatomic.h>

#include "web/http/message.h"

/* Counts of references of JSON values are atomic: parts of `status` may be held by json_incref; nothing in it may be
 * changed. */
struct snapshot {
	atomic_uint references;
	uint64_t looked_ns; /* CLOCK_MONOTONIC: of this look */
	uint64_t at_ns;     /* of the look that brought `status`: older where the system is away; 0: there was none */
	bool is_there;      /* its supervisor runs now */
	double age_s; /* of `status` at looked_ns, since the supervisor wrote it; also while it hangs, or is away */
	char reason[1000];       /* why it is not there; "" */
	json_t *status;          /* object of `status --json`; NULL: none yet */
	struct web_bytes *bytes; /* {"is_there", "age_s", "at", "reason", "system": status or null} */
	struct web_bytes *graph; /* {"is_there", "age_s", "at", "nodes", "edges"}; docs/api.md */
};

/* What a look has brought. */
struct snapshot_look {
	bool is_there;
	double age_s;
	const char *reason; /* "" */
	const char *json;   /* status as text; NULL: none came, and what `before` has stays */
};

/* NULL: out of memory. `before` NULL: the first one. */
struct snapshot *snapshot_create(const struct snapshot *before, const struct snapshot_look *look);
struct snapshot *snapshot_hold(struct snapshot *snapshot);
void snapshot_release(struct snapshot *snapshot); /* takes NULL */

#endif

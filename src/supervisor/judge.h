/* judge.h: which alarms are due: a source that is silent, a store that lags, a ledger that does not close, a disk that
 * is nearly full, a clock that nothing holds. By what the supervisor has sampled anyway; a disk and the clock are
 * looked at each few seconds. Process: supervisor, main thread. */
#ifndef SUPERVISOR_JUDGE_H
#define SUPERVISOR_JUDGE_H

#include "supervisor/alarms.h"
#include "supervisor/disks.h"
#include "supervisor/fill.h"
#include "supervisor/flow.h"
#include "supervisor/ledger.h"
#include "supervisor/roster.h"

struct judge_source {
	uint32_t id; /* of the member */
	bool is_seen;
	struct flow flow;
};

struct judge {
	struct alarms *alarms;
	uint32_t source_count, fill_count;
	struct judge_source *sources;
	struct fill *fills;
	struct disks disks;
	uint64_t looked_ns, clock_ns; /* last looks, CLOCK_MONOTONIC */
};

struct judge_context {
	const struct roster *roster;
	const struct ledger *ledger;
	const struct supervisor_options *options;
	uint64_t unaccounted_runs; /* closed runs that are not accounted for */
	double interval_s;         /* from one look to the next */
	uint64_t now_ns, wall_ns;
};

void judge_fini(struct judge *judge);
/* While the run is on and does not end. */
void judge_look(struct judge *judge, const struct judge_context *context);

#endif

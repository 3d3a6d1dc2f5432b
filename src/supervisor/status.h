/* status.h: the state of a running system as one JSON object, and as one line. Process: supervisor. */
#ifndef SUPERVISOR_STATUS_H
#define SUPERVISOR_STATUS_H

#include <jansson.h>

#include "handover/statistics.h"
#include "supervisor/ledger.h"
#include "supervisor/roster.h"

struct status_context {
	const struct roster *roster;
	const struct ledger *ledger;
	const char *supervisor, *run, *phase, *config;
	uint64_t started_wall_ns, now_wall_ns;
	uint64_t running_ns;  /* now, by the clock of restarts (roster.h); 0: no time of a restart is told */
	double interval_s;    /* until the next one is written */
	const json_t *alerts; /* array, or NULL */
	uint64_t alert_count; /* since the supervisor started; `alerts` holds the last of them */
	bool is_final;
};

/* New reference; NULL: out of memory. */
json_t *status_format(const struct status_context *context);
/* "3 jobs run, 12.3 MB/s in, 12.3 MB/s stored, 0.0 MB waiting". */
void status_summary(const json_t *status, char *ret_text, size_t text_bytes);

/* The figures of one job, as status_format shows them. */
void status_get_statistics(const struct roster *roster, const struct ledger *ledger, const struct member *member,
	struct statistics *ret_statistics);

#endif

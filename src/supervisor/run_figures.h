/* run_figures.h: what the record of a run has of its jobs beside the account: rates, dead time of each source,
 * restarts, instruments. Process: supervisor, main thread.
 *
 * A source is dead while its process is not there, or waits for room because stores do not keep up. Counted from
 * run_figures_begin, by the samples of members. */
#ifndef SUPERVISOR_RUN_FIGURES_H
#define SUPERVISOR_RUN_FIGURES_H

#include <jansson.h>

#include "supervisor/roster.h"

struct run_figures_job {
	char name[256];
	double down_s, blocked_s;
	uint32_t lives, restarts;      /* lives: as last seen */
	uint64_t rows, bytes, batches; /* of its lives, when it was seen first */
	uint64_t seen_ns;
};

struct run_figures {
	uint64_t began_ns, ticked_ns; /* 0: no run */
	uint32_t count;
	struct run_figures_job *jobs; /* all but services, also those that have gone */
};

void run_figures_begin(struct run_figures *figures, const struct roster *roster, uint64_t now_ns);
void run_figures_fini(struct run_figures *figures); /* takes zeroed state */
/* Behind sample_take, about once a second. `now_ns`: of the time in which the supervisor ran. */
void run_figures_tick(struct run_figures *figures, const struct roster *roster, uint64_t now_ns);
/* Sets in `body`: `rates` {job: {"rows_per_s", "bytes_per_s", "batches_per_s"}} over the run so far, `dead` {job:
 * {"down_s", "blocked_s"}}, `restarts` {job: n}, `hardware` {job: {"model", "serial", "firmware"}}. */
void run_figures_format(const struct run_figures *figures, const struct roster *roster, json_t *body);

#endif

/* pace.h: how often the supervisor looks at all jobs and tells their figures: once a second, and less often where there
 * are so many that it would cost more than a hundredth of a core. Arithmetic only: no clock. Process: supervisor. */
#ifndef SUPERVISOR_PACE_H
#define SUPERVISOR_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_LEAST_NS 1000000000ull
#define PACE_MOST_NS  10000000000ull

struct pace {
	uint64_t interval_ns; /* 0 = not yet looked */
	uint64_t next_ns;
	int phase;
};

/* Asked once a second. `is_eager`: at once, also before its time; so does another `phase` than at the last look. */
bool pace_is_due(const struct pace *pace, uint64_t now_ns, int phase, bool is_eager);
/* Until the look after this one, in s: what this look may tell to its readers. */
double pace_seconds(const struct pace *pace);
/* After a look at `now_ns` that took `cost_ns` of CPU time. The pace follows one look later, so that what was told
 * about it is true. Four looks at least within a watchdog's patience. */
void pace_note(struct pace *pace, uint64_t now_ns, int phase, uint64_t cost_ns, uint64_t watchdog_ns);

#endif

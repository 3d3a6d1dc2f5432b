/* pace.c: see the header. */
#include "supervisor/pace.h"

#define SHARE     100u
#define TOLERANCE (PACE_LEAST_NS / 2) /* the clock of the caller ticks once a second, more or less */

bool pace_is_due(const struct pace *pace, uint64_t now_ns, int phase, bool is_eager)
{
	return is_eager || phase != pace->phase || now_ns + TOLERANCE >= pace->next_ns;
}

double pace_seconds(const struct pace *pace)
{
	return (double)(pace->interval_ns ? pace->interval_ns : PACE_LEAST_NS) / 1e9;
}

void pace_note(struct pace *pace, uint64_t now_ns, int phase, uint64_t cost_ns, uint64_t watchdog_ns)
{
	uint64_t most_ns = watchdog_ns / 4 < PACE_MOST_NS ? watchdog_ns / 4 : PACE_MOST_NS;
	uint64_t wanted_ns = cost_ns < PACE_MOST_NS / SHARE ? cost_ns * SHARE : PACE_MOST_NS;

	pace->next_ns = now_ns + (pace->interval_ns ? pace->interval_ns : PACE_LEAST_NS);
	pace->phase = phase;
	wanted_ns = wanted_ns < most_ns ? wanted_ns : most_ns;
	pace->interval_ns = wanted_ns > PACE_LEAST_NS ? wanted_ns : PACE_LEAST_NS;
}

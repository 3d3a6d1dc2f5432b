/* yield.c: see the header.
 *
 * A store that has read a batch wakes the source that waited for it. The scheduler likes to put what wakes beside who
 * woke it, and lets it run at once: so the store, which everybody waits for, stood still while the other core had
 * nothing to do. A thread of SCHED_BATCH has the same share of the processor, waits for its turn, and another core that
 * runs empty takes it. */
#include "job/source/yield.h"

#include <sched.h>

#define PERIOD_NS UINT64_C(200000000)
#define ON_SHARE  10u  /* held back for more than one part of so many */
#define OFF_SHARE 100u /* for less than that */

void yield_init(struct yield *yield, uint32_t producers)
{
	*yield = (struct yield){.is_off = producers < 2};
}

/* Only between the ordinary policies: who runs a system in real time, or as batch, knows why. */
static void switch_policy(struct yield *yield, int from, int to)
{
	const struct sched_param param = {0};

	yield->is_off = sched_getscheduler(0) != from || sched_setscheduler(0, to, &param) != 0;
	yield->is_on = !yield->is_off && to == SCHED_BATCH;
}

void yield_tend(struct yield *yield, uint64_t now_ns, uint64_t blocked_ns)
{
	uint64_t span_ns = now_ns - yield->since_ns, held_ns = blocked_ns - yield->blocked_ns;
	bool is_first = yield->since_ns == 0;

	if (yield->is_off || (!is_first && span_ns < PERIOD_NS))
		return;
	yield->since_ns = now_ns;
	yield->blocked_ns = blocked_ns;
	if (is_first)
		return;
	if (!yield->is_on && held_ns > span_ns / ON_SHARE)
		switch_policy(yield, SCHED_OTHER, SCHED_BATCH);
	else if (yield->is_on && held_ns < span_ns / OFF_SHARE)
		switch_policy(yield, SCHED_BATCH, SCHED_OTHER);
}

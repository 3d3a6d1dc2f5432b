/* flow.c: see the header. */
#include "supervisor/flow.h"

#include <stdlib.h>
#include <string.h>

static void add_interval(struct flow *flow, uint64_t interval_ns, uint64_t times)
{
	for (uint64_t i = 0; i < times && i < FLOW_LEARNED; i++) {
		flow->intervals[flow->next] = interval_ns;
		flow->next = (flow->next + 1) % FLOW_KEPT;
		flow->count += flow->count < FLOW_KEPT;
	}
}

void flow_look(struct flow *flow, uint64_t batches, uint64_t last_out_ns, bool is_due, uint64_t now_ns)
{
	uint64_t sent = batches > flow->batches ? batches - flow->batches : 0;

	if (sent && is_due && flow->due_ns && flow->last_out_ns && last_out_ns > flow->last_out_ns)
		add_interval(flow, (last_out_ns - flow->last_out_ns) / sent, sent);
	flow->batches = batches;
	if (!is_due) {
		flow->due_ns = flow->last_out_ns = 0;
		return;
	}
	if (!flow->due_ns)
		flow->due_ns = now_ns;
	if (sent)
		flow->last_out_ns = last_out_ns;
}

void flow_forgive(struct flow *flow, uint64_t now_ns)
{
	if (flow->due_ns)
		flow->due_ns = now_ns;
	flow->last_out_ns = 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

	return first < second ? -1 : first > second;
}

uint64_t flow_interval(const struct flow *flow)
{
	uint64_t sorted[FLOW_KEPT];

	if (flow->count < FLOW_LEARNED)
		return 0;
	memcpy(sorted, flow->intervals, flow->count * sizeof(sorted[0]));
	qsort(sorted, flow->count, sizeof(sorted[0]), compare);
	return sorted[flow->count / 2] ? sorted[flow->count / 2] : 1;
}

uint64_t flow_silence(const struct flow *flow, uint64_t now_ns)
{
	uint64_t since_ns = flow->last_out_ns > flow->due_ns ? flow->last_out_ns : flow->due_ns;

	return since_ns && now_ns > since_ns ? now_ns - since_ns : 0;
}

bool flow_is_silent(const struct flow *flow, uint64_t least_ns, uint64_t now_ns)
{
	uint64_t silence_ns = flow_silence(flow, now_ns), interval_ns;

	if (silence_ns <= least_ns)
		return false;
	interval_ns = flow_interval(flow);
	return interval_ns && silence_ns / FLOW_TIMES >= interval_ns;
}

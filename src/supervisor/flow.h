/* flow.h: how often a source sends, learned from what it sends; and whether it is silent for longer than that lets
 * expect. Plain memory; times are CLOCK_MONOTONIC. */
#ifndef SUPERVISOR_FLOW_H
#define SUPERVISOR_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#define FLOW_LEARNED 20u /* batches, until it is known how often it sends */
#define FLOW_KEPT    64u /* intervals, of which the middle one counts */
#define FLOW_TIMES   10u /* so many intervals without a batch are silence */

struct flow {
	uint64_t batches;     /* as of the last look */
	uint64_t last_out_ns; /* the last batch; 0 = none since it should deliver */
	uint64_t due_ns;      /* it should deliver since then; 0 = it should not */
	uint32_t count, next; /* of the intervals */
	uint64_t intervals[FLOW_KEPT];
};

/* A look: so many batches in all, the last one then (0: none in this instance). `is_due`: it should deliver. */
void flow_look(struct flow *flow, uint64_t batches, uint64_t last_out_ns, bool is_due, uint64_t now_ns);
/* Time passed in which nobody looked (a machine that stood still): it counts for nothing. */
void flow_forgive(struct flow *flow, uint64_t now_ns);
/* The middle of its intervals; 0 = not learned yet. */
uint64_t flow_interval(const struct flow *flow);
/* How long it has been silent; 0 where it should not deliver. */
uint64_t flow_silence(const struct flow *flow, uint64_t now_ns);
/* Longer than FLOW_TIMES its interval, and than `least_ns`? */
bool flow_is_silent(const struct flow *flow, uint64_t least_ns, uint64_t now_ns);

#endif

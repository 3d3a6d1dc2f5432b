/* parting.c: see the header. Process: supervisor, main thread. */
#include "supervisor/parting.h"

#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "handover/order.h"

#define SECOND             UINT64_C(1000000000)
#define SOURCE_PATIENCE_NS (10 * SECOND)
#define STORE_PATIENCE_NS  (30 * SECOND)
#define FAILURES           2u /* one after the other, by itself */

/* Its process is asked to end, and has not yet. */
static bool wait_for_end(struct edges *edges, const struct member *member)
{
	if (!edges->waits_for[0])
		snprintf(edges->waits_for, sizeof(edges->waits_for), "%.200s has not ended yet", member->plan->name);
	return false;
}

static enum order choose_order(const struct member *member)
{
	if (member_is_source(member))
		return ORDER_DRAIN;
	if (member->is_anew)
		return ORDER_LEAVE;
	return member_is_processor(member) && member->wish == WISH_REMOVE && !member->is_now ? ORDER_LEAVE : ORDER_PART;
}

bool parting_end_process(struct edges *edges, struct member *member)
{
	uint64_t patience_ns = member_is_source(member) ? SOURCE_PATIENCE_NS : STORE_PATIENCE_NS,
		 now_ns = edges->now_ns;

	if (!member_is_alive(member)) {
		if (member->state != MEMBER_STOPPED)
			member_enter(member, MEMBER_STOPPED);
		return true;
	}
	if (!member->ending_ns)
		member->ending_ns = now_ns;
	if (!member->is_stop_asked && !child_send_order(&member->child, (int)choose_order(member))) {
		member->is_stop_asked = true;
		member->ending_ns = now_ns;
	} else if (now_ns >= member->ending_ns + patience_ns) {
		log_line(ENRG_ERROR, "%s %s within %.0f s: killed%s", member->plan->name,
			member->is_stop_asked ? "did not end"
					      : "could not be asked to end (its queue of signals is full)",
			(double)patience_ns / 1e9,
			!member_is_source(member) ? "" : "; hardware data that it had not committed is lost");
		child_signal(&member->child, SIGKILL);
		member->ending_ns = now_ns;
	}
	return wait_for_end(edges, member);
}

bool parting_are_sources_down(const struct edges *edges, const struct member *reader)
{
	for (size_t i = 0; i < edges->roster->count; i++) {
		const struct member *source = edges->roster->members[i];
		bool has_ended = source->state == MEMBER_STOPPED && !member_is_alive(source);

		if (source->wish == WISH_REMOVE && !member_is_store(source) &&
			plan_find_sink(source->plan, reader->plan->name) < source->plan->sink_count &&
			!(member_is_processor(reader) && has_ended))
			return false;
	}
	return true;
}

/* By its text it can't go on, so it can't make the last of what it holds either. */
static bool is_failing(const struct member *member)
{
	return member->state == MEMBER_GIVEN_UP ||
	       (member->state == MEMBER_PAUSING && member->restart.failures >= FAILURES && member->last_code > 0);
}

bool parting_end_processor(struct edges *edges, struct member *member)
{
	bool is_down = member->state == MEMBER_STOPPED || member->state == MEMBER_DONE;

	if (member->is_anew && is_failing(member)) {
		log_line(ENRG_WARNING,
			"%s could not end in order by its old text (%s): the new one goes on from its last checkpoint, "
			"with the state of the old one",
			member->plan->name, member->last_exit);
		return parting_end_process(edges, member);
	}
	if (!member->is_now && !member->is_stop_asked && member->was_ready) {
		if (!parting_are_sources_down(edges, member))
			return false;
		bool is_drained = edges_are_drained(edges, member);
		if (!member_is_alive(member) && is_down)
			roster_revive(member);
		if (!is_drained || !member_is_alive(member))
			return false;
	}
	return parting_end_process(edges, member);
}

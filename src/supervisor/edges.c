/* edges.c: stores join and leave streams of a run. Process: supervisor, main thread. */
#include "supervisor/edges.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "handover/order.h"
#include "supervisor/removed.h"
#include "supervisor/sample.h"

#define TELL_AGAIN_NS UINT64_C(1000000000)
#define NUDGE_NS      UINT64_C(50000000)
#define NUDGE_MAX_NS  UINT64_C(60000000000) /* for one that does not run */

static void wait_for(struct edges *edges, const char *what, const struct member *member)
{
	snprintf(edges->waits_for, sizeof(edges->waits_for), "%.200s %s", member->plan->name, what);
}

/* --- telling a store ---------------------------------------------------------------------------------------------- */

static void tell(struct edges *edges, struct member *store)
{
	struct enrg_error err = {0};

	store->told_ns = edges->now_ns;
	if (plan_write_file(store->plan, &err))
		log_line(ENRG_WARNING, "%s can't be told what it reads now: %s; trying again", store->plan->name,
			err.text);
	else
		(void)child_send_order(&store->child, ORDER_PLAN);
}

static void change_plan(struct edges *edges, struct member *store)
{
	if (member_is_processor(store)) /* reads what it was started with; its next process goes by the plan */
		return;
	store->plan->serial++;
	if (member_is_alive(store))
		tell(edges, store);
}

/* What the page of its process says now; zero where there is none. */
struct page_words {
	uint64_t plan_serial, beat_ns;
};

static struct page_words read_words(const struct member *member)
{
	struct page *page = malloc(sizeof(*page));
	int descriptor = page ? page_open_file(member->plan->page_path) : -1;
	struct page_words words = {0};

	if (descriptor >= 0) {
		if (!page_read(descriptor, page) &&
			atomic_load_explicit(&page->pid, memory_order_relaxed) == (uint32_t)member->child.pid) {
			words.plan_serial = atomic_load_explicit(&page->plan_serial, memory_order_acquire);
			words.beat_ns = atomic_load_explicit(&page->heartbeat_mono_ns, memory_order_relaxed);
		}
		close(descriptor);
	}
	free(page);
	return words;
}

bool edges_is_told(struct edges *edges, struct member *store)
{
	if (!member_is_alive(store) || member_is_processor(store) ||
		read_words(store).plan_serial >= store->plan->serial) {
		plan_remove_file(store->plan);
		return true;
	}
	if (edges->now_ns >= store->told_ns + TELL_AGAIN_NS)
		tell(edges, store);
	wait_for(edges, "has still to take in what it reads now", store);
	return false;
}

void edges_give_input(struct edges *edges, struct member *store, const char *source)
{
	size_t index = store->wanted ? plan_find_input(store->wanted, source) : 0, old;

	if (store->is_anew) /* takes all of them with its text */
		return;
	if (!store->wanted || index == store->wanted->input_count)
		return;
	old = plan_find_input(store->plan, source);
	if (old < store->plan->input_count) {
		/* a new text of the source; which runs are left in the stream stays */
		char *runs = store->plan->inputs[old].earlier_runs;
		store->plan->inputs[old].earlier_runs = store->wanted->inputs[index].earlier_runs;
		store->wanted->inputs[index].earlier_runs = runs;
		plan_drop_input(store->plan, old);
	}
	if (plan_move_input(store->wanted, index, store->plan))
		log_line(ENRG_ERROR, "%s can't read %s: out of memory", store->plan->name, source);
	change_plan(edges, store);
}

/* A processor that leaves all that it reads before it comes again by another text. */
static bool is_leaving(const struct member *store)
{
	return store && store->is_anew && !store->has_left;
}

/* --- joining ------------------------------------------------------------------------------------------------------ */

/* It may sleep until its next poll. Orders wait in a queue of the kernel, which is not to be filled: one that has given
 * no sign of life since has not taken the last one yet. */
static void nudge(const struct edges *edges, struct member *source)
{
	if (edges->now_ns < source->told_ns + NUDGE_NS)
		return;
	uint64_t beat_ns = read_words(source).beat_ns;
	if (beat_ns == source->told_beat && edges->now_ns < source->told_ns + (beat_ns ? NUDGE_MAX_NS : TELL_AGAIN_NS))
		return;
	source->told_ns = edges->now_ns;
	if (child_send_order(&source->child, ORDER_PLAN) == 0)
		source->told_beat = beat_ns;
}

/* true: it is there, or can't be. */
static bool join(struct edges *edges, struct member *source, size_t index)
{
	const char *name = source->wanted->sinks[index].store_name;
	struct member *store = roster_find(edges->roster, name);
	struct enrg_error err = {0};

	if (is_leaving(store)) { /* as long as nobody reads it, its place would hold the source back */
		wait_for(edges, "has still to end by its old text", store);
		return false;
	}
	int rc = stream_join_consumer(source->plan->stream_path, name, &err);

	if (rc == 0) {
		nudge(edges, source);
		wait_for(edges, "has still to answer that a store joins", source);
		return false;
	}
	if (rc < 0 && store && store->wanted) {
		size_t input = plan_find_input(store->wanted, source->plan->name);

		log_line(ENRG_ERROR, "%s gets nothing of %s: %s", name, source->plan->name, err.text);
		if (input < store->wanted->input_count)
			plan_drop_input(store->wanted, input);
	}
	if (rc < 0 || plan_copy_sink(&source->wanted->sinks[index], source->plan))
		return true;
	if (store)
		edges_give_input(edges, store, source->plan->name);
	return true;
}

static bool join_all(struct edges *edges, struct member *source)
{
	bool is_done = true;

	for (size_t i = source->wanted ? source->wanted->sink_count : 0; i-- > 0;) {
		size_t here = plan_find_sink(source->plan, source->wanted->sinks[i].store_name);

		if (here == source->plan->sink_count) {
			is_done &= join(edges, source, i);
			continue;
		}
		if (source->plan->sinks[here].is_parked) {
			struct member *store = roster_find(edges->roster, source->plan->sinks[here].store_name);

			source->plan->sinks[here].is_parked = false;
			if (store)
				edges_give_input(edges, store, source->plan->name);
		}
	}
	return is_done;
}

bool edges_has_joined(const struct edges *edges, const struct member *processor)
{
	for (size_t i = 0; processor->wanted && i < processor->wanted->input_count; i++) {
		const struct member *source = roster_find(edges->roster, processor->wanted->inputs[i].source);

		if (source && plan_find_sink(source->plan, processor->plan->name) == source->plan->sink_count)
			return false;
	}
	return true;
}

/* --- leaving ------------------------------------------------------------------------------------------------------ */

/* Has the store read up to the mark, which is set at the first look? Of a stream that is gone or spoilt nothing is
 * left; one that can't be looked at for want of descriptors or memory is looked at again. */
static bool is_drained(struct member *source, struct plan_sink *sink)
{
	struct stream_status status;
	int rc = stream_read_status(source->plan->stream_path, &status, NULL);

	if (rc)
		return rc != -EMFILE && rc != -ENFILE && rc != -ENOMEM && rc != -EINTR && rc != -EAGAIN;
	if (!sink->is_leaving) {
		sink->is_leaving = true;
		sink->mark = status.head;
	}
	for (uint32_t i = 0; i < status.consumer_count; i++)
		if (!strcmp(status.consumers[i].name, sink->store_name))
			return status.consumers[i].ack >= sink->mark;
	return true;
}

/* The last line of the two, and the entry of the stream. */
static void end_edge(struct edges *edges, struct member *source, size_t index)
{
	struct plan_sink *sink = &source->plan->sinks[index];
	struct member *store = roster_find(edges->roster, sink->store_name);
	struct journal_stream_state state;
	struct stream_status status;
	struct enrg_error err = {0};
	bool is_known;

	(void)sample_ledger(edges->roster, edges->ledger, true);
	is_known = store && store->plan->journal_path &&
		   !stream_read_status(source->plan->stream_path, &status, NULL) &&
		   !journal_read_stream(store->plan->journal_path, status.uuid, &state, NULL);
	ledger_end_store(edges->ledger, source->plan->name, sink->store_name, is_known ? &state : NULL);
	removed_write(source->plan->runtime_folder, edges->ledger);
	if (stream_drop_consumer(source->plan->stream_path, sink->store_name, &err))
		log_line(ENRG_WARNING, "%s: %s", source->plan->name, err.text);
	plan_drop_sink(source->plan, index);
}

/* One that is not wanted any more, of a store that stays, or of a source that goes. */
static bool leave(struct edges *edges, struct member *source, size_t index)
{
	struct plan_sink *sink = &source->plan->sinks[index];
	struct member *store = roster_find(edges->roster, sink->store_name);
	size_t input;

	if (sink->is_parked)
		return true;
	if (store && store->wish == WISH_REMOVE && (source->wish != WISH_REMOVE || member_is_processor(store)))
		return false; /* edges_part ends it with its process */
	if (is_leaving(store))
		return false;
	bool is_empty = is_drained(source, sink);
	if (!is_empty && !source->is_now) {
		wait_for(edges, "has still to store what was sent to it", store ? store : source);
		return false;
	}
	input = store ? plan_find_input(store->plan, source->plan->name) : 0;
	if (store && input < store->plan->input_count) {
		plan_drop_input(store->plan, input);
		change_plan(edges, store);
	}
	if (store && !edges_is_told(edges, store))
		return false;
	if (is_empty)
		end_edge(edges, source, index);
	else
		sink->is_parked = true;
	return true;
}

/* The text of a source has changed: what was sent before is stored as the old one says. */
static bool renew(struct edges *edges, struct member *source, size_t index)
{
	struct plan_sink *sink = &source->plan->sinks[index];
	struct member *store = roster_find(edges->roster, sink->store_name);

	if (!source->wanted || source->wish != WISH_RESTART || !store || sink->is_parked)
		return true;
	if (!sink->is_renewed) {
		if (member_is_alive(store) && !is_drained(source, sink)) {
			wait_for(edges, "has still to store what was sent before the text changed", store);
			return false;
		}
		sink->is_renewed = true;
		sink->is_leaving = false;
		edges_give_input(edges, store, source->plan->name);
	}
	return edges_is_told(edges, store);
}

bool edges_step(struct edges *edges, struct member *source)
{
	bool is_removed = source->wish == WISH_REMOVE, is_done = true;

	if (!source->plan->stream_path || (!source->wanted && !is_removed))
		return true;
	if (!is_removed)
		is_done = join_all(edges, source);
	for (size_t i = source->plan->sink_count; i-- > 0;) {
		const char *name = source->plan->sinks[i].store_name;
		bool is_wanted = !is_removed && plan_find_sink(source->wanted, name) < source->wanted->sink_count;

		is_done &= is_wanted ? renew(edges, source, i) : leave(edges, source, i);
	}
	return is_done;
}

/* --- a store that goes -------------------------------------------------------------------------------------------- */

bool edges_are_drained(struct edges *edges, struct member *store)
{
	bool is_all = true;

	for (size_t i = 0; i < edges->roster->count; i++) {
		struct member *source = edges->roster->members[i];
		size_t index = plan_find_sink(source->plan, store->plan->name);

		if (index < source->plan->sink_count && source->plan->stream_path)
			is_all &= is_drained(source, &source->plan->sinks[index]);
	}
	if (!is_all)
		wait_for(edges, "has still to store what was sent to it", store);
	return is_all;
}

void edges_forget_marks(struct edges *edges, const struct member *processor)
{
	for (size_t i = 0; i < edges->roster->count; i++) {
		struct plan *plan = edges->roster->members[i]->plan;
		size_t index = plan_find_sink(plan, processor->plan->name);

		if (index < plan->sink_count)
			plan->sinks[index].is_leaving = false;
	}
}

bool edges_part(struct edges *edges, struct member *store)
{
	bool is_empty = true;

	for (size_t i = 0; i < edges->roster->count; i++) {
		struct member *source = edges->roster->members[i];
		size_t index = plan_find_sink(source->plan, store->plan->name);

		if (index == source->plan->sink_count || !source->plan->stream_path)
			continue;
		if (source->plan->sinks[index].is_parked) {
			is_empty = false;
			continue;
		}
		if (store->is_now && !is_drained(source, &source->plan->sinks[index])) {
			source->plan->sinks[index].is_parked = true;
			source->plan->sinks[index].is_leaving = false;
			is_empty = false;
			log_line(ENRG_WARNING,
				"%s is removed; what it has not stored of %s stays in %s, and is stored when it is "
				"added "
				"again or by the next run; when that ring is full, %s waits",
				store->plan->name, source->plan->name, source->plan->stream_path, source->plan->name);
			continue;
		}
		end_edge(edges, source, index);
	}
	return is_empty;
}

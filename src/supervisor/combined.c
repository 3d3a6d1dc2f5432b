/* combined.c: see the header. Process: supervisor, main thread. */
#include "supervisor/combined.h"

#include <stdlib.h>

#include "base/clock.h"

enum {
	COLUMN_JOB,
	COLUMN_TYPE,
	COLUMN_ALIVE,
	COLUMN_IN_BATCHES,
	COLUMN_IN_BYTES,
	COLUMN_OUT_BATCHES,
	COLUMN_OUT_BYTES,
	COLUMN_IN_WAITING,
	COLUMN_OUT_WAITING,
	COLUMN_LAST_IN,
	COLUMN_LAST_OUT,
	COLUMN_LAST_RESTART,
	COLUMN_RESTARTS,
	COLUMN_CPU,
	COLUMN_RSS,
	COLUMNS
};

static const char *const keys[COLUMNS] = {"job", "job_type", "is_alive", "in_batches", "in_bytes", "out_batches",
	"out_bytes", "in_waiting", "out_waiting", "last_in_ns", "last_out_ns", "last_restart_ns", "restarts",
	"cpu_percent", "rss_mb"};

struct waiting {
	uint64_t in, out;
};

/* NULL: no memory. */
static struct waiting *find_waiting(const struct roster *roster, const struct ledger *ledger)
{
	struct waiting *waiting = calloc(roster->count + 1, sizeof(*waiting));

	for (uint32_t i = 0; waiting && i < ledger->source_count; i++) {
		const struct ledger_source *source = &ledger->sources[i];
		const struct member *producer = roster_find(roster, source->name);
		for (uint32_t k = 0; k < source->store_count; k++) {
			const struct member *store = roster_find(roster, source->stores[k].name);
			uint64_t batches = source->stores[k].in_flight_batches;
			if (store)
				waiting[store->index].in += batches;
			if (producer && waiting[producer->index].out < batches)
				waiting[producer->index].out = batches;
		}
	}
	return waiting;
}

/* A moment of the clock that nobody sets as one of the wall clock. */
static uint64_t wall_of(const _Atomic uint64_t *mono_ns, uint64_t mono_now_ns, uint64_t wall_now_ns)
{
	uint64_t then_ns = atomic_load_explicit(mono_ns, memory_order_relaxed);

	if (!then_ns || then_ns > mono_now_ns || mono_now_ns - then_ns > wall_now_ns)
		return 0;
	return wall_now_ns - (mono_now_ns - then_ns);
}

static void add_job(json_t *const lists[COLUMNS], const struct member *member, const struct waiting *waiting,
	uint64_t mono_ns, uint64_t wall_ns)
{
	const struct page_counts *now = &member->now;
	const struct page *page = member->page;
	const uint64_t counts[] = {now->in_batches, now->in_bytes, now->out_batches, now->out_bytes, waiting->in,
		waiting->out, page ? wall_of(&page->last_in_mono_ns, mono_ns, wall_ns) : 0,
		page ? wall_of(&page->last_out_mono_ns, mono_ns, wall_ns) : 0,
		page && member->restart.count ? wall_of(&page->started_mono_ns, mono_ns, wall_ns) : 0,
		member->restart.count};

	json_array_append_new(lists[COLUMN_JOB], json_string(member->plan->name));
	json_array_append_new(lists[COLUMN_TYPE], json_string(member->plan->type));
	json_array_append_new(lists[COLUMN_ALIVE], json_boolean(member_is_alive(member)));
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		json_array_append_new(lists[COLUMN_IN_BATCHES + i], json_integer((json_int_t)counts[i]));
	json_array_append_new(lists[COLUMN_CPU], json_real((double)member->rate.cpu_ns / 1e7));
	json_array_append_new(lists[COLUMN_RSS], json_real((double)member->rss_bytes / 1e6));
}

json_t *combined_format(const struct roster *roster, const struct ledger *ledger)
{
	static const struct waiting none;
	uint64_t mono_ns = clock_mono_ns(), wall_ns = clock_wall_ns();
	struct waiting *waiting = find_waiting(roster, ledger);
	json_t *body = json_object(), *lists[COLUMNS];

	for (size_t i = 0; i < COLUMNS; i++) {
		lists[i] = json_array();
		json_object_set_new(body, keys[i], lists[i]);
	}
	for (size_t i = 0; i < roster->count; i++)
		add_job(lists, roster->members[i], waiting ? &waiting[i] : &none, mono_ns, wall_ns);
	free(waiting);
	return body;
}

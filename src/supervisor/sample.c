/* sample.c: from pages, streams and journals to numbers. Process: supervisor, main thread. Trusts nothing: a page or a
 * stream may be damaged, then the numbers stay those of the last time. */
#include "supervisor/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t load(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static struct member_counts read_page(const struct page *page)
{
	return (struct member_counts){
		.in_batches = load(&page->in_batches),
		.in_rows = load(&page->in_rows),
		.in_bytes = load(&page->in_bytes),
		.out_batches = load(&page->out_batches),
		.out_rows = load(&page->out_rows),
		.out_bytes = load(&page->out_bytes),
		.lost = load(&page->lost),
		.duplicated = load(&page->duplicated),
		.corrupted = load(&page->corrupted),
		.set_aside = load(&page->set_aside),
		.cpu_ns = load(&page->cpu_ns),
		.wakeups = load(&page->wakeups),
		.zmq_bytes = load(&page->zmq_out_bytes) + load(&page->zmq_in_bytes) + load(&page->control_out_bytes),
	};
}

/* struct member_counts is nothing but uint64_t. */
#define COUNTS (sizeof(struct member_counts) / sizeof(uint64_t))

static struct member_counts add(struct member_counts a, const struct member_counts *b)
{
	uint64_t left[COUNTS], right[COUNTS];

	memcpy(left, &a, sizeof(left));
	memcpy(right, b, sizeof(right));
	for (size_t i = 0; i < COUNTS; i++)
		left[i] += right[i];
	memcpy(&a, left, sizeof(a));
	return a;
}

static struct member_counts rate(const struct member_counts *now, const struct member_counts *before, uint64_t span_ns)
{
	struct member_counts result = {0};
	uint64_t new[COUNTS], old[COUNTS];

	memcpy(new, now, sizeof(new));
	memcpy(old, before, sizeof(old));
	for (size_t i = 0; i < COUNTS; i++) {
		double difference = new[i] > old[i] ? (double)(new[i] - old[i]) : 0;

		new[i] = span_ns ? (uint64_t)(difference * 1e9 / (double)span_ns + 0.5) : 0;
	}
	memcpy(&result, new, sizeof(result));
	return result;
}

static void open_page(struct member *member)
{
	const struct page *page = NULL;

	if (member->page || !member_is_alive(member) || page_open(member->plan->page_path, &page, NULL))
		return;
	/* The page of an earlier life lies there until the new process takes it over. */
	if (atomic_load_explicit(&page->pid, memory_order_relaxed) != (uint32_t)member->child.pid)
		page_close(page);
	else
		member->page = page;
}

static void sample_stream(struct member *member, uint64_t span_ns)
{
	struct stream_status status;
	uint64_t blocked_ns;

	if (!member->plan->stream_path || stream_read_status(member->plan->stream_path, &status, NULL))
		return;
	if (!member->stream)
		member->stream = calloc(1, sizeof(*member->stream));
	if (!member->stream)
		return;
	*member->stream = status;
	blocked_ns = status.blocked_ns;
	if (span_ns && blocked_ns >= member->blocked_ns_before)
		member->blocked_percent = 100.0 * (double)(blocked_ns - member->blocked_ns_before) / (double)span_ns;
	if (member->blocked_percent > 100.0)
		member->blocked_percent = 100.0;
	member->blocked_ns_before = blocked_ns;
}

void sample_take(struct roster *roster, uint64_t now_ns)
{
	for (size_t i = 0; i < roster->count; i++) {
		struct member *member = &roster->members[i];
		uint64_t span_ns = member->sampled_ns ? now_ns - member->sampled_ns : 0;
		struct member_counts before = member->now, page = {0};

		open_page(member);
		if (member->page) {
			page = read_page(member->page);
			member->rss_bytes = load(&member->page->rss_bytes);
			member->private_bytes = load(&member->page->private_bytes);
			member->page_state = atomic_load_explicit(&member->page->state, memory_order_relaxed);
		}
		member->now = add(member->past, &page);
		member->rate = rate(&member->now, &before, span_ns);
		sample_stream(member, span_ns);
		member->sampled_ns = now_ns;
	}
}

void sample_end_life(struct member *member, pid_t pid)
{
	const struct page *page = member->page;

	/* A life shorter than a second was never sampled: its page may still be that of the life before. */
	if (!page && !page_open(member->plan->page_path, &page, NULL) &&
		atomic_load_explicit(&page->pid, memory_order_relaxed) != (uint32_t)pid) {
		page_close(page);
		page = NULL;
	}
	if (page) {
		struct member_counts last = read_page(page);

		member->past = add(member->past, &last);
		page_close(page);
	}
	member->page = NULL;
	member->page_state = 0;
	member->rss_bytes = member->private_bytes = 0;
}

static void read_store(
	const struct roster *roster, const struct stream_status *status, const char *name, struct ledger_store *store)
{
	const struct member *member = roster_find(roster, name);
	struct journal_stream_state state;

	snprintf(store->name, sizeof(store->name), "%s", name);
	if (member && !journal_read_stream(member->plan->journal_path, status->uuid, &state, NULL))
		store->state = state;
	store->in_flight_bytes = status->head > store->state.position ? status->head - store->state.position : 0;
}

void sample_ledger(const struct roster *roster, struct ledger *ledger)
{
	uint32_t index = 0;

	for (size_t i = 0; i < roster->count && index < ledger->source_count; i++) {
		const struct plan *plan = roster->members[i].plan;
		struct ledger_source *source;
		struct stream_status status;

		if (!plan->stream_path)
			continue;
		source = &ledger->sources[index++];
		snprintf(source->name, sizeof(source->name), "%s", plan->name);
		source->is_read = stream_read_status(plan->stream_path, &status, NULL) == 0;
		if (!source->is_read)
			continue;
		source->sequence = status.sequence;
		source->batches = status.batches;
		source->rows = status.rows;
		source->bytes = status.bytes;
		source->dropped_rows = status.dropped_rows;
		source->store_count = (uint32_t)plan->sink_count;
		for (uint32_t k = 0; k < source->store_count; k++) {
			read_store(roster, &status, plan->sinks[k].store_name, &source->stores[k]);
			ledger_balance(source, k);
		}
	}
}

/* sample.c: from pages, streams and journals to numbers. Process: supervisor, main thread. Trusts nothing: a page or a
 * stream may be damaged, then the numbers stay those of the last time. */
#include "supervisor/sample.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define LATENCY_NS 2000000000ull

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
		.missed_ticks = atomic_load_explicit(&page->missed_ticks, memory_order_relaxed),
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

/* Two looks that take turns, so that the figures are those of the last 2 to 4 s. */
static void sample_latency(struct member *member, uint64_t now_ns)
{
	struct member_latency *latency = member->latency;

	if (!latency && !load(&member->page->latency.count))
		return; /* a source, or nothing was stored yet */
	if (!latency) {
		latency = member->latency = calloc(1, sizeof(*latency));
		if (!latency)
			return;
		latency->base_ns = latency->next_ns = now_ns;
	}
	if (now_ns - latency->next_ns >= LATENCY_NS) {
		latency->base = latency->next;
		latency->base_ns = latency->next_ns;
		latency->next = member->page->latency;
		latency->next_ns = now_ns;
	}
	histogram_subtract(&latency->recent, &member->page->latency, &latency->base);
	latency->all = latency->past;
	histogram_merge(&latency->all, &member->page->latency);
}

static void end_latency(struct member *member, uint64_t now_ns)
{
	struct member_latency *latency = member->latency;

	if (!latency)
		return;
	histogram_merge(&latency->past, &member->page->latency);
	latency->all = latency->past;
	histogram_init(&latency->base);
	histogram_init(&latency->next);
	histogram_init(&latency->recent);
	latency->base_ns = latency->next_ns = now_ns;
}

static void close_file(struct member *member)
{
	if (member->page_file >= 0)
		close(member->page_file);
	member->page_file = -1;
}

/* Copies the page. One of an earlier life lies there until the new process takes it over. */
static int copy_page(struct member *member, pid_t pid)
{
	struct page *page = malloc(sizeof(*page));
	int code = page ? 0 : -ENOMEM;

	if (!code && member->page_file < 0) {
		member->page_file = page_open_file(member->plan->page_path);
		code = member->page_file < 0 ? member->page_file : 0;
	}
	if (!code)
		code = page_read(member->page_file, page);
	if (!code && atomic_load_explicit(&page->pid, memory_order_relaxed) == (uint32_t)pid) {
		free(member->page);
		member->page = page;
		return 0;
	}
	free(page);
	close_file(member); /* the next look is at the file that lies there then */
	return code ? code : -ESRCH;
}

/* Where the page of a running job can't be read, its last life sign stands still: in the end the watchdog kills the
 * job, and its next life makes the page anew. */
static void refresh_page(struct member *member, uint64_t now_ns)
{
	int code;

	if (!member_is_alive(member))
		return;
	code = copy_page(member, member->child.pid);
	if (!code || member->state != MEMBER_RUNNING) {
		member->is_page_damaged = false;
		return;
	}
	if (!member->page) {
		member->page = calloc(1, sizeof(*member->page));
		if (member->page)
			atomic_store_explicit(&member->page->heartbeat_mono_ns, now_ns, memory_order_relaxed);
	}
	if (!member->is_page_damaged)
		log_line(ENRG_WARNING,
			"%s: its status page %s can't be read (%s): its figures stand still, and the watchdog will "
			"start it again",
			member->plan->name, member->plan->page_path,
			code == -ESRCH ? "it names another process" : enrg_error_name(code));
	member->is_page_damaged = true;
}

void sample_forget_page(struct member *member)
{
	close_file(member);
	free(member->page);
	member->page = NULL;
	member->is_page_damaged = false;
}

static void note_stream(struct member *member, const struct stream_status *status)
{
	uint64_t blocked_ns = status->blocked_ns, span_ns = member->span_ns;

	if (!member->stream)
		member->stream = calloc(1, sizeof(*member->stream));
	if (!member->stream)
		return;
	*member->stream = *status;
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
		struct member_counts before = member->now, page = {0};

		member->span_ns = member->sampled_ns ? now_ns - member->sampled_ns : 0;
		refresh_page(member, now_ns);
		if (member->page) {
			page = read_page(member->page);
			member->rss_bytes = load(&member->page->rss_bytes);
			member->private_bytes = load(&member->page->private_bytes);
			member->page_state = atomic_load_explicit(&member->page->state, memory_order_relaxed);
			page_get_reason(member->page, member->reason, sizeof(member->reason));
			sample_latency(member, now_ns);
		}
		member->now = add(member->past, &page);
		member->rate = rate(&member->now, &before, member->span_ns);
		member->sampled_ns = now_ns;
	}
}

void sample_end_life(struct member *member, pid_t pid)
{
	member->last_page_state = 0;
	/* Its last words; where the file is damaged, what was read last. */
	(void)copy_page(member, pid);
	if (member->page) {
		struct member_counts last = read_page(member->page);

		member->past = add(member->past, &last);
		member->last_page_state = atomic_load_explicit(&member->page->state, memory_order_relaxed);
		page_get_reason(member->page, member->last_reason, sizeof(member->last_reason));
		end_latency(member, clock_mono_ns());
	}
	member->reason[0] = '\0';
	sample_forget_page(member);
	member->page_state = 0;
	member->rss_bytes = member->private_bytes = 0;
}

static void read_store(const struct roster *roster, const struct stream_status *status, struct ledger_store *store)
{
	const struct member *member = roster_find(roster, store->name);
	struct journal_stream_state state;

	if (member && !journal_read_stream(member->plan->journal_path, status->uuid, &state, NULL))
		store->state = state;
	store->in_flight_bytes = status->head > store->state.position ? status->head - store->state.position : 0;
}

static void sample_losses(const struct roster *roster, struct losses *losses)
{
	for (size_t i = 0; i < roster->count; i++) {
		const struct plan *plan = roster->members[i].plan;
		struct journal_loss found;
		struct loss loss = {.kind = LOSS_FILES};

		if (!plan->journal_path)
			continue;
		found = journal_read_loss(plan->journal_path);
		if (!found.files)
			continue;
		snprintf(loss.name, sizeof(loss.name), "%s", plan->name);
		loss.files = found.files;
		loss.rows = found.rows;
		loss.bytes = found.bytes;
		losses_set(losses, &loss);
	}
}

void sample_ledger(struct roster *roster, struct ledger *ledger)
{
	uint32_t index = 0;

	sample_losses(roster, &ledger->losses);

	for (size_t i = 0; i < roster->count && index < ledger->source_count; i++) {
		const struct plan *plan = roster->members[i].plan;
		struct ledger_source *source;
		struct stream_status status;

		if (!plan->stream_path)
			continue;
		source = &ledger->sources[index++];
		snprintf(source->name, sizeof(source->name), "%s", plan->name);
		source->store_count = (uint32_t)plan->sink_count;
		source->missed_ticks = roster->members[i].now.missed_ticks;
		for (uint32_t k = 0; k < source->store_count; k++)
			snprintf(source->stores[k].name, sizeof(source->stores[k].name), "%s",
				plan->sinks[k].store_name);
		source->is_read = stream_read_status(plan->stream_path, &status, NULL) == 0;
		if (!source->is_read)
			continue;
		note_stream(&roster->members[i], &status);
		source->sequence = status.sequence;
		source->batches = status.batches;
		source->rows = status.rows;
		source->bytes = status.bytes;
		source->gaps = status.gaps;
		source->dropped_rows = status.dropped_rows;
		for (uint32_t k = 0; k < source->store_count; k++) {
			read_store(roster, &status, &source->stores[k]);
			ledger_balance(source, k);
		}
	}
}

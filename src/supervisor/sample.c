/* sample.c: from pages, streams and journals to numbers. Process: supervisor, main thread. Trusts nothing: a page or a
 * stream may be damaged, then the numbers stay those of the last time. */
#include "supervisor/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/member_page.h"

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
	for (size_t i = 0; i < roster->count; i++)
		member_page_read(&roster->members[i], now_ns);
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

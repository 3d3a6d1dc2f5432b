/* sample.c: from pages, streams and journals to numbers. Process: supervisor, main thread. Trusts nothing: a page or a
 * stream may be damaged, then the numbers stay those of the last time. */
#include "supervisor/sample.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/member_page.h"
#include "supervisor/processors.h"

#define LOOK_NS 10000000000ull

bool sample_take(struct roster *roster, uint64_t now_ns)
{
	bool is_news = false;

	for (size_t i = 0; i < roster->count; i++) {
		member_page_read(roster->members[i], now_ns);
		is_news |= roster->members[i]->is_news;
	}
	return is_news;
}

/* --- journals ----------------------------------------------------------------------------------------------------- */

static void note_losses(const struct member *store, struct losses *losses)
{
	const struct journal_loss *found = &store->journal.loss;
	struct loss loss = {.kind = LOSS_FILES, .files = found->files, .rows = found->rows, .bytes = found->bytes};

	if (!found->files)
		return;
	snprintf(loss.name, sizeof(loss.name), "%s", store->plan->name);
	losses_set(losses, &loss);
}

/* One look at each journal, whatever the number of streams that it knows. Has any store committed? */
static bool look_at_journals(struct roster *roster, struct losses *losses)
{
	bool is_news = false;

	for (size_t i = 0; i < roster->count; i++) {
		struct member *member = roster->members[i];
		uint64_t news = member->journal.news;

		if (!member->plan->journal_path)
			continue;
		if (!journal_watch_look(&member->journal, member->plan->journal_path, NULL))
			note_losses(member, losses);
		is_news |= member->journal.news != news;
	}
	return is_news;
}

/* true: it says something else than at the last look. */
static bool read_store(const struct roster *roster, const struct stream_status *status, struct ledger_store *store)
{
	const struct member *member = roster_find(roster, store->name);
	struct journal_stream_state state;
	bool is_news = false;

	if (member && member->journal.descriptor >= 0 &&
		!journal_watch_stream(&member->journal, status->uuid, &store->journal_index, &state)) {
		is_news = memcmp(&store->state, &state, sizeof(state)) != 0;
		store->state = state;
	}
	store->in_flight_bytes = status->head > store->state.position ? status->head - store->state.position : 0;
	return is_news;
}

/* Is there a record in the stream that a store's journal did not have at the last look? */
static bool is_any_open(const struct ledger_source *source, const struct stream_status *status)
{
	for (uint32_t k = 0; k < source->store_count; k++)
		if (source->stores[k].state.position < status->head)
			return true;
	return false;
}

/* --- streams ------------------------------------------------------------------------------------------------------ */

/* What a stream says can't have changed where its producer has counted nothing since, and nothing waited in it. Now and
 * then it is looked at all the same: who holds it up, cuts it, or drops rows by policy tells no page. */
static bool is_look_due(const struct member *member, uint64_t produced)
{
	const struct stream_status *stream = member->stream;

	if (!stream || member->is_news || member->produced != produced || stream->blocked_since_ns ||
		member->blocked_percent > 0 || member->sampled_ns - member->looked_ns >= LOOK_NS)
		return true;
	for (uint32_t i = 0; i < stream->consumer_count; i++)
		if (stream->consumers[i].backlog_bytes)
			return true;
	return false;
}

/* A status has room for more consumers than most streams have. */
static size_t used_bytes(const struct stream_status *status)
{
	return offsetof(struct stream_status, consumers) + status->consumer_count * sizeof(status->consumers[0]);
}

static bool note_stream(struct member *member, const struct stream_status *status)
{
	uint64_t blocked_ns = status->blocked_ns, span_ns = member->sampled_ns - member->looked_ns;
	bool is_first = !member->stream || member->stream->consumer_count != status->consumer_count, is_news;

	if (is_first) {
		struct stream_status *stream = realloc(member->stream, used_bytes(status));
		if (!stream)
			return true;
		member->stream = stream;
	}
	is_news = is_first || memcmp(member->stream, status, used_bytes(status)) != 0;
	memcpy(member->stream, status, used_bytes(status));
	if (span_ns && member->looked_ns && blocked_ns >= member->blocked_ns_before)
		member->blocked_percent = 100.0 * (double)(blocked_ns - member->blocked_ns_before) / (double)span_ns;
	if (member->blocked_percent > 100.0)
		member->blocked_percent = 100.0;
	member->blocked_ns_before = blocked_ns;
	return is_news;
}

static bool look_at_stream(struct member *member, struct ledger_source *source, bool is_whole)
{
	uint64_t produced = member->now.out_batches + member->now.out_bytes + member->lives;
	bool was_read = source->is_read, is_news = false;
	struct stream_status status;

	if (was_read && !is_whole && !is_look_due(member, produced))
		return false;
	source->is_read = stream_look(&member->look, member->plan->stream_path, &status, NULL) == 0;
	if (source->is_read) {
		is_news = note_stream(member, &status);
		source->is_read = member->stream != NULL;
		member->looked_ns = member->sampled_ns;
		member->produced = produced;
	}
	return is_news || source->is_read != was_read;
}

/* --- both --------------------------------------------------------------------------------------------------------- */

/* Not written where it is the same, as with a thousand jobs each look costs. */
static void set_name(char name[256], const char *wanted)
{
	if (strcmp(name, wanted))
		snprintf(name, 256, "%s", wanted);
}

/* Stores come and go: what stands at a place is of the store with that name. */
static void name_store(struct ledger_store *store, const char *name)
{
	if (!strcmp(store->name, name))
		return;
	memset(store, 0, sizeof(*store));
	set_name(store->name, name);
}

static void name_source(const struct member *member, struct ledger_source *source)
{
	const struct plan *plan = member->plan;

	if (ledger_size_stores(source, (uint32_t)plan->sink_count))
		source->store_count = source->store_room; /* out of memory: of the others later */
	source->missed_ticks = member->now.missed_ticks;
	for (uint32_t k = 0; k < source->store_count; k++)
		name_store(&source->stores[k], plan->sinks[k].store_name);
}

/* What the ledger says of a source changes with its stream, and with what is committed of what was in flight. */
static bool sample_source(const struct roster *roster, struct member *member, struct ledger_source *source,
	bool has_committed, bool is_whole)
{
	bool is_news;

	name_source(member, source);
	is_news = look_at_stream(member, source, is_whole);
	const struct stream_status *status = member->stream;
	if (!source->is_read || (!is_whole && !is_news && !(has_committed && is_any_open(source, status))))
		return is_news;
	source->sequence = status->sequence;
	source->batches = status->batches;
	source->rows = status->rows;
	source->bytes = status->bytes;
	source->gaps = status->gaps;
	source->dropped_rows = status->dropped_rows;
	for (uint32_t k = 0; k < source->store_count; k++) {
		is_news |= read_store(roster, status, &source->stores[k]);
		ledger_balance(source, k);
	}
	return is_news;
}

bool sample_ledger(struct roster *roster, struct ledger *ledger, bool is_whole)
{
	bool has_committed = look_at_journals(roster, &ledger->losses), is_news = false;
	uint32_t index = 0;

	if (has_committed || is_whole)
		processors_sample(roster, ledger);
	for (size_t i = 0; i < roster->count; i++) {
		struct member *member = roster->members[i];
		struct ledger_source *source =
			member->plan->stream_path ? ledger_take_source(ledger, member->plan->name, index++) : NULL;

		if (source)
			is_news |= sample_source(roster, member, source, has_committed, is_whole);
	}
	return is_news;
}

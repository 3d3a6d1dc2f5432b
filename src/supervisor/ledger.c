/* ledger.c: arithmetic and text of the ledger. Process: supervisor. */
#include "supervisor/ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "supervisor/ledger_processors.h"

_Static_assert(sizeof(struct ledger_source) < 1024, "a thousand sources are usual: room for stores is made as needed");

int ledger_create(uint32_t source_count, struct ledger **ret_ledger)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (!ledger)
		return -ENOMEM;
	ledger->source_count = source_count;
	ledger->sources = calloc(source_count ? source_count : 1, sizeof(*ledger->sources));
	if (!ledger->sources) {
		free(ledger);
		return -ENOMEM;
	}
	*ret_ledger = ledger;
	return 0;
}

static void drop_source(struct ledger_source *source)
{
	free(source->earlier);
	free(source->stores);
}

void ledger_destroy(struct ledger *ledger)
{
	if (!ledger)
		return;
	losses_fini(&ledger->losses);
	for (uint32_t i = 0; i < ledger->processor_count; i++)
		ledger_processor_reset(&ledger->processors[i], 0, 0);
	free(ledger->processors);
	for (uint32_t i = 0; i < ledger->source_count; i++)
		drop_source(&ledger->sources[i]);
	free(ledger->sources);
	free(ledger->past);
	free(ledger);
}

/* --- who belongs to it --- */

static struct ledger_source *find_source(const struct ledger *ledger, const char *name, uint32_t hint)
{
	if (hint < ledger->source_count && !strcmp(ledger->sources[hint].name, name))
		return &ledger->sources[hint];
	for (uint32_t i = 0; i < ledger->source_count; i++)
		if (!strcmp(ledger->sources[i].name, name))
			return &ledger->sources[i];
	return NULL;
}

const struct ledger_source *ledger_find_source(const struct ledger *ledger, const char *name)
{
	return find_source(ledger, name, UINT32_MAX);
}

struct ledger_source *ledger_take_source(struct ledger *ledger, const char *name, uint32_t hint)
{
	struct ledger_source *source = find_source(ledger, name, hint), *sources;

	if (source)
		return source;
	sources = realloc(ledger->sources, (ledger->source_count + 1) * sizeof(*sources));
	if (!sources)
		return NULL;
	ledger->sources = sources;
	source = &sources[ledger->source_count++];
	memset(source, 0, sizeof(*source));
	snprintf(source->name, sizeof(source->name), "%s", name);
	return source;
}

bool ledger_knows(const struct ledger *ledger, const char *name)
{
	const struct ledger_source *source = find_source(ledger, name, UINT32_MAX);

	return source && source->sequence;
}

int ledger_size_stores(struct ledger_source *source, uint32_t count)
{
	if (count > source->store_room) {
		struct ledger_store *stores = realloc(source->stores, count * sizeof(*stores));
		if (!stores)
			return -ENOMEM;
		memset(stores + source->store_room, 0, (count - source->store_room) * sizeof(*stores));
		source->stores = stores;
		source->store_room = count;
	}
	source->store_count = count;
	return 0;
}

int ledger_set_earlier(struct ledger *ledger, const char *name, const struct earlier *earlier)
{
	struct ledger_source *source = ledger_take_source(ledger, name, UINT32_MAX);
	struct earlier *copy = source ? malloc(sizeof(*copy)) : NULL;

	if (!copy)
		return -ENOMEM;
	*copy = *earlier;
	free(source->earlier);
	source->earlier = copy;
	return 0;
}

struct ledger_past *ledger_take_past(struct ledger *ledger, const char *source, const char *store)
{
	struct ledger_past *past;

	for (uint32_t i = 0; i < ledger->past_count; i++)
		if (!strcmp(ledger->past[i].source, source) && !strcmp(ledger->past[i].store, store))
			return &ledger->past[i];
	past = realloc(ledger->past, (ledger->past_count + 1) * sizeof(*past));
	if (!past)
		return NULL;
	ledger->past = past;
	past = &past[ledger->past_count++];
	*past = (struct ledger_past){0};
	snprintf(past->source, sizeof(past->source), "%s", source);
	snprintf(past->store, sizeof(past->store), "%s", store);
	return past;
}

/* Does `now` count on from there? A journal that is new to the stream has all up to there as skipped. */
static bool goes_on(const struct ledger_past *past, const struct journal_stream_state *now)
{
	const struct journal_stream_state *then = &past->state;

	return past->times && now->sequence >= then->sequence && now->batches >= then->batches &&
	       now->rows >= then->rows && now->skipped_batches < then->sequence - then->gaps;
}

static void add_share(struct ledger_share *all, const struct ledger_share *share, int sign)
{
	uint64_t factor = sign < 0 ? UINT64_MAX : 1; /* modulo 2^64: what was added is taken off again */

	all->stored_batches += factor * share->stored_batches;
	all->stored_rows += factor * share->stored_rows;
	all->stored_bytes += factor * share->stored_bytes;
	all->skipped_batches += factor * share->skipped_batches;
	all->set_aside_batches += factor * share->set_aside_batches;
	all->missing += sign * share->missing;
}

/* What stands beside the lines of now: without what is in them. */
static struct ledger_share share_of_past(const struct ledger *ledger, const struct ledger_past *past)
{
	const struct ledger_source *source = NULL;
	struct ledger_share share = past->all;

	for (uint32_t i = 0; i < ledger->source_count && !source; i++)
		if (!strcmp(ledger->sources[i].name, past->source))
			source = &ledger->sources[i];
	for (uint32_t k = 0; source && k < source->store_count; k++)
		if (!strcmp(source->stores[k].name, past->store) && goes_on(past, &source->stores[k].state))
			add_share(&share, &past->last, -1);
	return share;
}

void ledger_end_store(
	struct ledger *ledger, const char *name, const char *store, const struct journal_stream_state *state)
{
	struct ledger_source *source = find_source(ledger, name, UINT32_MAX), then;
	struct ledger_past *past = source ? ledger_take_past(ledger, name, store) : NULL;
	uint32_t k = 0;

	while (past && k < source->store_count && strcmp(source->stores[k].name, store))
		k++;
	if (!past || k == source->store_count)
		return;
	/* What it owed is what had been sent until it left. */
	if (state)
		source->stores[k].state = *state;
	else
		state = &source->stores[k].state;
	then = *source; /* its stores are the same: this one goes */
	if (state->sequence < source->sequence) {
		then.sequence = then.batches = state->sequence;
		then.gaps = state->gaps;
	}
	ledger_balance(&then, k);
	if (goes_on(past, state))
		add_share(&past->all, &past->last, -1);
	past->times++;
	past->state = *state;
	past->last = (struct ledger_share){
		.stored_batches = then.stores[k].stored_batches + then.stores[k].left_batches,
		.stored_rows = then.stores[k].stored_rows + then.stores[k].left_rows,
		.stored_bytes = then.stores[k].stored_bytes,
		.skipped_batches = then.stores[k].skipped_batches,
		.set_aside_batches = state->set_aside_batches,
		.missing = then.stores[k].missing,
	};
	add_share(&past->all, &past->last, 1);
	memmove(&source->stores[k], &source->stores[k + 1], (source->store_count - k - 1) * sizeof(source->stores[0]));
	source->store_count--;
}

void ledger_remove_source(struct ledger *ledger, const char *name)
{
	struct ledger_source *source = find_source(ledger, name, UINT32_MAX);
	size_t index = source ? (size_t)(source - ledger->sources) : 0;

	if (!source)
		return;
	drop_source(source);
	memmove(source, source + 1, (ledger->source_count - index - 1) * sizeof(*source));
	ledger->source_count--;
}

/* --- arithmetic --- */

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* From the counts of the stream's whole life those of this run. What is left of earlier runs comes first in the stream.
 */
static void balance_run(const struct ledger_source *source, struct ledger_store *store)
{
	static const struct earlier none;
	const struct earlier *earlier = source->earlier ? source->earlier : &none;
	const struct journal_stream_state before = earlier_find(earlier, store->name), *now = &store->state;
	uint64_t waiting = minus(earlier->sequence, now->sequence), taken, other;

	store->left_records = minus(earlier->sequence, before.sequence);
	store->left_gaps = minus(earlier->gaps, before.gaps);
	waiting = waiting < store->left_records ? waiting : store->left_records;
	store->left_waiting = minus(waiting, minus(earlier->gaps, now->gaps));
	store->left_batches = minus(now->left_batches, before.left_batches);
	store->left_rows = minus(now->left_rows, before.left_rows);
	store->stored_batches = minus(now->batches, before.batches + store->left_batches);
	store->stored_rows = minus(now->rows, before.rows + store->left_rows);
	store->stored_bytes = minus(now->bytes, before.bytes + minus(now->left_bytes, before.left_bytes));
	store->waiting_batches = minus(store->in_flight_batches, store->left_waiting);
	taken = store->left_records - waiting;
	other = minus(taken, store->left_batches + (waiting ? 0 : store->left_gaps));
	store->skipped_batches = minus(now->skipped_batches, before.skipped_batches + other);
}

void ledger_balance(struct ledger_source *source, uint32_t index)
{
	struct ledger_store *store = &source->stores[index];
	const struct journal_stream_state *state = &store->state;
	uint64_t known, records;

	/* A store that committed while the stream's tally was being read is ahead of it, not wrong. */
	records = minus(source->sequence, state->sequence);
	store->in_flight_gaps = minus(source->gaps, state->gaps);
	if (store->in_flight_gaps > records)
		store->in_flight_gaps = records;
	store->in_flight_batches = records - store->in_flight_gaps;
	/* Positions may lie a lap of the ring apart, which a pad fills, for a few messages. */
	if (store->in_flight_bytes > minus(source->bytes, state->bytes))
		store->in_flight_bytes = minus(source->bytes, state->bytes);
	known = state->batches + state->gaps + state->skipped_batches + state->set_aside_batches + records;
	store->missing = (int64_t)(source->batches - known);
	if (state->sequence > source->sequence)
		store->missing += (int64_t)(state->sequence - source->sequence);
	store->missing_rows = 0;
	if (!records && !state->skipped_batches && !state->set_aside_batches && state->sequence == source->sequence)
		store->missing_rows = (int64_t)(source->rows - state->rows);
	balance_run(source, store);
}

struct ledger_produced ledger_get_produced(const struct ledger_source *source)
{
	static const struct earlier none;
	const struct earlier *earlier = source->earlier ? source->earlier : &none;

	return (struct ledger_produced){
		.batches = minus(source->batches - source->gaps, earlier->batches - earlier->gaps),
		.rows = minus(source->rows, earlier->rows),
		.bytes = minus(source->bytes, earlier->bytes),
		.dropped_rows = minus(source->dropped_rows, earlier->dropped_rows),
	};
}

static bool is_accounted(const struct ledger_source *source, const struct ledger_store *store)
{
	return source->is_read && !store->missing && !store->missing_rows && !store->state.set_aside_batches;
}

bool ledger_is_accounted(const struct ledger *ledger)
{
	for (uint32_t i = 0; i < ledger->source_count; i++)
		for (uint32_t k = 0; k < ledger->sources[i].store_count; k++)
			if (!is_accounted(&ledger->sources[i], &ledger->sources[i].stores[k]))
				return false;
	for (uint32_t i = 0; i < ledger->processor_count; i++)
		if (!ledger_processor_is_accounted(&ledger->processors[i]))
			return false;
	for (uint32_t i = 0; i < ledger->past_count; i++)
		if (ledger->past[i].all.missing || ledger->past[i].all.set_aside_batches)
			return false;
	return ledger->losses.count == 0;
}

bool ledger_is_settled(const struct ledger *ledger)
{
	for (uint32_t i = 0; i < ledger->source_count; i++)
		for (uint32_t k = 0; k < ledger->sources[i].store_count; k++)
			if (ledger->sources[i].stores[k].in_flight_batches)
				return false;
	for (uint32_t i = 0; i < ledger->processor_count; i++)
		if (!ledger_processor_is_settled(&ledger->processors[i]))
			return false;
	return ledger_is_accounted(ledger);
}

static json_t *format_left(const struct ledger_source *source, const struct ledger_store *store)
{
	char runs[256];

	if (!store->left_records)
		return json_null();
	earlier_describe(source->earlier, runs, sizeof(runs));
	return json_pack("{s:s, s:I, s:I, s:I, s:I}", "of", runs, "records", (json_int_t)store->left_records,
		"stored_batches", (json_int_t)store->left_batches, "stored_rows", (json_int_t)store->left_rows,
		"in_flight_batches", (json_int_t)store->left_waiting);
}

static json_t *format_store(
	const struct ledger *ledger, const struct ledger_source *source, const struct ledger_store *store)
{
	const struct journal_stream_state *state = &store->state;

	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o}", "store", store->name,
		"stored_batches", (json_int_t)store->stored_batches, "stored_rows", (json_int_t)store->stored_rows,
		"stored_bytes", (json_int_t)store->stored_bytes, "skipped_batches", (json_int_t)store->skipped_batches,
		"set_aside_batches", (json_int_t)state->set_aside_batches, "set_aside_rows",
		(json_int_t)state->set_aside_rows, "in_flight_batches", (json_int_t)store->waiting_batches,
		"in_flight_bytes", (json_int_t)store->in_flight_bytes, "missing_batches", (json_int_t)store->missing,
		"missing_rows", (json_int_t)store->missing_rows, "accounted",
		is_accounted(source, store) && !losses_find(&ledger->losses, LOSS_FILES, store->name), "left_over",
		format_left(source, store));
}

json_t *ledger_format_json(const struct ledger *ledger, const char *run, const char *supervisor, bool is_final)
{
	json_t *sources = json_array(), *past = json_array();

	for (uint32_t i = 0; i < ledger->source_count; i++) {
		const struct ledger_source *source = &ledger->sources[i];
		json_t *stores = json_array();
		struct ledger_produced produced;

		for (uint32_t k = 0; k < source->store_count; k++)
			json_array_append_new(stores, format_store(ledger, source, &source->stores[k]));
		produced = ledger_get_produced(source);
		json_array_append_new(sources,
			json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:o}", "source", source->name,
				"produced_batches", (json_int_t)produced.batches, "produced_rows",
				(json_int_t)produced.rows, "produced_bytes", (json_int_t)produced.bytes, "dropped_rows",
				(json_int_t)produced.dropped_rows, "missed_ticks", (json_int_t)source->missed_ticks,
				"readable", source->is_read, "stores", stores));
	}
	for (uint32_t i = 0; i < ledger->past_count; i++) {
		const struct ledger_past *item = &ledger->past[i];
		const struct ledger_share share = share_of_past(ledger, item);

		json_array_append_new(past,
			json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "source", item->source, "store",
				item->store, "times", (json_int_t)item->times, "stored_batches",
				(json_int_t)share.stored_batches, "stored_rows", (json_int_t)share.stored_rows,
				"stored_bytes", (json_int_t)share.stored_bytes, "skipped_batches",
				(json_int_t)share.skipped_batches, "set_aside_batches",
				(json_int_t)share.set_aside_batches, "missing_batches", (json_int_t)share.missing));
	}
	return json_pack("{s:s, s:s, s:b, s:b, s:b, s:o, s:o, s:o, s:o}", "run", run, "supervisor", supervisor, "final",
		is_final, "accounted", ledger_is_accounted(ledger), "settled", ledger_is_settled(ledger), "sources",
		sources, "processors", ledger_processors_format(ledger), "removed", past, "losses",
		losses_format(&ledger->losses));
}

/* Names come from files: they must not steer the terminal. */
static const char *shown(const char *name, char ret_safe[256])
{
	snprintf(ret_safe, 256, "%s", name);
	text_make_safe(ret_safe, strlen(ret_safe));
	return ret_safe;
}

/* What earlier runs had left for this store. */
static void print_left(
	const struct ledger_source *source, const struct ledger_store *store, bool is_colored, FILE *stream)
{
	const char *color = store->left_waiting ? "\033[33m" : "\033[32m";
	char runs[256], from[256], to[256];

	earlier_describe(source->earlier, runs, sizeof(runs));
	fprintf(stream, "  %s -> %s: of %s %" PRIu64 " batches were left; stored %" PRIu64 " batches, %" PRIu64 " rows",
		shown(source->name, from), shown(store->name, to), runs, minus(store->left_records, store->left_gaps),
		store->left_batches, store->left_rows);
	if (store->left_waiting)
		fprintf(stream, "; in flight %" PRIu64, store->left_waiting);
	fprintf(stream, ": %s%s%s\n", is_colored ? color : "",
		store->left_waiting ? "accounted, not all stored" : "accounted", is_colored ? "\033[0m" : "");
}

static void print_line(const struct ledger *ledger, const struct ledger_source *source,
	const struct ledger_store *store, bool is_colored, FILE *stream)
{
	const struct journal_stream_state *state = &store->state;
	const struct ledger_produced produced = ledger_get_produced(source);
	const char *color = "\033[32m", *word = "accounted";
	char missing[160], from[256], to[256];

	if (!source->is_read) {
		color = "\033[1;31m";
		word = "NOT KNOWN: its stream can't be read any more, the numbers are those of the last time";
	} else if (store->missing || store->missing_rows) {
		color = "\033[1;31m";
		if (store->missing < 0)
			snprintf(missing, sizeof(missing), "COUNTED TWICE %" PRId64 " batches", -store->missing);
		else
			snprintf(missing, sizeof(missing), "MISSING %" PRId64 " batches", store->missing);
		if (!store->missing)
			snprintf(missing, sizeof(missing), "MISSING %" PRId64 " rows", store->missing_rows);
		word = missing;
	} else if (state->set_aside_batches) {
		color = "\033[1;31m";
		word = "SET ASIDE";
	} else if (losses_find(&ledger->losses, LOSS_FILES, store->name)) {
		color = "\033[1;31m";
		word = "STORED, BUT FILES OF THIS STORE WERE TAKEN AWAY";
	} else if (store->waiting_batches) {
		color = "\033[33m";
		word = "accounted, not all stored";
	} else if (losses_find(&ledger->losses, LOSS_RUNTIME, NULL)) {
		color = "\033[33m";
		word = "accounted, over an outage of the runtime folder";
	}
	fprintf(stream,
		"  %s -> %s: produced %" PRIu64 " batches, %" PRIu64 " rows, %.2f MB; stored %" PRIu64
		" batches, %" PRIu64 " rows, %.2f MB",
		shown(source->name, from), shown(store->name, to), produced.batches, produced.rows,
		(double)produced.bytes / 1e6, store->stored_batches, store->stored_rows,
		(double)store->stored_bytes / 1e6);
	if (store->skipped_batches)
		fprintf(stream, "; not for this store %" PRIu64, store->skipped_batches);
	if (state->set_aside_batches)
		fprintf(stream, "; set aside %" PRIu64, state->set_aside_batches);
	if (store->waiting_batches)
		fprintf(stream, "; in flight %" PRIu64, store->waiting_batches);
	if (produced.dropped_rows)
		fprintf(stream, "; dropped by policy %" PRIu64 " rows", produced.dropped_rows);
	if (source->missed_ticks)
		fprintf(stream, "; missed %" PRIu64 " ticks", source->missed_ticks);
	fprintf(stream, ": %s%s%s\n", is_colored ? color : "", word, is_colored ? "\033[0m" : "");
	if (store->left_records)
		print_left(source, store, is_colored, stream);
}

static void print_past(const struct ledger *ledger, const struct ledger_past *past, bool is_colored, FILE *stream)
{
	const struct ledger_share share = share_of_past(ledger, past);
	bool is_good = !share.missing && !share.set_aside_batches;
	char from[256], to[256];

	fprintf(stream, "  %s -> %s, until one was removed: stored %" PRIu64 " batches, %" PRIu64 " rows, %.2f MB",
		shown(past->source, from), shown(past->store, to), share.stored_batches, share.stored_rows,
		(double)share.stored_bytes / 1e6);
	if (share.skipped_batches)
		fprintf(stream, "; not for this store %" PRIu64, share.skipped_batches);
	if (share.set_aside_batches)
		fprintf(stream, "; set aside %" PRIu64, share.set_aside_batches);
	if (share.missing)
		fprintf(stream, "; MISSING %" PRId64 " batches", share.missing);
	fprintf(stream, ": %s%s%s\n", is_colored ? is_good ? "\033[32m" : "\033[1;31m" : "",
		is_good ? "accounted" : "NOT ACCOUNTED", is_colored ? "\033[0m" : "");
}

void ledger_print(const struct ledger *ledger, bool is_colored, FILE *stream)
{
	for (uint32_t i = 0; i < ledger->source_count; i++)
		for (uint32_t k = 0; k < ledger->sources[i].store_count; k++)
			print_line(ledger, &ledger->sources[i], &ledger->sources[i].stores[k], is_colored, stream);
	ledger_processors_print(ledger, is_colored, stream);
	for (uint32_t i = 0; i < ledger->past_count; i++)
		print_past(ledger, &ledger->past[i], is_colored, stream);
	losses_print(&ledger->losses, is_colored, stream);
}

/* ledger.c: arithmetic and text of the ledger. Process: supervisor. */
#include "supervisor/ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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

void ledger_destroy(struct ledger *ledger)
{
	if (!ledger)
		return;
	free(ledger->sources);
	free(ledger);
}

void ledger_balance(struct ledger_source *source, uint32_t index)
{
	struct ledger_store *store = &source->stores[index];
	const struct journal_stream_state *state = &store->state;
	uint64_t known;

	/* A store that committed while the stream's tally was being read is ahead of it, not wrong. */
	store->in_flight_batches = source->sequence > state->sequence ? source->sequence - state->sequence : 0;
	known = state->batches + state->skipped_batches + state->set_aside_batches + store->in_flight_batches;
	store->missing = (int64_t)(source->batches - known);
	if (state->sequence > source->sequence)
		store->missing += (int64_t)(state->sequence - source->sequence);
	store->missing_rows = 0;
	if (!store->in_flight_batches && !state->skipped_batches && !state->set_aside_batches &&
		state->sequence == source->sequence)
		store->missing_rows = (int64_t)(source->rows - state->rows);
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
	return true;
}

bool ledger_is_settled(const struct ledger *ledger)
{
	for (uint32_t i = 0; i < ledger->source_count; i++)
		for (uint32_t k = 0; k < ledger->sources[i].store_count; k++)
			if (ledger->sources[i].stores[k].in_flight_batches)
				return false;
	return ledger_is_accounted(ledger);
}

static json_t *format_store(const struct ledger_source *source, const struct ledger_store *store)
{
	const struct journal_stream_state *state = &store->state;

	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "store", store->name,
		"stored_batches", (json_int_t)state->batches, "stored_rows", (json_int_t)state->rows, "stored_bytes",
		(json_int_t)state->bytes, "skipped_batches", (json_int_t)state->skipped_batches, "set_aside_batches",
		(json_int_t)state->set_aside_batches, "set_aside_rows", (json_int_t)state->set_aside_rows,
		"in_flight_batches", (json_int_t)store->in_flight_batches, "in_flight_bytes",
		(json_int_t)store->in_flight_bytes, "missing_batches", (json_int_t)store->missing, "missing_rows",
		(json_int_t)store->missing_rows, "accounted", is_accounted(source, store));
}

json_t *ledger_format_json(const struct ledger *ledger, const char *run, const char *supervisor, bool is_final)
{
	json_t *sources = json_array();

	for (uint32_t i = 0; i < ledger->source_count; i++) {
		const struct ledger_source *source = &ledger->sources[i];
		json_t *stores = json_array();

		for (uint32_t k = 0; k < source->store_count; k++)
			json_array_append_new(stores, format_store(source, &source->stores[k]));
		json_array_append_new(sources,
			json_pack("{s:s, s:I, s:I, s:I, s:I, s:b, s:o}", "source", source->name, "produced_batches",
				(json_int_t)source->batches, "produced_rows", (json_int_t)source->rows,
				"produced_bytes", (json_int_t)source->bytes, "dropped_rows",
				(json_int_t)source->dropped_rows, "readable", source->is_read, "stores", stores));
	}
	return json_pack("{s:s, s:s, s:b, s:b, s:b, s:o}", "run", run, "supervisor", supervisor, "final", is_final,
		"accounted", ledger_is_accounted(ledger), "settled", ledger_is_settled(ledger), "sources", sources);
}

static void print_line(
	const struct ledger_source *source, const struct ledger_store *store, bool is_colored, FILE *stream)
{
	const struct journal_stream_state *state = &store->state;
	const char *color = "\033[32m", *word = "accounted";
	char missing[160];

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
	} else if (store->in_flight_batches) {
		color = "\033[33m";
		word = "accounted, not all stored";
	}
	fprintf(stream,
		"  %s -> %s: produced %" PRIu64 " batches, %" PRIu64 " rows, %.2f MB; stored %" PRIu64
		" batches, %" PRIu64 " rows, %.2f MB",
		source->name, store->name, source->batches, source->rows, (double)source->bytes / 1e6, state->batches,
		state->rows, (double)state->bytes / 1e6);
	if (state->skipped_batches)
		fprintf(stream, "; not for this store %" PRIu64, state->skipped_batches);
	if (state->set_aside_batches)
		fprintf(stream, "; set aside %" PRIu64, state->set_aside_batches);
	if (store->in_flight_batches)
		fprintf(stream, "; in flight %" PRIu64, store->in_flight_batches);
	if (source->dropped_rows)
		fprintf(stream, "; dropped by policy %" PRIu64 " rows", source->dropped_rows);
	fprintf(stream, ": %s%s%s\n", is_colored ? color : "", word, is_colored ? "\033[0m" : "");
}

void ledger_print(const struct ledger *ledger, bool is_colored, FILE *stream)
{
	for (uint32_t i = 0; i < ledger->source_count; i++)
		for (uint32_t k = 0; k < ledger->sources[i].store_count; k++)
			print_line(&ledger->sources[i], &ledger->sources[i].stores[k], is_colored, stream);
}

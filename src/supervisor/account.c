/* account.c: see the header. Process: supervisor, main thread. */
#include "supervisor/account.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct account *account_create(const char *id, uint64_t number)
{
	struct account *account = calloc(1, sizeof(*account));

	if (!account)
		return NULL;
	snprintf(account->id, sizeof(account->id), "%s", id);
	account->number = number;
	return account;
}

void account_destroy(struct account *account)
{
	if (!account)
		return;
	for (uint32_t i = 0; i < account->source_count; i++)
		free(account->sources[i].stores);
	free(account->sources);
	run_facts_fini(&account->facts);
	free(account);
}

/* --- looking ------------------------------------------------------------------------------------------------------ */

static const struct boundary *find_begin(const struct account *account, const struct stream_status *status)
{
	for (uint32_t i = 0; i < status->boundary_count && i < SEGMENT_BOUNDARIES; i++)
		if (status->boundaries[i].edge == RUN_BEGINS && !strcmp(status->boundaries[i].label, account->id))
			return &status->boundaries[i];
	return NULL;
}

static void add_store(struct account_source *source, const char *name)
{
	struct account_store *store = &source->stores[source->store_count++];

	snprintf(store->name, sizeof(store->name), "%s", name);
}

/* NULL: out of memory, the next look tries again. */
static struct account_source *add_source(
	struct account *account, const struct stream_status *status, const struct boundary *begin)
{
	struct account_source *longer = realloc(account->sources, (account->source_count + 1) * sizeof(*longer));

	if (!longer)
		return NULL;
	account->sources = longer;
	struct account_source *source = &longer[account->source_count];
	*source = (struct account_source){.begin = *begin};
	source->stores = calloc(status->consumer_count + 1, sizeof(*source->stores));
	if (!source->stores)
		return NULL;
	snprintf(source->name, sizeof(source->name), "%s", status->source);
	memcpy(source->uuid, status->uuid, sizeof(source->uuid));
	for (uint32_t i = 0; i < status->consumer_count; i++)
		if (status->consumers[i].joined.position <= begin->position)
			add_store(source, status->consumers[i].name);
	account->source_count++;
	return source;
}

static struct account_source *find_source(const struct account *account, const uint8_t uuid[16])
{
	for (uint32_t i = 0; i < account->source_count; i++)
		if (!memcmp(account->sources[i].uuid, uuid, 16))
			return &account->sources[i];
	return NULL;
}

/* One that has left, or has come again since, has no part in the whole of the run. */
static void look_at_readers(struct account_source *source, const struct stream_status *status)
{
	for (uint32_t i = 0; i < source->store_count; i++) {
		struct account_store *store = &source->stores[i];
		bool is_there = store->has_end;
		for (uint32_t k = 0; k < status->consumer_count && !is_there; k++)
			is_there = !strcmp(status->consumers[k].name, store->name) &&
				   status->consumers[k].joined.position <= source->begin.position;
		store->is_removed = store->is_removed || !is_there;
	}
}

static void look_at_stream(struct account *account, const struct stream_status *status)
{
	const struct boundary *begin = find_begin(account, status);
	struct account_source *source = find_source(account, status->uuid);

	if (!source && begin)
		source = add_source(account, status, begin);
	if (source)
		look_at_readers(source, status);
	for (uint32_t i = 0; source && !source->end.edge && i < status->boundary_count; i++)
		if (status->boundaries[i].index == source->begin.index + 1)
			source->end = status->boundaries[i];
}

static bool read_totals(const char *journal, const struct account_source *source, const struct boundary *boundary,
	struct journal_stream_state *ret_state)
{
	return boundary->edge &&
	       journal_read_boundary(journal, source->uuid, boundary->index, boundary->position, ret_state, NULL) == 0;
}

/* The end first: who has committed it has committed the begin before, and where that is not there by then it is gone.
 */
static void look_at_store(const struct account_source *source, struct account_store *store, const struct roster *roster)
{
	const struct member *member = roster_find(roster, store->name);

	store->has_end = store->has_end || store->is_removed;
	if (store->has_end)
		return;
	if (!member || !member->plan->journal_path) {
		store->has_end = true; /* it was removed meanwhile */
		return;
	}
	store->has_end = read_totals(member->plan->journal_path, source, &source->end, &store->end);
	if (!store->has_begin)
		store->has_begin = read_totals(member->plan->journal_path, source, &source->begin, &store->begin);
}

static bool is_complete(const struct account_source *source)
{
	if (source->is_removed)
		return true;
	for (uint32_t i = 0; i < source->store_count; i++)
		if (!source->stores[i].has_end)
			return false;
	return source->end.edge;
}

/* How much is known: what has ended, and of whom. */
static uint32_t count_known(const struct account *account)
{
	uint32_t known = account->source_count;

	for (uint32_t i = 0; i < account->source_count; i++) {
		known += account->sources[i].end.edge != 0;
		for (uint32_t k = 0; k < account->sources[i].store_count; k++)
			known += account->sources[i].stores[k].has_end;
	}
	return known;
}

static void look_once(struct account *account, const struct roster *roster, struct stream_status *status)
{
	for (size_t i = 0; i < roster->count; i++) {
		const char *path = roster->members[i]->plan->stream_path;
		if (path && stream_read_status(path, status, NULL) == 0)
			look_at_stream(account, status);
	}
	for (uint32_t i = 0; i < account->source_count; i++) {
		struct account_source *source = &account->sources[i];
		source->is_removed = source->is_removed || (!is_complete(source) && !roster_find(roster, source->name));
		for (uint32_t k = 0; !is_complete(source) && k < source->store_count; k++)
			look_at_store(source, &source->stores[k], roster);
	}
}

/* A processor that has committed an end has said so in its own stream before: that one is looked at again. */
void account_look(struct account *account, const struct roster *roster)
{
	struct stream_status *status = malloc(sizeof(*status));
	uint32_t known;

	do {
		known = count_known(account);
		if (status)
			look_once(account, roster, status);
	} while (count_known(account) != known);
	free(status);
}

bool account_is_closed(const struct account *account)
{
	for (uint32_t i = 0; i < account->source_count; i++)
		if (!is_complete(&account->sources[i]))
			return false;
	return account->ended_wall_ns;
}

void account_describe_wait(const struct account *account, char *ret_text, size_t text_bytes)
{
	ret_text[0] = '\0';
	for (uint32_t i = 0; i < account->source_count; i++) {
		const struct account_source *source = &account->sources[i];
		if (source->is_removed)
			continue;
		if (!source->end.edge) {
			snprintf(ret_text, text_bytes, "%s has not ended it", source->name);
			return;
		}
		for (uint32_t k = 0; k < source->store_count; k++) {
			if (source->stores[k].has_end)
				continue;
			snprintf(ret_text, text_bytes, "%s has not stored all of %s", source->stores[k].name,
				source->name);
			return;
		}
	}
}

/* --- arithmetic --------------------------------------------------------------------------------------------------- */

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* The tally of a boundary is that before its record; what a journal keeps has the record in it. */
static struct account_line balance(const struct account_source *source, const struct account_store *store)
{
	const struct boundary *begin = &source->begin, *end = &source->end;
	struct account_line line = {.is_known = false};

	if (end->edge) {
		line.produced_batches = minus(end->batches - end->gaps, begin->batches - begin->gaps);
		line.produced_rows = minus(end->rows, begin->rows);
		line.produced_bytes = minus(end->bytes, begin->bytes);
		line.dropped_rows = minus(end->dropped_rows, begin->dropped_rows);
	}
	if (!store || !store->has_begin || !store->has_end || store->is_removed)
		return line;
	const struct journal_stream_state *now = &store->end, *before = &store->begin;
	line.is_known = true;
	line.stored_batches = minus(now->batches, before->batches);
	line.stored_rows = minus(now->rows, before->rows);
	line.stored_bytes = minus(now->bytes, before->bytes);
	line.skipped_batches = minus(now->skipped_batches, before->skipped_batches);
	line.skipped_rows = minus(now->skipped_rows, before->skipped_rows);
	line.set_aside_batches = minus(now->set_aside_batches, before->set_aside_batches);
	line.set_aside_rows = minus(now->set_aside_rows, before->set_aside_rows);
	line.missing_batches =
		(int64_t)(line.produced_batches - line.stored_batches - line.skipped_batches - line.set_aside_batches);
	line.missing_rows = (int64_t)(line.produced_rows - line.stored_rows - line.skipped_rows - line.set_aside_rows);
	return line;
}

static bool is_accounted(const struct account_line *line)
{
	return line->is_known && !line->missing_batches && !line->missing_rows && !line->set_aside_batches;
}

struct account_line account_balance(const struct account *account, uint32_t source, uint32_t store)
{
	return balance(&account->sources[source], &account->sources[source].stores[store]);
}

bool account_is_accounted(const struct account *account)
{
	/* Its streams are gone with what they held. */
	if (account->is_interrupted && !account->source_count)
		return false;
	for (uint32_t i = 0; i < account->source_count; i++)
		for (uint32_t k = 0; k < account->sources[i].store_count; k++) {
			const struct account_line line = balance(&account->sources[i], &account->sources[i].stores[k]);
			if (!account->sources[i].is_removed && !account->sources[i].stores[k].is_removed &&
				!is_accounted(&line))
				return false;
		}
	return true;
}

/* --- telling ------------------------------------------------------------------------------------------------------ */

static json_t *format_store(const struct account_source *source, const struct account_store *store)
{
	const struct account_line line = balance(source, store);

	return json_pack("{s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "store", store->name,
		"removed", store->is_removed, "known", line.is_known, "stored_batches", (json_int_t)line.stored_batches,
		"stored_rows", (json_int_t)line.stored_rows, "stored_bytes", (json_int_t)line.stored_bytes,
		"skipped_batches", (json_int_t)line.skipped_batches, "skipped_rows", (json_int_t)line.skipped_rows,
		"set_aside_batches", (json_int_t)line.set_aside_batches, "set_aside_rows",
		(json_int_t)line.set_aside_rows, "missing_batches", (json_int_t)line.missing_batches, "missing_rows",
		(json_int_t)line.missing_rows, "accounted",
		source->is_removed || store->is_removed || is_accounted(&line));
}

static json_t *format_source(const struct account_source *source)
{
	const struct account_line line = balance(source, NULL);
	json_t *stores = json_array();

	for (uint32_t i = 0; i < source->store_count; i++)
		json_array_append_new(stores, format_store(source, &source->stores[i]));
	return json_pack("{s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "source", source->name, "ended",
		source->end.edge != 0, "removed", source->is_removed, "began_wall_ns",
		(json_int_t)source->begin.wall_ns, "ended_wall_ns", (json_int_t)source->end.wall_ns, "produced_batches",
		(json_int_t)line.produced_batches, "produced_rows", (json_int_t)line.produced_rows, "produced_bytes",
		(json_int_t)line.produced_bytes, "dropped_rows", (json_int_t)line.dropped_rows, "stores", stores);
}

json_t *account_format(const struct account *account, const char *supervisor)
{
	json_t *sources = json_array();
	bool is_closed = account_is_closed(account);

	for (uint32_t i = 0; i < account->source_count; i++)
		json_array_append_new(sources, format_source(&account->sources[i]));
	return json_pack("{s:s, s:I, s:s, s:I, s:I, s:b, s:b, s:b, s:s, s:b, s:o, s:o}", "run", account->id, "number",
		(json_int_t)account->number, "supervisor", supervisor, "began_wall_ns",
		(json_int_t)account->began_wall_ns, "ended_wall_ns", (json_int_t)account->ended_wall_ns, "closed",
		is_closed, "aborted", account->is_aborted, "interrupted", account->is_interrupted, "reason",
		account->reason, "accounted", is_closed && account_is_accounted(account), "clock",
		clock_state_format_pair(&account->clock_begin, &account->clock_end), "sources", sources);
}

static const char *shown(const char *name, char ret_safe[256])
{
	snprintf(ret_safe, 256, "%s", name);
	text_make_safe(ret_safe, strlen(ret_safe));
	return ret_safe;
}

static void print_line(const struct account_source *source, const struct account_store *store, FILE *stream)
{
	const struct account_line line = balance(source, store);
	char from[256], to[256];

	fprintf(stream, "  %s -> %s: produced %" PRIu64 " batches, %" PRIu64 " rows, %.2f MB",
		shown(source->name, from), shown(store->name, to), line.produced_batches, line.produced_rows,
		(double)line.produced_bytes / 1e6);
	if (source->is_removed || store->is_removed) {
		fprintf(stream, "; one of them was removed while the run was on: see the ledger of the start\n");
		return;
	}
	fprintf(stream, "; stored %" PRIu64 " batches, %" PRIu64 " rows, %.2f MB", line.stored_batches,
		line.stored_rows, (double)line.stored_bytes / 1e6);
	if (line.skipped_batches)
		fprintf(stream, "; not for this store %" PRIu64, line.skipped_batches);
	if (line.set_aside_batches)
		fprintf(stream, "; set aside %" PRIu64, line.set_aside_batches);
	if (line.dropped_rows)
		fprintf(stream, "; dropped by policy %" PRIu64 " rows", line.dropped_rows);
	if (!line.is_known)
		fprintf(stream, ": %s\n", store->has_end ? "NOT KNOWN" : "not all stored");
	else if (line.missing_batches || line.missing_rows)
		fprintf(stream, ": MISSING %" PRId64 " batches, %" PRId64 " rows\n", line.missing_batches,
			line.missing_rows);
	else
		fprintf(stream, ": %s\n", line.set_aside_batches ? "SET ASIDE" : "accounted");
}

void account_print(const struct account *account, FILE *stream)
{
	char begin[80], end[80];

	for (uint32_t i = 0; i < account->source_count; i++)
		for (uint32_t k = 0; k < account->sources[i].store_count; k++)
			print_line(&account->sources[i], &account->sources[i].stores[k], stream);
	clock_state_describe(&account->clock_begin, begin, sizeof(begin));
	clock_state_describe(&account->clock_end, end, sizeof(end));
	if (!strcmp(begin, end))
		fprintf(stream, "  clock of this machine: %s\n", begin);
	else
		fprintf(stream, "  clock of this machine: at the begin %s, at the end %s\n", begin, end);
}

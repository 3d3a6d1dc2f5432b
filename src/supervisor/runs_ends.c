/* runs_ends.c: runs that end by themselves, what follows them, and whether there is room for them. Process: supervisor,
 * main thread. */
#include "supervisor/runs_state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/disks.h"
#include "supervisor/run_end.h"

#define SAMPLED_NS       2000000000ull /* since a run is on: all figures are of it */
#define ROOM_PATIENCE_NS 500000000ull  /* of a start, for a disk that is asked how much is free */

/* --- what was made -------------------------------------------------------------------------------------------------
 */

struct made {
	uint64_t rows, bytes;
};

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static const struct account_source *find_source(const struct account *account, const char *name)
{
	for (uint32_t i = 0; i < account->source_count; i++)
		if (!strcmp(account->sources[i].name, name))
			return &account->sources[i];
	return NULL;
}

/* Of one stream in the run that is on. */
static struct made count_stream(const struct runs *runs, const struct ledger_source *now)
{
	const struct account_source *source = runs->is_on ? find_source(runs->account, now->name) : NULL;
	const struct ledger_produced produced = ledger_get_produced(now);

	if (!runs->is_on)
		return (struct made){produced.rows, produced.bytes};
	if (!source)
		return (struct made){0, 0};
	return (struct made){minus(now->rows, source->begin.rows), minus(now->bytes, source->begin.bytes)};
}

/* What counts as events: of the source that is named, else of all sources, not of what processors make of it. */
static struct made count_made(const struct runs *runs, const char *only)
{
	struct made sum = {0, 0};

	for (uint32_t i = 0; i < runs->ledger->source_count; i++) {
		const struct ledger_source *now = &runs->ledger->sources[i];
		const struct member *member = roster_find(runs->roster, now->name);
		if (*only ? strcmp(only, now->name) != 0 : !member || !member_is_source(member))
			continue;
		struct made made = count_stream(runs, now);
		sum.rows += made.rows;
		sum.bytes += made.bytes;
	}
	return sum;
}

/* --- ends ----------------------------------------------------------------------------------------------------------
 */

uint64_t runs_planned_end(const struct account *account)
{
	const struct run_facts *facts = &account->facts;

	return facts->terms && facts->terms->stop_after_seconds > 0 && facts->on_wall_ns
		       ? facts->on_wall_ns + (uint64_t)(facts->terms->stop_after_seconds * 1e9)
		       : 0;
}

/* Once a run: those of a supervisor before this one were right then. */
static void make_conditions(struct run_facts *facts)
{
	size_t count = facts->terms->stop_when.count;

	if (facts->conditions || !count)
		return;
	facts->conditions = calloc(count, sizeof(*facts->conditions));
	for (size_t i = 0; facts->conditions && i < count; i++)
		if (!condition_parse(
			    facts->terms->stop_when.items[i], &facts->conditions[facts->condition_count], NULL))
			facts->condition_count++;
}

void runs_find_end(struct runs *runs, uint64_t now_ns, char *ret_text, size_t text_bytes)
{
	struct run_facts *facts = &runs->account->facts;
	const struct run_terms *terms = facts->terms;

	ret_text[0] = '\0';
	if (!terms || !run_terms_end(terms))
		return;
	if (terms->stop_after_events || terms->stop_after_bytes) {
		const struct made made = count_made(runs, terms->count_source);
		if (terms->stop_after_events && made.rows >= (uint64_t)terms->stop_after_events)
			snprintf(ret_text, text_bytes, "it has %" PRIu64 " of %" PRId64 " events", made.rows,
				terms->stop_after_events);
		else if (terms->stop_after_bytes && made.bytes >= (uint64_t)terms->stop_after_bytes)
			snprintf(ret_text, text_bytes, "it has %" PRIu64 " of %" PRId64 " bytes", made.bytes,
				terms->stop_after_bytes);
	}
	make_conditions(facts);
	/* Figures of before the run say nothing of it: what a source between runs makes is none. */
	if (facts->on_wall_ns + SAMPLED_NS > clock_wall_ns() && facts->on_wall_ns <= clock_wall_ns())
		return;
	for (uint32_t i = 0; !ret_text[0] && i < facts->condition_count; i++)
		if (condition_judge(&facts->conditions[i], runs->roster, runs->ledger, now_ns))
			snprintf(ret_text, text_bytes, "%s", facts->conditions[i].text);
}

json_t *runs_make_next(const struct account *account)
{
	const struct run_terms *terms = account->facts.terms;

	if (!terms || !terms->repeat)
		return NULL;
	json_t *next = json_deep_copy(account->facts.asked);
	if (terms->repeat > 0)
		json_object_set_new(next, "repeat", json_integer((json_int_t)terms->repeat - 1));
	return next;
}

json_t *runs_format_ends(const struct runs *runs)
{
	const struct run_terms *terms = runs->account->facts.terms;
	json_t *ends = json_object(), *when = json_array();
	struct made made = {0, 0};

	for (size_t i = 0; i < terms->stop_when.count; i++) {
		char safe[400];
		text_copy(safe, sizeof(safe), terms->stop_when.items[i]);
		text_make_safe(safe, strlen(safe));
		json_array_append_new(when, json_string(safe));
	}
	if (terms->stop_after_events || terms->stop_after_bytes)
		made = count_made(runs, terms->count_source);
	json_object_set_new(ends, "wall_ns", json_integer((json_int_t)runs_planned_end(runs->account)));
	json_object_set_new(ends, "events", json_integer(terms->stop_after_events));
	json_object_set_new(ends, "events_now", json_integer((json_int_t)made.rows));
	json_object_set_new(ends, "bytes", json_integer(terms->stop_after_bytes));
	json_object_set_new(ends, "bytes_now", json_integer((json_int_t)made.bytes));
	json_object_set_new(ends, "when", when);
	return ends;
}

/* --- room ----------------------------------------------------------------------------------------------------------
 */

void runs_keep_rate(struct runs *runs, const struct account *account)
{
	const struct run_facts *facts = &account->facts;
	double seconds = (double)(facts->live_ns + facts->dead_ns) / 1e9;
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < account->source_count; i++)
		for (uint32_t k = 0; k < account->sources[i].store_count; k++)
			bytes += account_balance(account, i, k).stored_bytes;
	if (seconds < 1 || !account->was_on || !bytes || !facts->terms)
		return;
	if (!runs->rates)
		runs->rates = json_object();
	json_object_set_new(runs->rates, facts->terms->type, json_real((double)bytes / seconds));
}

/* Bytes a second on all disks: as the last run of the type, else as it is now. */
static double find_rate(const struct runs *runs, const struct run_terms *terms)
{
	double rate = json_number_value(json_object_get(runs->rates, terms->type));

	for (size_t i = 0; rate <= 0 && i < runs->roster->count; i++)
		if (member_is_store(runs->roster->members[i]))
			rate += (double)runs->roster->members[i]->rate.in_bytes;
	return rate;
}

/* Of all disks that stores write to; UINT64_MAX: not known, or one of them does not answer. */
static uint64_t find_room(const struct runs *runs)
{
	uint64_t room = 0, seen[16];
	size_t count = 0, k;

	for (size_t i = 0; i < runs->roster->count && count < 16; i++) {
		char folder[RUNTIME_PATH_BYTES];
		struct disk_room disk;
		if (!run_end_find_folder(runs->roster, i, folder, sizeof(folder)))
			continue;
		if (!disks_read(folder, ROOM_PATIENCE_NS, &disk))
			return UINT64_MAX;
		for (k = 0; k < count && seen[k] != disk.device; k++)
			;
		if (!disk.is_there || k < count)
			continue;
		seen[count++] = disk.device;
		room += disk.free_bytes;
	}
	return count ? room : UINT64_MAX;
}

void runs_warn_room(const struct runs *runs, const struct run_terms *terms, char *ret_text, size_t text_bytes)
{
	double wanted = find_rate(runs, terms) * terms->stop_after_seconds, stores = 0;
	char expected[32], free_text[32];

	ret_text[0] = '\0';
	for (size_t i = 0; i < runs->roster->count; i++)
		stores += member_is_store(runs->roster->members[i]);
	if (terms->stop_after_bytes && (double)terms->stop_after_bytes * stores > wanted)
		wanted = (double)terms->stop_after_bytes * stores;
	if (wanted <= 0)
		return;
	uint64_t room = find_room(runs);
	if (room == UINT64_MAX || (double)room >= wanted)
		return;
	snprintf(ret_text, text_bytes,
		"about %s are expected and %s are free where stores write: it may not end before a disk is full; free "
		"space, or end it earlier",
		text_format_bytes(wanted, expected), text_format_bytes((double)room, free_text));
}

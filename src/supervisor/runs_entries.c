/* runs_entries.c: what the book of runs is told. Process: supervisor, main thread. */
#include "supervisor/runs_state.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/record.h"

static json_t *safe_text(const char *text)
{
	json_t *json = json_string(text);

	return json ? json : json_string("?");
}

static void put(const struct runs *runs, const char *kind, const struct account *account, json_t *body)
{
	if (runs->book && account->number && body)
		book_put(runs->book, kind, account->facts.uuid, runs->supervisor, body);
	else
		json_decref(body);
}

/* --- the begin --- */

static json_t *format_by(const struct run_facts *facts)
{
	const struct run_terms *terms = facts->terms;

	return json_pack("{s:o, s:o, s:o}", "who", safe_text(terms && *terms->who ? terms->who : facts->by), "role",
		safe_text(terms ? terms->role : ""), "address", safe_text(terms ? terms->address : ""));
}

static void add_terms(json_t *begin, const struct run_facts *facts, uint64_t began_wall_ns)
{
	static const char *const ends[] = {
		"stop_after_seconds", "stop_after_events", "stop_after_bytes", "count_source", "stop_when", "repeat"};
	static const char *const texts[] = {"type", "description", "comment"};
	/* with those of secrets masked */
	json_t *list = json_object(), *values = json_object_get(facts->asked, "shown_values");
	double seconds = facts->terms ? facts->terms->stop_after_seconds : 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *text = json_string_value(json_object_get(facts->asked, texts[i]));
		json_object_set_new(begin, texts[i], safe_text(text ? text : ""));
	}
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		json_object_set(list, ends[i], json_object_get(facts->asked, ends[i]));
	json_object_set_new(begin, "ends", list);
	if (values)
		json_object_set(begin, "values", values);
	if (seconds > 0)
		json_object_set_new(
			begin, "planned_end_ns", json_integer((json_int_t)(began_wall_ns + (uint64_t)(seconds * 1e9))));
}

json_t *runs_make_begin(const struct runs *runs, const struct account *account)
{
	json_t *begin = runs->make_record ? runs->make_record(runs->record_context) : NULL;
	const char *const kept[] = {"template", "sequence", "templates"};

	if (!begin)
		begin = json_object();
	json_object_set_new(begin, "run", json_string(account->id));
	json_object_set_new(begin, "supervisor", safe_text(runs->supervisor));
	json_object_set_new(begin, "wall_ns", json_integer((json_int_t)account->began_wall_ns));
	json_object_set_new(begin, "has_control", json_boolean(runs->is_on));
	json_object_set_new(begin, "by", format_by(&account->facts));
	add_terms(begin, &account->facts, account->began_wall_ns);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		json_object_set(begin, kept[i], json_object_get(account->facts.asked, kept[i]));
	return begin;
}

/* Stores put it into their files. */
void runs_tell_info(const struct runs *runs, const struct account *account)
{
	struct enrg_error err = {0};
	json_t *begin = runs_make_begin(runs, account);

	json_object_set_new(begin, "number", json_integer((json_int_t)account->number));
	if (record_tell_begin(runs->runtime->folder, account->facts.uuid, begin, &err) < 0)
		log_line(ENRG_WARNING, "files of run %llu will not say its number: %s",
			(unsigned long long)account->number, err.text);
	json_decref(begin);
}

/* --- what comes behind it --- */

void runs_put_state(const struct runs *runs)
{
	const struct account *account = runs->account;

	if (account)
		put(runs, "state", account,
			json_pack("{s:s, s:o, s:o, s:I, s:o}", "state", runs_state_name(runs->state), "reason",
				safe_text(runs->reason), "by", safe_text(runs->by), "deadline_ns",
				(json_int_t)runs->deadline_wall_ns, "waits_for", safe_text(runs->waits_for)));
}

const char *runs_quality(const struct account *account, bool is_accounted)
{
	return account->is_aborted ? "aborted" : is_accounted ? "complete" : "incomplete";
}

void runs_put_end(const struct runs *runs, const struct account *account, bool is_accounted, const json_t *ledger)
{
	const struct run_facts *facts = &account->facts;
	const char *reason = facts->end_reason[0] ? facts->end_reason : account->reason;
	json_t *body = json_pack("{s:I, s:s, s:o, s:o, s:o, s:o}", "wall_ns", (json_int_t)account->ended_wall_ns,
		"quality", runs_quality(account, is_accounted), "flags", run_facts_format_flags(facts), "reason",
		safe_text(reason), "by", safe_text(facts->end_by), "clock",
		clock_state_format_pair(&account->clock_begin, &account->clock_end));

	if (!body)
		return;
	if (ledger)
		json_object_set(body, "account", (json_t *)(uintptr_t)ledger);
	else
		json_object_set_new(body, "account", account_format(account, runs->supervisor));
	if (facts->jobs)
		json_object_set(body, "jobs", facts->jobs);
	json_object_set_new(body, "by_itself", json_boolean(facts->ends_itself));
	json_object_set_new(body, "live_s", json_real((double)facts->live_ns / 1e9));
	json_object_set_new(body, "dead_s", json_real((double)facts->dead_ns / 1e9));
	if (facts->figures)
		json_object_update(body, facts->figures);
	else if (!strcmp(runs->figures_of, account->id))
		run_figures_format(&runs->figures, runs->roster, body);
	put(runs, "end", account, body);
}

void runs_take_figures(const struct runs *runs, struct account *account)
{
	if (account->facts.figures || strcmp(runs->figures_of, account->id) != 0)
		return;
	account->facts.figures = json_object();
	if (account->facts.figures)
		run_figures_format(&runs->figures, runs->roster, account->facts.figures);
}

void runs_put_flag(const struct runs *runs, const struct account *account, const char *flag, bool is_set,
	const char *reason, const char *by)
{
	json_t *body = json_pack("{s:s, s:b, s:o, s:o}", "flag", flag, "is_set", is_set, "reason", safe_text(reason),
		"by", safe_text(by));

	put(runs, "flag", account, body);
}

/* --- progress ------------------------------------------------------------------------------------------------------
 */

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static json_t *format_store(const struct account_store *store, const struct ledger_source *now)
{
	for (uint32_t i = 0; now && i < now->store_count; i++)
		if (!strcmp(now->stores[i].name, store->name) && store->has_begin)
			return json_pack("{s:s, s:I, s:I, s:I, s:I}", "store", store->name, "stored_batches",
				(json_int_t)minus(now->stores[i].state.batches, store->begin.batches), "stored_rows",
				(json_int_t)minus(now->stores[i].state.rows, store->begin.rows), "stored_bytes",
				(json_int_t)minus(now->stores[i].state.bytes, store->begin.bytes), "in_flight_batches",
				(json_int_t)now->stores[i].in_flight_batches);
	return json_pack("{s:s}", "store", store->name);
}

static json_t *format_source(const struct account_source *source, const struct ledger_source *now)
{
	json_t *stores = json_array();
	const struct boundary *begin = &source->begin;

	for (uint32_t i = 0; i < source->store_count; i++)
		json_array_append_new(stores, format_store(&source->stores[i], now));
	return json_pack("{s:s, s:I, s:I, s:I, s:o}", "source", source->name, "produced_batches",
		(json_int_t)(now ? minus(now->batches - now->gaps, begin->batches - begin->gaps) : 0), "produced_rows",
		(json_int_t)(now ? minus(now->rows, begin->rows) : 0), "produced_bytes",
		(json_int_t)(now ? minus(now->bytes, begin->bytes) : 0), "stores", stores);
}

static json_t *format_account(const struct runs *runs)
{
	json_t *sources = json_array();

	if (!runs->is_on) {
		json_decref(sources);
		return ledger_format_json(runs->ledger, runs->account->id, runs->supervisor, false);
	}
	for (uint32_t i = 0; i < runs->account->source_count; i++) {
		const struct account_source *source = &runs->account->sources[i];
		json_array_append_new(sources, format_source(source, ledger_find_source(runs->ledger, source->name)));
	}
	return json_pack("{s:s, s:I, s:o}", "run", runs->account->id, "number", (json_int_t)runs->account->number,
		"sources", sources);
}

void runs_put_progress(const struct runs *runs)
{
	const struct run_facts *facts = &runs->account->facts;

	if (!runs->book || !runs->book->is_on)
		return;
	if (runs->is_on)
		account_look(runs->account, runs->roster);
	json_t *body = json_pack("{s:o, s:f, s:f}", "account", format_account(runs), "live_s",
		(double)facts->live_ns / 1e9, "dead_s", (double)facts->dead_ns / 1e9);
	if (!body)
		return;
	if (!strcmp(runs->figures_of, runs->account->id))
		run_figures_format(&runs->figures, runs->roster, body);
	put(runs, "progress", runs->account, body);
}

/* runs_file.c: runs as JSON: for those who ask, and runs.json: what a supervisor that is started after a kill has to
 * know. Process: supervisor, main thread.
 */
#include "supervisor/runs_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/path.h"
#include "base/text.h"

const char *runs_state_name(enum runs_state state)
{
	static const char *const names[] = {
		"idle", "configuring", "configured", "starting", "running", "error", "stopping"};

	return names[state];
}

/* --- writing --- */

static json_t *format_open(const struct account *account)
{
	if (!account)
		return json_null();
	return json_pack("{s:s, s:I, s:I, s:I, s:b, s:b, s:b, s:s, s:o, s:o}", "run", account->id, "number",
		(json_int_t)account->number, "began_wall_ns", (json_int_t)account->began_wall_ns, "ended_wall_ns",
		(json_int_t)account->ended_wall_ns, "was_on", account->was_on, "aborted", account->is_aborted,
		"interrupted", account->is_interrupted, "reason", account->reason, "clock",
		clock_state_format_pair(&account->clock_begin, &account->clock_end), "facts",
		run_facts_format(&account->facts));
}

static json_t *format_sums(const struct runs *runs)
{
	json_t *sums = json_array();

	for (uint32_t i = 0; i < runs->sum_count; i++) {
		const struct runs_sum *sum = &runs->sums[i];
		json_array_append_new(
			sums, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "source", sum->source, "store", sum->store,
				      "produced_batches", (json_int_t)sum->produced_batches, "produced_rows",
				      (json_int_t)sum->produced_rows, "stored_batches", (json_int_t)sum->stored_batches,
				      "stored_rows", (json_int_t)sum->stored_rows));
	}
	return sums;
}

int runs_save(const struct runs *runs, struct enrg_error *err)
{
	char path[RUNTIME_PATH_BYTES + 16];
	json_t *closing = json_array();

	for (uint32_t i = 0; i < RUNS_CLOSING; i++)
		if (runs->closing[i])
			json_array_append_new(closing, format_open(runs->closing[i]));
	json_t *json = json_pack("{s:s, s:I, s:I, s:s, s:o, s:o, s:o}", "state", runs_state_name(runs->state),
		"since_wall_ns", (json_int_t)runs->since_wall_ns, "last_number", (json_int_t)runs->last_number, "last",
		runs->last_id, "open", format_open(runs->account), "closing", closing, "sums", format_sums(runs));
	if (json && runs->next)
		json_object_set(json, "next", runs->next);
	if (json && !runs->is_on)
		json_object_set_new(json, "plain", json_true());
	if (json && runs->rates)
		json_object_set(json, "rates", runs->rates);
	if (json)
		json_object_set_new(json, "goal", json_string(runs_state_name(runs->goal)));
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	int rc = -ENOMEM;

	json_decref(json);
	snprintf(path, sizeof(path), "%s/runs.json", runs->runtime->folder);
	if (text)
		rc = path_write_private_file(path, text, strlen(text), err);
	else
		enrg_error_set(err, rc, "runs.json: out of memory");
	free(text);
	return rc;
}

void runs_save_or_tell(const struct runs *runs)
{
	struct enrg_error err = {0};

	if (runs_save(runs, &err) < 0)
		log_line(ENRG_ERROR,
			"%s: a supervisor that is started after a kill would not know which run is on; free space "
			"there",
			err.text);
}

/* --- reading --- */

static struct account *parse_open(const json_t *json, const char *supervisor)
{
	const char *id = json_string_value(json_object_get(json, "run")), *reason;
	struct account *account;

	if (!id || !id[0] || strlen(id) >= sizeof(account->id))
		return NULL;
	account = account_create(id, (uint64_t)json_integer_value(json_object_get(json, "number")));
	if (!account)
		return NULL;
	account->began_wall_ns = (uint64_t)json_integer_value(json_object_get(json, "began_wall_ns"));
	account->ended_wall_ns = (uint64_t)json_integer_value(json_object_get(json, "ended_wall_ns"));
	account->was_on = json_is_true(json_object_get(json, "was_on"));
	account->is_aborted = json_is_true(json_object_get(json, "aborted"));
	account->is_interrupted = true; /* it was not closed by the supervisor that began it */
	reason = json_string_value(json_object_get(json, "reason"));
	snprintf(account->reason, sizeof(account->reason), "%s", reason ? reason : "");
	const json_t *clock = json_object_get(json, "clock");
	account->clock_begin = clock_state_parse(json_object_get(clock, "begin"));
	account->clock_end = clock_state_parse(json_object_get(clock, "end"));
	run_facts_parse(&account->facts, json_object_get(json, "facts"));
	if (!account->facts.uuid[0])
		entry_make_uuid(supervisor, account->id, account->began_wall_ns, account->facts.uuid);
	run_facts_set_flag(&account->facts, "interrupted", true, "its supervisor was killed", "");
	return account;
}

static uint64_t number(const json_t *json, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(json, key));
}

static void parse_sums(struct runs *runs, const json_t *list)
{
	size_t count = json_array_size(list);

	runs->sums = calloc(count + 1, sizeof(*runs->sums));
	for (size_t i = 0; runs->sums && i < count; i++) {
		const json_t *item = json_array_get(list, i);
		const char *source = json_string_value(json_object_get(item, "source"));
		const char *store = json_string_value(json_object_get(item, "store"));
		struct runs_sum *sum = &runs->sums[runs->sum_count];
		if (!source || !store)
			continue;
		runs->sum_count++;
		snprintf(sum->source, sizeof(sum->source), "%s", source);
		snprintf(sum->store, sizeof(sum->store), "%s", store);
		sum->produced_batches = number(item, "produced_batches");
		sum->produced_rows = number(item, "produced_rows");
		sum->stored_batches = number(item, "stored_batches");
		sum->stored_rows = number(item, "stored_rows");
	}
}

static bool is_text(const json_t *json, const char *key, const char *text)
{
	const char *value = json_string_value(json_object_get(json, key));

	return value && !strcmp(value, text);
}

/* A run that has not been on is configured anew, as its jobs went with the supervisor; so is one that was. */
static void parse_state(struct runs *runs, const json_t *json, bool goes_on)
{
	/* Where streams may have been made anew a run can't go on: its sequences would come twice. */
	bool ends = !goes_on || is_text(json, "state", runs_state_name(RUNS_STOPPING)) ||
		    is_text(json, "state", runs_state_name(RUNS_IDLE));

	runs->next = goes_on ? json_deep_copy(json_object_get(json, "next")) : NULL;
	if (!runs->account)
		return;
	if (json_is_true(json_object_get(json, "plain")) !=
		!runs->is_on) { /* the folder has run control now, or no more */
		account_destroy(runs->account);
		runs->account = NULL;
		return;
	}
	if (!runs->is_on)
		return;
	runs->state = ends ? RUNS_STOPPING : RUNS_CONFIGURING;
	runs->goal = is_text(json, "goal", runs_state_name(RUNS_CONFIGURED)) ? RUNS_CONFIGURED : RUNS_ON;
	runs->account->is_aborted = runs->account->is_aborted || (ends && !runs->account->was_on);
	snprintf(runs->reason, sizeof(runs->reason), "the supervisor before this one was killed");
	log_line(ENRG_INFO, "run %llu (%s), which was %s when the supervisor before this one ended, %s",
		(unsigned long long)runs->account->number, runs->account->id,
		json_string_value(json_object_get(json, "state")), ends ? "ends now" : "goes on");
}

static void parse(struct runs *runs, const json_t *json, bool goes_on)
{
	const char *last = json_string_value(json_object_get(json, "last"));
	const json_t *closing = json_object_get(json, "closing");

	runs->last_number = number(json, "last_number");
	runs->rates = json_deep_copy(json_object_get(json, "rates"));
	snprintf(runs->last_id, sizeof(runs->last_id), "%s", last ? last : "");
	for (size_t i = 0, k = 0; i < json_array_size(closing) && k < RUNS_CLOSING; i++) {
		runs->closing[k] = parse_open(json_array_get(closing, i), runs->supervisor);
		k += runs->closing[k] != NULL;
	}
	if (goes_on)
		parse_sums(runs, json_object_get(json, "sums"));
	runs->account = parse_open(json_object_get(json, "open"), runs->supervisor);
	if (runs->account && !runs->account->number) { /* it had not been begun */
		account_destroy(runs->account);
		runs->account = NULL;
	}
	parse_state(runs, json, goes_on);
}

void runs_load(struct runs *runs, bool goes_on)
{
	char path[RUNTIME_PATH_BYTES + 16], *text;
	size_t count;

	snprintf(path, sizeof(path), "%s/runs.json", runs->runtime->folder);
	if (path_read_file(path, 16 << 20, &text, &count, NULL))
		return;
	json_t *json = json_loadb(text, count, 0, NULL);
	free(text);
	parse(runs, json, goes_on);
	json_decref(json);
}

/* --- for those who ask --- */

static void add_refusal(const struct runs *runs, json_t *json)
{
	if (runs->refused_id[0])
		json_object_set_new(json, "refused",
			json_pack("{s:s, s:I, s:s, s:I}", "run", runs->refused_id, "number",
				(json_int_t)runs->refused_number, "reason", runs->refused, "wall_ns",
				(json_int_t)runs->refused_wall_ns));
}

/* For a terminal and for JSON alike. */
static void add_text(json_t *json, const char *key, const char *text)
{
	char safe[500];

	text_copy(safe, sizeof(safe), text);
	text_make_safe(safe, strlen(safe));
	json_object_set_new(json, key, json_string(safe));
}

static void add_facts(json_t *json, const struct runs *runs)
{
	const struct account *open = runs->account;
	const struct run_facts *facts = &open->facts;

	json_object_set_new(json, "began_wall_ns", json_integer((json_int_t)open->began_wall_ns));
	json_object_set_new(json, "uuid", json_string(facts->uuid));
	json_object_set_new(json, "wanted_by", json_string(facts->by));
	json_object_set_new(json, "flags", run_facts_format_flags(facts));
	if (!facts->terms)
		return;
	add_text(json, "type", facts->terms->type);
	add_text(json, "description", facts->terms->description);
	add_text(json, "comment", facts->terms->comment);
	json_object_set_new(json, "repeat", json_integer((json_int_t)facts->terms->repeat));
	json_object_set_new(json, "ends", runs_format_ends(runs));
	if (facts->warning[0])
		json_object_set_new(json, "warning", json_string(facts->warning));
}

json_t *runs_format(const struct runs *runs)
{
	const struct account *open = runs->account, *closing = runs->closing[0];
	char wait[600] = "";

	if (closing)
		account_describe_wait(closing, wait, sizeof(wait));
	json_t *json = json_pack("{s:b, s:s, s:I, s:s, s:s, s:I, s:s, s:I, s:s, s:I, s:s, s:s, s:I, s:I, s:I}",
		"control", runs->is_on, "state", runs_state_name(runs->state), "since_wall_ns",
		(json_int_t)runs->since_wall_ns, "reason", runs->reason, "by", runs->by, "deadline_wall_ns",
		(json_int_t)runs->deadline_wall_ns, "waits_for", runs->waits_for, "number",
		open ? (json_int_t)open->number : 0, "run", open ? open->id : "", "last_number",
		(json_int_t)runs->last_number, "closing", closing ? closing->id : "", "closing_waits_for", wait,
		"closed", (json_int_t)runs->closed_count, "unaccounted", (json_int_t)runs->unaccounted_count,
		"began_wall_ns", (json_int_t)0);
	if (json && open)
		add_facts(json, runs);
	if (json)
		add_refusal(runs, json);
	return json;
}

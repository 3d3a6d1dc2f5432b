/* runs_life.c: runs from the start of the supervisor to its end. Process: supervisor, main thread. */
#include "supervisor/runs_state.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/record.h"
#include "supervisor/run_end.h"

#define READY_NS 30000000000ull /* what jobs may take to get ready */

/* It closes what nobody continues. */
static void continue_book(const struct runs *runs)
{
	if (!runs->book)
		return;
	if (runs->account && runs->account->number)
		book_continue(runs->book, runs->account->facts.uuid);
	for (uint32_t i = 0; i < RUNS_CLOSING; i++)
		if (runs->closing[i])
			book_continue(runs->book, runs->closing[i]->facts.uuid);
}

int runs_open(struct runs *runs, const struct runs_params *params, struct enrg_error *err)
{
	runs->is_open = true;
	runs->runtime = params->runtime;
	runs->book = params->book;
	runs->make_record = params->make_record;
	runs->record_context = params->record_context;
	snprintf(runs->supervisor, sizeof(runs->supervisor), "%s", params->supervisor);
	runs->patience_ns = (uint64_t)(params->deadline_seconds * 1e9);
	runs->since_wall_ns = clock_wall_ns();
	if (!params->has_control) {
		if (runs->book)
			runs_load(runs, params->goes_on);
		return 0;
	}
	int rc = wish_create(&runs->descriptor, &runs->wishes, err);
	if (rc < 0)
		return rc;
	runs->is_on = true;
	runs->serial = wish_serial(runs->wishes);
	runs_load(runs, params->goes_on);
	continue_book(runs);
	/* Before the first source is started: it ends no run that goes on, else the run would begin in its stream
	 * twice. */
	if (runs->account && runs->account->facts.was_wished && runs->state != RUNS_STOPPING)
		runs_wish(runs, runs->account);
	return 0;
}

void runs_attach(struct runs *runs, struct roster *roster, const struct ledger *ledger, struct commands *commands)
{
	runs->roster = roster;
	runs->ledger = ledger;
	runs->commands = commands;
	if (!runs->is_on)
		return;
	roster->wish = runs->descriptor;
	uint64_t seen = run_end_last_number(roster);
	runs->last_number = seen > runs->last_number ? seen : runs->last_number;
	/* One that was on is not ended at its deadline, so that says only what is not there yet. */
	if (runs->account && (runs->state == RUNS_STOPPING || !runs->account->was_on))
		runs->more_patience_ns = READY_NS;
}

void runs_set_hooks(struct runs *runs, const struct runs_hooks *hooks)
{
	runs->hooks = *hooks;
}

void runs_close(struct runs *runs)
{
	account_destroy(runs->account);
	for (uint32_t i = 0; i < RUNS_CLOSING; i++)
		account_destroy(runs->closing[i]);
	json_decref(runs->next);
	json_decref(runs->rates);
	free(runs->sums);
	run_figures_fini(&runs->figures);
	if (!runs->is_on)
		return;
	wish_close(runs->wishes);
	close(runs->descriptor);
}

/* --- the end of the supervisor --- */

void runs_begin_stop(struct runs *runs, const char *why)
{
	if (runs->is_draining)
		return;
	runs->is_draining = true;
	json_decref(runs->next);
	runs->next = NULL;
	if (!runs->is_on && runs->account) {
		text_copy(runs->account->facts.end_reason, sizeof(runs->account->facts.end_reason), why);
		(void)record_tell_end(runs->runtime->folder, runs->account->id, clock_wall_ns(), NULL);
	}
	if (!runs->is_on || !runs->account || runs->state == RUNS_STOPPING)
		return;
	if (!runs->account->was_on) {
		runs_abort(runs, "", why);
		runs_answer(runs, COMMAND_FAILED, "the supervisor stops");
	} else {
		runs_begin_stopping(runs, "", why);
	}
}

void runs_end_streams(struct runs *runs)
{
	if (runs->is_on && runs->account)
		(void)runs_end_for_absent(runs, true);
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* What the ledger of this start has beyond its runs. */
static void add_between(const struct runs *runs, const json_t *source, json_t *list)
{
	const char *name = json_string_value(json_object_get(source, "source"));
	const json_t *stores = json_object_get(source, "stores");

	for (size_t i = 0; name && i < json_array_size(stores); i++) {
		const json_t *store = json_array_get(stores, i);
		const char *store_name = json_string_value(json_object_get(store, "store"));
		const struct runs_sum none = {0}, *sum = &none;
		for (uint32_t k = 0; store_name && k < runs->sum_count; k++)
			if (!strcmp(runs->sums[k].source, name) && !strcmp(runs->sums[k].store, store_name))
				sum = &runs->sums[k];
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "source", name, "store",
				store_name ? store_name : "", "produced_batches",
				number(source, "produced_batches") - (json_int_t)sum->produced_batches, "produced_rows",
				number(source, "produced_rows") - (json_int_t)sum->produced_rows, "stored_batches",
				number(store, "stored_batches") - (json_int_t)sum->stored_batches, "stored_rows",
				number(store, "stored_rows") - (json_int_t)sum->stored_rows));
	}
}

/* A run that could not be ended everywhere is ended by the next start. */
bool runs_finish(struct runs *runs, json_t *ledger)
{
	if (!runs->is_on)
		return true;
	const json_t *sources = json_object_get(ledger, "sources");
	json_t *between = json_array();

	runs_close_done(runs);
	if (runs->account && !runs->account->number) { /* it was never begun; the book closes what it knows of it */
		account_destroy(runs->account);
		runs->account = NULL;
	}
	if (runs->account && runs_hand_over(runs)) {
		runs_enter(runs, RUNS_IDLE, "", "the supervisor was stopped");
		runs_close_done(runs);
	}
	runs_answer(runs, COMMAND_FAILED, "the supervisor has stopped");
	for (uint32_t i = 0; i < RUNS_CLOSING; i++)
		if (runs->closing[i])
			runs_tell_account(runs, runs->closing[i]);
	for (size_t i = 0; i < json_array_size(sources); i++)
		add_between(runs, json_array_get(sources, i), between);
	if (ledger)
		json_object_set(ledger, "between_runs", between);
	json_decref(between);
	runs_save_or_tell(runs);
	return !runs->unaccounted_count;
}

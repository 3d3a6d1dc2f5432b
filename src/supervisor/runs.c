/* runs.c: the states of a run, and what becomes of each when it has ended. Process: supervisor, main thread. */
#include "supervisor/runs_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/path.h"
#include "supervisor/run_end.h"

#define LOOK_NS       20000000ull    /* in a transition */
#define CLOSE_LOOK_NS 200000000ull   /* while stores have something left of a run that has ended */
#define ABSENT_NS     1000000000ull  /* at the most between two tries to end a run where its source is gone */
#define GRACE_NS      2000000000ull  /* from a source's deadline to ours */
#define READY_NS      30000000000ull /* what jobs may take to get ready */
#define AGAIN_NS      60000000000ull /* a run that waits to go on says so again, and asks who has refused again */

void runs_enter(struct runs *runs, enum runs_state state)
{
	runs->state = state;
	runs->since_wall_ns = clock_wall_ns();
	runs->deadline_ns = runs->next_look_ns = 0;
	runs->absent_ns = runs->absent_pause_ns = 0;
	runs->is_told = runs->is_late = false;
	runs->waits_for[0] = '\0';
}

void runs_answer(struct runs *runs, enum command_code code, const char *text)
{
	struct command_answer answer = {0};

	if (!runs->has_asker)
		return;
	runs->has_asker = false;
	command_answer_set(&answer, code, "%s", text);
	answer.fields = runs_format(runs);
	commands_answer(runs->commands, runs->asker, &answer);
	command_answer_fini(&answer);
}

/* --- accounts -------------------- */

static void name_account(const struct account *account, char *ret_name, size_t name_bytes)
{
	char safe[180];

	path_safe_name(account->id, safe, sizeof(safe));
	if (account->number)
		snprintf(ret_name, name_bytes, "run_%06llu_%s.json", (unsigned long long)account->number, safe);
	else
		snprintf(ret_name, name_bytes, "run_%s.json", safe);
}

static void tell_account(const struct runs *runs, const struct account *account)
{
	bool is_closed = account_is_closed(account), is_fine = is_closed && account_is_accounted(account);
	json_t *json = account_format(account, runs->supervisor);
	char name[256], *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	name_account(account, name, sizeof(name));
	if (json)
		run_end_write_beside(runs->roster, name, json);
	else
		log_line(ENRG_ERROR, "the account of run %s can't be written beside the data; the log has it",
			account->id);
	json_decref(json);
	if (!stream)
		return;
	fprintf(stream, "run %llu (%s) %s%s:\n", (unsigned long long)account->number, account->id,
		is_closed ? "is closed" : "is not all stored", is_fine || !is_closed ? "" : ", NOT accounted for");
	account_print(account, stream);
	if (!fclose(stream))
		log_print(text);
	free(text);
}

static void add_sum(struct runs *runs, const char *source, const char *store, const struct account_line *line)
{
	struct runs_sum *sum = NULL;

	for (uint32_t i = 0; !sum && i < runs->sum_count; i++)
		if (!strcmp(runs->sums[i].source, source) && !strcmp(runs->sums[i].store, store))
			sum = &runs->sums[i];
	if (!sum) {
		struct runs_sum *longer = realloc(runs->sums, (runs->sum_count + 1) * sizeof(*longer));
		if (!longer)
			return;
		runs->sums = longer;
		sum = &longer[runs->sum_count++];
		*sum = (struct runs_sum){0};
		snprintf(sum->source, sizeof(sum->source), "%s", source);
		snprintf(sum->store, sizeof(sum->store), "%s", store);
	}
	sum->produced_batches += line->produced_batches;
	sum->produced_rows += line->produced_rows;
	sum->stored_batches += line->stored_batches;
	sum->stored_rows += line->stored_rows;
}

static void add_sums(struct runs *runs, const struct account *account)
{
	for (uint32_t i = 0; i < account->source_count; i++)
		for (uint32_t k = 0; k < account->sources[i].store_count; k++) {
			const struct account_line line = account_balance(account, i, k);
			add_sum(runs, account->sources[i].name, account->sources[i].stores[k].name, &line);
		}
}

/* In the order in which they have ended. */
static void close_done(struct runs *runs)
{
	struct account *account;

	while ((account = runs->closing[0])) {
		account_look(account, runs->roster);
		if (!account_is_closed(account))
			return;
		tell_account(runs, account);
		add_sums(runs, account);
		runs->closed_count++;
		runs->unaccounted_count += !account_is_accounted(account);
		snprintf(runs->last_id, sizeof(runs->last_id), "%s", account->id);
		account_destroy(account);
		for (uint32_t i = 0; i < RUNS_CLOSING; i++)
			runs->closing[i] = i + 1 < RUNS_CLOSING ? runs->closing[i + 1] : NULL;
		runs_save_or_tell(runs);
	}
}

/* --- transitions --- */

void runs_begin_stopping(struct runs *runs)
{
	runs_enter(runs, RUNS_STOPPING);
	runs_save_or_tell(runs);
	runs_wish(runs, NULL);
	runs->is_told = true;
}

/* The sources that have begun it end it again; its number stays used. */
static void abort_start(struct runs *runs, const char *why)
{
	runs->account->is_aborted = true;
	snprintf(runs->account->reason, sizeof(runs->account->reason), "%.470s", why);
	text_make_safe(runs->account->reason, strlen(runs->account->reason)); /* it may have been cut */
	snprintf(runs->refused, sizeof(runs->refused), "%s", runs->account->reason);
	snprintf(runs->refused_id, sizeof(runs->refused_id), "%s", runs->account->id);
	runs->refused_number = runs->account->number;
	runs->refused_wall_ns = clock_wall_ns();
	log_line(ENRG_ERROR, "run %s could not be begun: %s", runs->account->id, why);
	runs_begin_stopping(runs);
	runs_answer(runs, COMMAND_FAILED, why);
}

/* A run that was on when a supervisor was killed has begun: that a job is not there again ends it no more than it would
 * have with that supervisor. */
static void wait_to_go_on(struct runs *runs, const char *what, uint64_t now_ns)
{
	log_line(ENRG_WARNING,
		"run %s goes on, but is not complete yet: %s; it waits for that as long as it takes, with what lies in "
		"shared memory; `run_stop` ends it",
		runs->account->id, what);
	runs->deadline_ns = now_ns + AGAIN_NS;
	runs->is_told = false; /* who has refused is asked again */
}

static void step_starting(struct runs *runs, uint64_t now_ns)
{
	const char *store = runs->is_told ? NULL : runs_find_missing_store(runs);
	char text[600];

	if (runs->closing[RUNS_CLOSING - 1]) {
		char wait[400];
		account_describe_wait(runs->closing[0], wait, sizeof(wait));
		snprintf(text, sizeof(text), "run %s is not closed: %s", runs->closing[0]->id, wait);
	} else if (store) {
		snprintf(text, sizeof(text), "store %s is not there", store);
	} else {
		if (!runs->is_told) {
			runs->is_told = true;
			runs_wish(runs, runs->account);
		}
		enum runs_progress progress = runs_look(runs, runs->account->id, text, sizeof(text));
		if (progress == RUNS_REFUSED && !runs->account->was_on) {
			abort_start(runs, text);
			return;
		}
		if (progress == RUNS_DONE) {
			account_look(runs->account, runs->roster);
			runs->account->was_on = true;
			runs_enter(runs, RUNS_ON);
			runs->refused_id[0] = runs->refused[0] = '\0';
			runs_save_or_tell(runs);
			log_line(ENRG_INFO, "run %llu (%s) is on", (unsigned long long)runs->account->number,
				runs->account->id);
			runs_answer(runs, COMMAND_OK, "the run is on");
			return;
		}
	}
	snprintf(runs->waits_for, sizeof(runs->waits_for), "%s", text);
	if (now_ns >= runs->deadline_ns && runs->account->was_on)
		wait_to_go_on(runs, text, now_ns);
	else if (now_ns >= runs->deadline_ns)
		abort_start(runs, text);
}

/* false: those before are not closed yet. */
static bool end_account(struct runs *runs)
{
	struct account *account = runs->account;
	uint32_t place = 0;

	while (place < RUNS_CLOSING && runs->closing[place])
		place++;
	if (place == RUNS_CLOSING)
		return false;
	account->ended_wall_ns = clock_wall_ns();
	account->clock_end = clock_state_read();
	runs->closing[place] = account;
	runs->account = NULL;
	runs_enter(runs, RUNS_IDLE);
	runs_save_or_tell(runs);
	log_line(ENRG_INFO, "run %llu (%s) has ended%s", (unsigned long long)account->number, account->id,
		account->is_aborted ? ", aborted" : "");
	if (runs->asked == RUNS_IDLE)
		runs_answer(runs, COMMAND_OK, "the run has ended");
	return true;
}

/* A ring that is full opens when its stores go on, and each try maps it. */
static void end_for_absent(struct runs *runs, uint64_t now_ns)
{
	if (now_ns < runs->absent_ns)
		return;
	if (runs_end_for_absent(runs, now_ns >= runs->deadline_ns)) {
		runs->absent_pause_ns = 0;
		return;
	}
	runs->absent_pause_ns = 2 * runs->absent_pause_ns + LOOK_NS;
	if (runs->absent_pause_ns > ABSENT_NS)
		runs->absent_pause_ns = ABSENT_NS;
	runs->absent_ns = now_ns + runs->absent_pause_ns;
}

static void step_stopping(struct runs *runs, uint64_t now_ns)
{
	char text[600] = "";

	if (!runs->is_told) {
		runs->is_told = true;
		runs_wish(runs, NULL);
	}
	end_for_absent(runs, now_ns);
	if (runs_look(runs, NULL, text, sizeof(text)) == RUNS_DONE && end_account(runs))
		return;
	snprintf(runs->waits_for, sizeof(runs->waits_for), "%s", text);
	if (now_ns < runs->deadline_ns || runs->is_late)
		return;
	runs->is_late = true;
	log_line(ENRG_WARNING, "run %s has not ended everywhere: %s; it ends as soon as that comes", runs->account->id,
		text);
	if (runs->asked == RUNS_IDLE)
		runs_answer(runs, COMMAND_FAILED, text);
}

void runs_step(struct runs *runs, uint64_t now_ns)
{
	if (!runs->is_on || now_ns < runs->next_look_ns)
		return;
	if (!runs->deadline_ns) {
		runs->deadline_ns = now_ns + runs->patience_ns + runs->more_patience_ns + GRACE_NS;
		runs->more_patience_ns = 0;
	}
	bool is_held_up = runs->state == RUNS_STARTING && runs->closing[RUNS_CLOSING - 1];
	if (runs->closing[0] && (is_held_up || now_ns >= runs->closing_look_ns)) {
		runs->closing_look_ns = now_ns + CLOSE_LOOK_NS;
		close_done(runs);
	}
	if (runs->state == RUNS_STARTING)
		step_starting(runs, now_ns);
	else if (runs->state == RUNS_STOPPING)
		step_stopping(runs, now_ns);
	bool is_short = runs->state == RUNS_STARTING || runs->state == RUNS_STOPPING;
	runs->next_look_ns = is_short ? now_ns + LOOK_NS : runs->closing[0] ? now_ns + CLOSE_LOOK_NS : UINT64_MAX;
}

uint64_t runs_next_due(const struct runs *runs)
{
	return runs->is_on ? runs->next_look_ns : UINT64_MAX;
}

/* --- life --- */

int runs_open(struct runs *runs, const struct runtime *runtime, const char *supervisor, double deadline_seconds,
	bool goes_on, struct enrg_error *err)
{
	runs->runtime = runtime;
	snprintf(runs->supervisor, sizeof(runs->supervisor), "%s", supervisor);
	runs->patience_ns = (uint64_t)(deadline_seconds * 1e9);
	int rc = wish_create(&runs->descriptor, &runs->wishes, err);
	if (rc < 0)
		return rc;
	runs->is_on = true;
	runs->serial = wish_serial(runs->wishes);
	runs->since_wall_ns = clock_wall_ns();
	runs_load(runs, goes_on);
	/* Before the first source is started: it ends no run that goes on. */
	if (runs->state == RUNS_STARTING)
		runs_wish(runs, runs->account);
	return 0;
}

void runs_attach(struct runs *runs, struct roster *roster, struct commands *commands)
{
	if (!runs->is_on)
		return;
	runs->roster = roster;
	runs->commands = commands;
	roster->wish = runs->descriptor;
	uint64_t seen = run_end_last_number(roster);
	runs->last_number = seen > runs->last_number ? seen : runs->last_number;
	/* One that was on is not ended at its deadline, so that says only what is not there yet. */
	if (runs->state == RUNS_STOPPING || (runs->state == RUNS_STARTING && !runs->account->was_on))
		runs->more_patience_ns = READY_NS;
}

void runs_close(struct runs *runs)
{
	account_destroy(runs->account);
	for (uint32_t i = 0; i < RUNS_CLOSING; i++)
		account_destroy(runs->closing[i]);
	free(runs->sums);
	if (!runs->is_on)
		return;
	wish_close(runs->wishes);
	close(runs->descriptor);
}

/* --- the end of the supervisor --- */

void runs_begin_stop(struct runs *runs)
{
	if (!runs->is_on || (runs->state != RUNS_ON && runs->state != RUNS_STARTING))
		return;
	if (runs->state == RUNS_STARTING) {
		runs->account->is_aborted = true;
		snprintf(runs->account->reason, sizeof(runs->account->reason), "the supervisor was stopped");
		runs_answer(runs, COMMAND_FAILED, "the supervisor stops");
	}
	runs_begin_stopping(runs);
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

	close_done(runs);
	if (runs->account && end_account(runs))
		close_done(runs);
	runs_answer(runs, COMMAND_FAILED, "the supervisor has stopped");
	for (uint32_t i = 0; i < RUNS_CLOSING; i++)
		if (runs->closing[i])
			tell_account(runs, runs->closing[i]);
	for (size_t i = 0; i < json_array_size(sources); i++)
		add_between(runs, json_array_get(sources, i), between);
	if (ledger)
		json_object_set(ledger, "between_runs", between);
	json_decref(between);
	runs_save_or_tell(runs);
	return !runs->unaccounted_count;
}

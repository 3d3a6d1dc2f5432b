/* runs.c: the states of a run under run control. Process: supervisor, main thread. */
#include "supervisor/runs_state.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/record.h"

#define LOOK_NS       20000000ull    /* in a transition */
#define CLOSE_LOOK_NS 200000000ull   /* while stores have something left of a run that has ended */
#define ABSENT_NS     1000000000ull  /* at the most between two tries to end a run where its source is gone */
#define GRACE_NS      2000000000ull  /* from a source's deadline to ours */
#define READY_NS      30000000000ull /* what jobs may take to get ready */
#define AGAIN_NS      60000000000ull /* a run that waits to go on says so again, and asks who has refused again */

static bool is_transition(enum runs_state state)
{
	return state == RUNS_CONFIGURING || state == RUNS_STARTING || state == RUNS_STOPPING;
}

static uint64_t patience_of(const struct runs *runs)
{
	uint64_t more_ns = runs->state == RUNS_CONFIGURING ? READY_NS : 0; /* of jobs that come for it */

	return runs->patience_ns + runs->more_patience_ns + GRACE_NS + more_ns;
}

void runs_enter(struct runs *runs, enum runs_state state, const char *by, const char *reason)
{
	runs->state = state;
	runs->since_wall_ns = clock_wall_ns();
	runs->deadline_ns = runs->deadline_wall_ns = runs->next_look_ns = runs->end_due_ns = 0;
	runs->absent_ns = runs->absent_pause_ns = 0;
	runs->is_told = runs->is_late = false;
	runs->waits_for[0] = runs->end_due[0] = '\0';
	if (by != runs->by)
		text_copy(runs->by, sizeof(runs->by), by);
	text_copy(runs->reason, sizeof(runs->reason), reason);
	if (is_transition(state))
		runs->deadline_wall_ns = runs->since_wall_ns + patience_of(runs);
	runs->changes++;
	runs_put_state(runs);
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

/* What was asked for is done. */
static void answer_done(struct runs *runs, const char *what)
{
	const char *warning = runs->account->facts.warning;
	char text[700];

	snprintf(text, sizeof(text), "%s%s%s", what, warning[0] ? "; warning: " : "", warning);
	runs_answer(runs, COMMAND_OK, text);
}

static void wait_for(struct runs *runs, const char *text)
{
	runs->changes += strcmp(runs->waits_for, text) != 0;
	text_copy(runs->waits_for, sizeof(runs->waits_for), text);
}

/* --- ending --------------------------------------------------------------------------------------------------------
 */

void runs_begin_stopping(struct runs *runs, const char *by, const char *reason)
{
	text_copy(runs->account->facts.end_reason, sizeof(runs->account->facts.end_reason), reason);
	text_copy(runs->account->facts.end_by, sizeof(runs->account->facts.end_by), by);
	runs_enter(runs, RUNS_STOPPING, by, reason);
	runs_save_or_tell(runs);
	(void)record_tell_end(runs->runtime->folder, runs->account->id, runs->since_wall_ns, NULL);
	runs_wish(runs, NULL);
	runs->is_told = true;
}

/* The sources that have begun it end it again; its number stays used. */
void runs_abort(struct runs *runs, const char *by, const char *reason)
{
	runs->account->is_aborted = true;
	text_copy(runs->account->reason, sizeof(runs->account->reason), reason);
	runs->is_abort_due = !runs->account->number; /* the book may have taken one by now */
	if (runs->is_abort_due)
		text_copy(runs->account->facts.end_by, sizeof(runs->account->facts.end_by), by);
	else
		runs_begin_stopping(runs, by, reason);
}

static void fail_start(struct runs *runs, const char *why)
{
	text_copy(runs->refused, sizeof(runs->refused), why);
	snprintf(runs->refused_id, sizeof(runs->refused_id), "%s", runs->account->id);
	runs->refused_number = runs->account->number;
	runs->refused_wall_ns = clock_wall_ns();
	log_line(ENRG_ERROR, "run %llu (%s) could not be begun: %s; its number stays used",
		(unsigned long long)runs->account->number, runs->account->id, why);
	runs_abort(runs, "", why);
	runs_answer(runs, COMMAND_FAILED, why);
}

/* Its jobs go when all that they sent is stored. While the supervisor stops they end with all others. */
static bool is_clean(struct runs *runs, char *ret_text, size_t text_bytes)
{
	const struct runs_hooks *hooks = &runs->hooks;
	struct account *account = runs->account;

	if (runs->is_draining || !hooks->has_parts || !hooks->has_parts(hooks->context, account))
		return true;
	if (!account->ended_wall_ns)
		account->ended_wall_ns = clock_wall_ns();
	account_look(account, runs->roster);
	if (!account_is_closed(account)) {
		account_describe_wait(account, ret_text, text_bytes);
		return false;
	}
	if (!hooks->clean)
		return true;
	enum runs_progress progress = hooks->clean(hooks->context, account, ret_text, text_bytes);
	if (progress == RUNS_REFUSED)
		log_line(ENRG_WARNING,
			"run %llu (%s) has ended, and not all of its jobs are gone: %s; `enrgdaq job "
			"remove` takes them away",
			(unsigned long long)account->number, account->id, ret_text);
	return progress != RUNS_WAITING;
}

/* false: those before are not closed yet. */
static bool end_account(struct runs *runs)
{
	const struct account *account = runs->account;

	if (!runs_hand_over(runs))
		return false;
	runs_enter(runs, RUNS_IDLE, runs->by, account->facts.end_reason);
	runs_save_or_tell(runs);
	log_line(ENRG_INFO, "run %llu (%s) has ended%s%s%s", (unsigned long long)account->number, account->id,
		account->is_aborted ? ", aborted" : "", account->facts.end_reason[0] ? ": " : "",
		account->facts.end_reason);
	/* nobody's question stays for the next run to answer */
	runs_answer(runs, runs->asked == RUNS_IDLE ? COMMAND_OK : COMMAND_FAILED, "the run has ended");
	runs_close_done(runs); /* one whose jobs went is stored; a supervisor after this one would not know of them */
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
	if (runs_look(runs, NULL, text, sizeof(text)) == RUNS_DONE && is_clean(runs, text, sizeof(text)) &&
		end_account(runs))
		return;
	wait_for(runs, text);
	if (now_ns < runs->deadline_ns || runs->is_late)
		return;
	runs->is_late = true;
	log_line(ENRG_WARNING, "run %s has not ended everywhere: %s; it ends as soon as that comes", runs->account->id,
		text);
	if (runs->asked == RUNS_IDLE)
		runs_answer(runs, COMMAND_FAILED, text);
}

/* --- beginning -----------------------------------------------------------------------------------------------------
 */

int runs_begin(struct runs *runs, const struct runs_wanted *wanted, struct enrg_error *err)
{
	uint64_t wall_ns = clock_wall_ns();
	char id[64];

	if (*wanted->id)
		snprintf(id, sizeof(id), "%s", wanted->id);
	else
		runtime_make_run_id(wall_ns, id, sizeof(id));
	struct account *account = account_create(id, 0);
	if (!account) {
		json_decref(wanted->asked);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	account->began_wall_ns = wall_ns;
	account->clock_begin = clock_state_read();
	text_copy(account->facts.by, sizeof(account->facts.by), wanted->by);
	entry_make_uuid(runs->supervisor, id, wall_ns, account->facts.uuid);
	int rc = run_facts_set(&account->facts, wanted->asked, err);
	if (rc) {
		account_destroy(account);
		return rc;
	}
	runs_warn_room(runs, account->facts.terms, account->facts.warning, sizeof(account->facts.warning));
	if (account->facts.warning[0])
		log_line(ENRG_WARNING, "run %s: %s", id, account->facts.warning);
	runs->account = account;
	runs->goal = wanted->goal;
	runs->wanted_number = wanted->number;
	runs->is_number_asked = runs->is_abort_due = false;
	runs_enter(runs, RUNS_CONFIGURING, wanted->by, wanted->reason);
	return 0;
}

/* --- the number ----------------------------------------------------------------------------------------------------
 */

/* As if it had not been asked for. Where it has a number the book has it, too, and closes it. */
static void drop_start(struct runs *runs, const char *why)
{
	struct account *account = runs->account;

	log_line(ENRG_ERROR, "no run was begun, and %s: %s",
		account->number ? "its number stays used" : "no number was taken", why);
	text_copy(runs->refused, sizeof(runs->refused), why);
	snprintf(runs->refused_id, sizeof(runs->refused_id), "%s", account->id);
	runs->refused_number = account->number;
	runs->refused_wall_ns = clock_wall_ns();
	account->is_aborted = true;
	account->ended_wall_ns = runs->refused_wall_ns;
	text_copy(account->reason, sizeof(account->reason), why);
	runs_put_end(runs, account, false, NULL);
	account_destroy(account);
	runs->account = NULL;
	runs_enter(runs, RUNS_IDLE, "", "a start was refused");
	runs_answer(runs, COMMAND_REFUSED, why);
}

static int ask_number(struct runs *runs, struct enrg_error *err)
{
	uint64_t floor = runs->wanted_number ? runs->wanted_number - 1 : runs->last_number;

	runs->is_number_asked = true;
	return runs->book ? book_ask(runs->book, runs->account->facts.uuid, runs_make_begin(runs, runs->account), floor,
				    err)
			  : 0;
}

static int poll_number(struct runs *runs, uint64_t *ret_number, struct enrg_error *err)
{
	if (runs->book)
		return book_poll(runs->book, clock_mono_ns(), ret_number, err);
	*ret_number = runs->wanted_number ? runs->wanted_number : runs->last_number + 1;
	return 0;
}

/* false: it has none yet, or will not be begun. */
static bool take_number(struct runs *runs)
{
	struct account *account = runs->account;
	struct enrg_error err = {0};
	uint64_t number = 0;
	int rc = runs->is_number_asked ? 0 : ask_number(runs, &err);

	if (!rc)
		rc = poll_number(runs, &number, &err);
	if (rc == -EAGAIN) {
		wait_for(runs, "a number from the book of runs");
		return false;
	}
	if (!rc) {
		account->number = number;
		runs->last_number = number > runs->last_number ? number : runs->last_number;
		rc = runs_save(runs, &err);
	}
	if (rc) {
		drop_start(runs, err.text);
		return false;
	}
	runs->waits_for[0] = '\0';
	runs_tell_info(runs, account);
	runs_put_state(runs);
	runs->changes++;
	if (!runs->is_abort_due)
		return true;
	char by[RUN_BY_BYTES], reason[sizeof(account->reason)];
	memcpy(by, account->facts.end_by, sizeof(by));
	memcpy(reason, account->reason, sizeof(reason));
	runs_abort(runs, by, reason);
	return false;
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

static void wait_or_fail(struct runs *runs, const char *text, uint64_t now_ns)
{
	wait_for(runs, text);
	if (now_ns >= runs->deadline_ns && runs->account->was_on)
		wait_to_go_on(runs, text, now_ns);
	else if (now_ns >= runs->deadline_ns)
		fail_start(runs, text);
}

static void step_configuring(struct runs *runs, uint64_t now_ns)
{
	const struct runs_hooks *hooks = &runs->hooks;
	char text[600] = "";

	if (!runs->account->number && !take_number(runs))
		return;
	enum runs_progress progress =
		hooks->configure ? hooks->configure(hooks->context, runs->account, text, sizeof(text)) : RUNS_DONE;

	if (progress == RUNS_REFUSED && !runs->account->was_on) {
		fail_start(runs, text);
	} else if (progress != RUNS_DONE) {
		wait_or_fail(runs, text, now_ns);
	} else if (runs->goal == RUNS_CONFIGURED) {
		runs_enter(runs, RUNS_CONFIGURED, runs->by, "it is ready to be started");
		runs_save_or_tell(runs);
		log_line(ENRG_INFO, "run %llu (%s) is configured; `run_start` begins it",
			(unsigned long long)runs->account->number, runs->account->id);
		if (runs->asked == RUNS_CONFIGURED)
			answer_done(runs, "the run is configured");
	} else {
		runs_enter(runs, RUNS_STARTING, runs->by, runs->account->was_on ? "it goes on" : "it was asked for");
		runs_save_or_tell(runs);
	}
}

static void be_on(struct runs *runs)
{
	struct account *account = runs->account;

	account_look(account, runs->roster);
	account->was_on = true;
	if (!account->facts.on_wall_ns)
		account->facts.on_wall_ns = clock_wall_ns();
	runs_enter(runs, RUNS_ON, runs->by, "all stores and sources are in it");
	runs->refused_id[0] = runs->refused[0] = '\0';
	runs_save_or_tell(runs);
	log_line(ENRG_INFO, "run %llu (%s) is on", (unsigned long long)account->number, account->id);
	answer_done(runs, "the run is on");
}

/* runs.json first: a supervisor that comes after a kill must know that it may stand in streams. */
static void tell_sources(struct runs *runs)
{
	runs->is_told = true;
	if (!runs->account->facts.was_wished) {
		runs->account->facts.was_wished = true;
		runs_save_or_tell(runs);
	}
	runs_wish(runs, runs->account);
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
		if (!runs->is_told)
			tell_sources(runs);
		enum runs_progress progress = runs_look(runs, runs->account->id, text, sizeof(text));
		if (progress == RUNS_REFUSED && !runs->account->was_on) {
			fail_start(runs, text);
			return;
		}
		if (progress == RUNS_DONE) {
			be_on(runs);
			return;
		}
	}
	wait_or_fail(runs, text, now_ns);
}

/* --- stepping ------------------------------------------------------------------------------------------------------
 */

static void set_deadline(struct runs *runs, uint64_t now_ns)
{
	if (runs->deadline_ns || !is_transition(runs->state))
		return;
	runs->deadline_ns = now_ns + patience_of(runs);
	runs->deadline_wall_ns = clock_wall_ns() + patience_of(runs);
	if (runs->state != RUNS_CONFIGURING)
		runs->more_patience_ns = 0;
}

/* ON: it may end by itself. */
static void step_on(struct runs *runs, uint64_t now_ns)
{
	uint64_t due_wall_ns = runs_planned_end(runs->account), wall_ns = clock_wall_ns();

	if (due_wall_ns && !runs->end_due_ns) {
		runs->end_due_ns = now_ns + (due_wall_ns > wall_ns ? due_wall_ns - wall_ns : 0);
		runs->deadline_wall_ns = due_wall_ns;
	}
	if (!runs->end_due[0] && runs->end_due_ns && now_ns >= runs->end_due_ns)
		snprintf(runs->end_due, sizeof(runs->end_due), "%.10g s are over",
			runs->account->facts.terms->stop_after_seconds);
	if (!runs->end_due[0])
		return;
	char reason[sizeof(runs->end_due)];
	memcpy(reason, runs->end_due, sizeof(reason));
	json_decref(runs->next);
	runs->next = runs_make_next(runs->account);
	runs->account->facts.ends_itself = true;
	runs_begin_stopping(runs, "", reason);
}

/* IDLE: the next one follows by itself. */
static void step_idle(struct runs *runs)
{
	struct runs_wanted wanted = {.asked = runs->next,
		.id = "",
		.by = "the run before, which it repeats",
		.reason = "it repeats the run before",
		.goal = RUNS_ON};
	struct enrg_error err = {0};

	if (!runs->next || runs->is_draining)
		return;
	runs->next = NULL;
	if (runs_begin(runs, &wanted, &err) < 0)
		log_line(ENRG_ERROR, "no run follows, although it was to: %s; `run_start` begins one", err.text);
}

static void step_state(struct runs *runs, uint64_t now_ns)
{
	set_deadline(runs, now_ns);
	switch (runs->state) {
	case RUNS_CONFIGURING:
		step_configuring(runs, now_ns);
		break;
	case RUNS_STARTING:
		step_starting(runs, now_ns);
		break;
	case RUNS_STOPPING:
		step_stopping(runs, now_ns);
		break;
	case RUNS_ON:
	case RUNS_ERROR:
		step_on(runs, now_ns);
		break;
	case RUNS_IDLE:
		step_idle(runs);
		break;
	case RUNS_CONFIGURED:
		break;
	}
}

void runs_step(struct runs *runs, uint64_t now_ns)
{
	enum runs_state before;

	if (!runs->is_on || now_ns < runs->next_look_ns)
		return;
	bool is_held_up = is_transition(runs->state) && runs->closing[RUNS_CLOSING - 1];
	if (runs->closing[0] && (is_held_up || now_ns >= runs->closing_look_ns)) {
		runs->closing_look_ns = now_ns + CLOSE_LOOK_NS;
		runs_close_done(runs);
	}
	do {
		before = runs->state;
		step_state(runs, now_ns);
	} while (runs->state != before);
	runs->next_look_ns = is_transition(runs->state) ? now_ns + LOOK_NS
			     : runs->closing[0]         ? now_ns + CLOSE_LOOK_NS
							: UINT64_MAX;
	if (runs->end_due_ns && runs->end_due_ns < runs->next_look_ns)
		runs->next_look_ns = runs->end_due_ns;
}

uint64_t runs_next_due(const struct runs *runs)
{
	return runs->is_on ? runs->next_look_ns : UINT64_MAX;
}

/* runs_plain.c: see the header. Process: supervisor, main thread. */
#include "supervisor/runs_plain.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "supervisor/record.h"
#include "supervisor/run_end.h"
#include "supervisor/runs_state.h"

static void enter(struct runs *runs, enum runs_state state, const char *reason)
{
	runs->state = state;
	runs->since_wall_ns = clock_wall_ns();
	text_copy(runs->reason, sizeof(runs->reason), reason);
	runs->changes++;
	runs_put_state(runs);
	runs_save_or_tell(runs);
}

static int take_number(struct runs *runs, struct enrg_error *err)
{
	struct account *account = runs->account;
	uint64_t number, seen = run_end_last_number(runs->roster);

	runs->last_number = seen > runs->last_number ? seen : runs->last_number;
	int rc = book_take(
		runs->book, account->facts.uuid, runs_make_begin(runs, account), runs->last_number, &number, err);
	if (rc)
		return rc;
	account->number = runs->last_number = number;
	runs_tell_info(runs, account);
	enter(runs, RUNS_STARTING, "the supervisor was started");
	return 0;
}

static int make(struct runs *runs, struct enrg_error *err)
{
	struct account *account = account_create(runs->runtime->run, 0);

	if (!account)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	account->began_wall_ns = runs->runtime->started_wall_ns;
	account->clock_begin = clock_state_read();
	path_format_user(geteuid(), account->facts.by, sizeof(account->facts.by));
	entry_make_uuid(runs->supervisor, account->id, account->began_wall_ns, account->facts.uuid);
	int rc = run_facts_set(&account->facts, NULL, err);
	if (rc) {
		account_destroy(account);
		return rc;
	}
	runs->account = account;
	return 0;
}

int runs_plain_begin(struct runs *runs, bool goes_on, struct enrg_error *err)
{
	if (runs->is_on || !runs->book)
		return 0;
	if (runs->account && (!goes_on || strcmp(runs->account->id, runs->runtime->run) != 0)) {
		account_destroy(runs->account); /* the book closes it */
		runs->account = NULL;
	}
	if (runs->account) {
		book_continue(runs->book, runs->account->facts.uuid);
		run_facts_set_flag(&runs->account->facts, "interrupted", true, "its supervisor was killed", "");
		runs_put_flag(runs, runs->account, "interrupted", true, "its supervisor was killed", "");
		runs_tell_info(runs, runs->account);
		enter(runs, RUNS_STARTING, "the supervisor before this one was killed");
		return 0;
	}
	runs->state = RUNS_CONFIGURING;
	int rc = make(runs, err);
	return rc ? rc : take_number(runs, err);
}

void runs_plain_step(struct runs *runs, bool is_up, bool is_ending)
{
	if (runs->is_on || !runs->account)
		return;
	if (is_ending && runs->state != RUNS_STOPPING)
		enter(runs, RUNS_STOPPING, runs->account->facts.end_reason);
	if (!is_up || runs->state != RUNS_STARTING)
		return;
	runs->account->was_on = true;
	if (!runs->account->facts.on_wall_ns)
		runs->account->facts.on_wall_ns = clock_wall_ns();
	enter(runs, RUNS_ON, "all jobs have been ready");
}

/* Where no book is there to write it. */
static void write_record(const struct runs *runs, const json_t *ledger, bool is_fine)
{
	const struct account *account = runs->account;
	json_t *record = runs_make_begin(runs, account);
	char name[256], safe[180];

	json_object_set_new(record, "number", json_integer((json_int_t)account->number));
	json_object_set_new(record, "uuid", json_string(account->facts.uuid));
	json_object_set_new(record, "ended_wall_ns", json_integer((json_int_t)account->ended_wall_ns));
	json_object_set_new(record, "quality", json_string(runs_quality(account, is_fine)));
	json_object_set_new(record, "flags", run_facts_format_flags(&account->facts));
	json_object_set(record, "account", (json_t *)(uintptr_t)ledger);
	path_safe_name(account->id, safe, sizeof(safe));
	snprintf(name, sizeof(name), "run_%06llu_%s.json", (unsigned long long)account->number, safe);
	run_end_write_beside(runs->roster, name, record);
	json_decref(record);
}

void runs_plain_finish(struct runs *runs, const json_t *ledger, bool is_fine)
{
	struct account *account = runs->account;

	if (runs->is_on || !account)
		return;
	account->ended_wall_ns = clock_wall_ns();
	account->clock_end = clock_state_read();
	account->is_aborted = !account->was_on && !account->facts.on_wall_ns;
	(void)record_tell_end(runs->runtime->folder, account->id, account->ended_wall_ns, NULL);
	runs_put_end(runs, account, is_fine, ledger);
	if (!runs->book->is_on)
		write_record(runs, ledger, is_fine);
	snprintf(runs->last_id, sizeof(runs->last_id), "%s", account->id);
	account_destroy(account);
	runs->account = NULL;
	enter(runs, RUNS_IDLE, "the run has ended");
}

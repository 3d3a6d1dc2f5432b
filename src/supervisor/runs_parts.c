/* runs_parts.c: what a run loses while it is on: parts that are not there, alarms, and what somebody says of it; and
 * whether it is to end. Process: supervisor, main thread. */
#include "supervisor/runs_state.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#define PROGRESS_NS 60000000000ull

/* Who sends mails is no part of a run. */
static bool is_part(const struct member *member)
{
	return !member_is_source(member) || !member_is_service(member) || member->plan->stream_path;
}

/* It was to run and does not, and not because somebody takes it away. */
static bool is_missing(const struct member *member)
{
	if (member->is_parting)
		return false; /* it was asked to go */
	return is_part(member) && member->wish != WISH_REMOVE &&
	       (member->state == MEMBER_PAUSING || member->state == MEMBER_GIVEN_UP || member->state == MEMBER_STOPPED);
}

static const struct member *find_state(const struct roster *roster, enum member_state state)
{
	for (size_t i = 0; i < roster->count; i++)
		if (roster->members[i]->state == state && is_missing(roster->members[i]))
			return roster->members[i];
	return NULL;
}

void runs_find_missing_part(const struct runs *runs, char *ret_text, size_t text_bytes)
{
	const struct member *member = NULL;

	for (size_t i = 0; !member && i < runs->roster->count; i++)
		if (is_missing(runs->roster->members[i]))
			member = runs->roster->members[i];
	if (member)
		snprintf(ret_text, text_bytes, "%.200s is %s", member->plan->name, member_state_name(member));
	else
		ret_text[0] = '\0';
}

static bool is_run_on(const struct runs *runs)
{
	return runs->account && (runs->state == RUNS_ON || runs->state == RUNS_ERROR);
}

bool runs_flag(struct runs *runs, struct account *account, const char *flag, const char *reason, const char *by)
{
	if (!run_facts_set_flag(&account->facts, flag, true, reason, by))
		return false;
	log_line(ENRG_WARNING, "run %llu (%s) is %s from now on: %s", (unsigned long long)account->number, account->id,
		flag, reason);
	runs_put_flag(runs, account, flag, true, reason, by);
	runs_save_or_tell(runs);
	runs->changes++;
	return true;
}

void runs_note_end(struct runs *runs, const struct member *member)
{
	char reason[400];

	if (runs->is_draining || !is_run_on(runs) || !is_missing(member))
		return;
	snprintf(reason, sizeof(reason), "%.150s was not there: %.90s", member->plan->name,
		member->last_exit[0] ? member->last_exit : member_state_name(member));
	runs_flag(runs, runs->account, "degraded", reason, "");
	runs->progress_ns = 0;
	runs->judged_ns = runs->judged_ns ? runs->judged_ns : 1;
}

static bool is_of_kind(const char *key, const struct enrg_string_list *kinds)
{
	for (size_t i = 0; i < kinds->count; i++) {
		size_t length = strlen(kinds->items[i]);
		if (!strncmp(key, kinds->items[i], length) && (!key[length] || key[length] == '/'))
			return true;
	}
	return false;
}

void runs_note_alarm(struct runs *runs, const struct runs_alarm *alarm, const struct enrg_string_list *taint_by)
{
	char reason[400];

	if (!runs->account || !runs->account->number || runs->is_draining)
		return;
	if (runs->book)
		book_put(runs->book, "alarm", runs->account->facts.uuid, runs->supervisor,
			json_pack("{s:s, s:s, s:s, s:s}", "key", alarm->key, "event", alarm->event, "severity",
				alarm->severity, "text", alarm->text));
	if (!alarm->begins || !is_run_on(runs) || !is_of_kind(alarm->key, taint_by))
		return;
	snprintf(reason, sizeof(reason), "alarm %.300s", alarm->key);
	runs_flag(runs, runs->account, "tainted", reason, "");
}

/* --- looking -------------------------------------------------------------------------------------------------------
 */

/* Those of a run that is over are kept with it before the next one's begin. */
static void count_figures(struct runs *runs, uint64_t now_ns)
{
	if (!strcmp(runs->figures_of, runs->account->id)) {
		run_figures_tick(&runs->figures, runs->roster, now_ns);
		return;
	}
	for (uint32_t i = 0; i < RUNS_CLOSING; i++)
		if (runs->closing[i])
			runs_take_figures(runs, runs->closing[i]);
	run_figures_begin(&runs->figures, runs->roster, now_ns);
	snprintf(runs->figures_of, sizeof(runs->figures_of), "%s", runs->account->id);
}

static void count_time(struct runs *runs, uint64_t now_ns)
{
	struct run_facts *facts = &runs->account->facts;
	uint64_t span_ns = runs->judged_ns > 1 && now_ns > runs->judged_ns ? now_ns - runs->judged_ns : 0;

	if (runs->missing[0])
		facts->dead_ns += span_ns;
	else
		facts->live_ns += span_ns;
	runs->judged_ns = now_ns;
	count_figures(runs, now_ns);
}

/* What is known of its ends stays. */
static void change_state(struct runs *runs, enum runs_state state, const char *reason)
{
	runs->state = state;
	runs->since_wall_ns = clock_wall_ns();
	runs->by[0] = '\0';
	text_copy(runs->reason, sizeof(runs->reason), reason);
	runs->changes++;
	runs_put_state(runs);
}

/* A part that has given up makes it an error, until it comes back or somebody stops the run. */
static void judge_error(struct runs *runs)
{
	const struct member *lost = find_state(runs->roster, MEMBER_GIVEN_UP);
	char reason[400];

	if (lost && runs->state == RUNS_ON) {
		snprintf(reason, sizeof(reason),
			"%.200s has given up: its data are missing in the run; `enrgdaq job start %.100s` tries again",
			lost->plan->name, lost->plan->name);
		log_line(ENRG_ERROR, "run %llu (%s) goes on with an error: %s",
			(unsigned long long)runs->account->number, runs->account->id, reason);
		change_state(runs, RUNS_ERROR, reason);
	} else if (!lost && runs->state == RUNS_ERROR) {
		log_line(ENRG_INFO, "run %llu (%s) has all of its parts again",
			(unsigned long long)runs->account->number, runs->account->id);
		change_state(runs, RUNS_ON, "all of its parts are there again");
	}
}

void runs_judge(struct runs *runs, uint64_t now_ns)
{
	char before[sizeof(runs->missing)], reason[400];

	if (!is_run_on(runs) || runs->is_draining) {
		runs->judged_ns = runs->progress_ns = 0;
		runs->missing[0] = '\0';
		return;
	}
	count_time(runs, now_ns);
	memcpy(before, runs->missing, sizeof(before));
	runs_find_missing_part(runs, runs->missing, sizeof(runs->missing));
	if (runs->missing[0]) {
		snprintf(reason, sizeof(reason), "%s", runs->missing);
		runs_flag(runs, runs->account, "degraded", reason, "");
	}
	judge_error(runs);
	if (strcmp(before, runs->missing) != 0 || !runs->progress_ns || now_ns - runs->progress_ns >= PROGRESS_NS) {
		runs->progress_ns = now_ns;
		runs_put_progress(runs);
		runs_save_or_tell(runs);
	}
	if (!runs->end_due[0] && runs_have_jobs_ended(runs))
		snprintf(runs->end_due, sizeof(runs->end_due), "the last job that came for it has ended");
	if (!runs->end_due[0])
		runs_find_end(runs, now_ns, runs->end_due, sizeof(runs->end_due));
	if (runs->end_due[0])
		runs->next_look_ns = 0;
}

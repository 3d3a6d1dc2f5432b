/* choose.c: see the header. Alerts that the quota kept back are held; in the next window those of one job go out
 * together, or all of them where they are of many jobs. */
#include "choose.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draft.h"

#define JOBS_MAX 8u /* that are told of singly */
#define LAST_MAX 3u /* at the end there is no time for more letters than these */

/* Entries of this job (NULL: of any) that wait and are held, and of how many jobs, counted up to JOBS_MAX + 1. */
static uint32_t count_held(const struct outbox *outbox, const char *job, uint32_t *ret_job_count)
{
	const char *jobs[JOBS_MAX + 1];
	uint32_t count = 0, job_count = 0, i;

	for (const struct outbox_entry *entry = outbox->first; entry; entry = entry->next) {
		if (!entry->is_held || (job && strcmp(entry->job, job) != 0))
			continue;
		count++;
		for (i = 0; i < job_count && strcmp(jobs[i], entry->job) != 0; i++)
			;
		if (i == job_count && job_count <= JOBS_MAX)
			jobs[job_count++] = entry->job;
	}
	*ret_job_count = job_count;
	return count;
}

/* All that is held goes, of this job or of any. */
static void choose_held(struct outbox *outbox, const char *job, struct choice *ret_choice)
{
	ret_choice->count = count_held(outbox, job, &ret_choice->job_count);
	for (struct outbox_entry *entry = outbox->first; entry; entry = entry->next)
		entry->is_going = entry->is_held && (!job || !strcmp(entry->job, job));
}

static void hold_all(struct outbox *outbox, bool is_wanted)
{
	for (struct outbox_entry *entry = outbox->first; is_wanted && entry; entry = entry->next)
		entry->is_held = true;
}

/* One that failed again and again has its turn when nothing else waits. */
static bool is_behind(const struct outbox_entry *entry)
{
	return entry->failures >= CHOICE_TRIES;
}

static bool has_fresh(const struct outbox *outbox)
{
	for (const struct outbox_entry *entry = outbox->first; entry; entry = entry->next)
		if (!is_behind(entry))
			return true;
	return false;
}

bool choose(struct outbox *outbox, struct quota *quota, bool is_last_chance, uint64_t now_ns, struct choice *ret_choice)
{
	uint32_t job_count;

	*ret_choice = (struct choice){.overflow = outbox->overflow};
	hold_all(outbox, is_last_chance && outbox->count > LAST_MAX);
	bool is_one_fresh = has_fresh(outbox);
	for (struct outbox_entry *entry = outbox->first; entry; entry = entry->next) {
		if (is_one_fresh && is_behind(entry))
			continue;
		if (!quota_take(quota, entry->job, now_ns) && !is_last_chance) {
			entry->is_held = true;
			continue;
		}
		ret_choice->job = entry->job;
		count_held(outbox, NULL, &job_count);
		if (entry->is_held) {
			choose_held(outbox, job_count > JOBS_MAX ? NULL : entry->job, ret_choice);
		} else {
			entry->is_going = true;
			ret_choice->count = ret_choice->job_count = 1;
		}
		snprintf(ret_choice->id, sizeof(ret_choice->id), "%s", entry->id);
		if (ret_choice->count > 1)
			snprintf(ret_choice->id, sizeof(ret_choice->id), "%s-%" PRIu32, entry->id, ret_choice->count);
		return true;
	}
	return false;
}

void choice_undo(struct outbox *outbox)
{
	for (struct outbox_entry *entry = outbox->first; entry; entry = entry->next)
		entry->is_going = false;
}

static bool is_hopeless(struct outbox_entry *entry, const struct choice_failure *failure)
{
	bool is_old = failure->patience_ns && failure->wall_ns > entry->time_ns &&
		      failure->wall_ns - entry->time_ns > failure->patience_ns;
	bool is_alone = entry->failures >= CHOICE_TRIES && failure->succeeded_ns > entry->failed_ns;

	entry->failures++;
	entry->failed_ns = failure->now_ns;
	entry->refusals += failure->is_refused || is_alone;
	entry->may_have_been_sent |= failure->may_have_arrived;
	return is_old || entry->refusals >= CHOICE_REFUSALS;
}

uint32_t choice_keep_hopeless(struct outbox *outbox, const struct choice_failure *failure)
{
	uint32_t count = 0;

	for (struct outbox_entry *entry = outbox->first; entry; entry = entry->next) {
		entry->is_going = entry->is_going && is_hopeless(entry, failure);
		count += entry->is_going;
	}
	return count;
}

/* "37 more alerts of dice (30 errors, 7 warnings); the last: …" */
static void add_summary(
	struct draft *draft, const struct choice *choice, const struct outbox *outbox, const struct outbox_entry *last)
{
	uint32_t errors = 0, warnings = 0;

	for (const struct outbox_entry *entry = outbox->first; entry; entry = entry->next) {
		if (!entry->is_going)
			continue;
		errors += entry->severity >= ENRG_ERROR;
		warnings += entry->severity == ENRG_WARNING;
	}
	draft_add(draft, "%" PRIu32 " more alerts of ", choice->count);
	if (choice->job_count > JOBS_MAX)
		draft_add(draft, "many jobs");
	else
		draft_add(draft, "%s", last->job);
	draft_add(draft, " (%" PRIu32 " errors, %" PRIu32 " warnings); the last", errors, warnings);
	if (choice->job_count > 1)
		draft_add(draft, ", of %s", last->job);
	draft_add(draft, ": %s", last->message);
}

char *choice_describe(const struct choice *choice, const struct outbox *outbox, struct notice *ret_notice)
{
	const struct outbox_entry *first = NULL, *last = NULL;
	struct draft draft = {0};

	for (const struct outbox_entry *entry = outbox->first; entry; entry = entry->next) {
		if (!entry->is_going)
			continue;
		first = first ? first : entry;
		last = entry;
		if (ret_notice->severity < entry->severity)
			ret_notice->severity = entry->severity;
		ret_notice->may_be_repeated |= entry->may_have_been_sent;
	}
	if (!first)
		return NULL; /* nothing was chosen */
	if (choice->count > 1)
		add_summary(&draft, choice, outbox, last);
	else
		draft_add(&draft, "%s", first->message);
	if (choice->overflow)
		draft_add(&draft,
			" [%" PRIu64 " further alerts were not kept, since too many waited; they stand in the log]",
			choice->overflow);
	if (ret_notice->may_be_repeated)
		draft_add(&draft, " [this may be a repetition: it is not known whether it came before]");
	ret_notice->id = choice->id;
	ret_notice->supervisor = first->supervisor;
	ret_notice->job = choice->job_count > 1 ? "(several)" : first->job;
	ret_notice->key = choice->count > 1 ? "" : first->key;
	ret_notice->event = choice->count > 1 ? ENRG_ALERT_ONCE : first->event;
	ret_notice->time_ns = first->time_ns;
	ret_notice->count = choice->count;
	ret_notice->message = draft.text;
	return draft_take(&draft);
}

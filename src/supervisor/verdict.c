/* verdict.c: how well the jobs of a run did. Process: supervisor. */
#include "supervisor/verdict.h"

#include <inttypes.h>

#include "base/log.h"

/* An exit code of 1 is never without a word: says who counted what. */
bool verdict_is_clean(const struct roster *roster)
{
	bool is_clean = true;

	for (size_t i = 0; i < roster->count; i++) {
		const struct page_counts *now = &roster->members[i]->now;

		if (!now->lost && !now->duplicated && !now->corrupted && !now->set_aside)
			continue;
		is_clean = false;
		log_line(ENRG_ERROR,
			"%s found batches in its input: %" PRIu64 " lost, %" PRIu64 " twice, %" PRIu64
			" corrupt, %" PRIu64 " set aside",
			roster->members[i]->plan->name, now->lost, now->duplicated, now->corrupted, now->set_aside);
	}
	return is_clean;
}

/* No loss of batches, but measurements that never were. */
void verdict_tell_missed_ticks(const struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++)
		if (roster->members[i]->now.missed_ticks)
			log_line(ENRG_INFO,
				"%s missed %" PRIu64 " ticks: polls that came or took longer than an interval",
				roster->members[i]->plan->name, roster->members[i]->now.missed_ticks);
}

/* Not of a run that ended before a job had the time to start. */
bool verdict_is_any_failing(const struct roster *roster)
{
	bool is_any = false;

	for (size_t i = 0; i < roster->count; i++) {
		const struct member *member = roster->members[i];

		const char *reason = member->last_reason, *what;

		if (!member->was_ready && member->restart.failures)
			what = "never became ready in this run";
		else if (member->was_failing)
			what = "had failed, and had not recovered when the run ended";
		else
			continue;
		log_line(ENRG_ERROR, "%s %s: %s%s%s", member->plan->name, what, member->last_exit, *reason ? ": " : "",
			reason);
		is_any = true;
	}
	return is_any;
}

bool verdict_is_any_given_up(const struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++)
		if (roster->members[i]->state == MEMBER_GIVEN_UP)
			return true;
	return false;
}

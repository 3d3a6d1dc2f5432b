/* runs_custom.c: jobs that are started from outside for a run: they belong to the one that is on, else a run of type
 * `custom` begins with the first and ends with the last of them. Process: supervisor, main thread. */
#include <string.h>

#include "supervisor/runs_state.h"

bool runs_may_join(const struct runs *runs, struct enrg_error *err)
{
	if (!runs->is_on)
		return true; /* the start is the run */
	if (runs->is_draining || runs->state == RUNS_STOPPING)
		return !enrg_error_set(err, ENRG_E_CONFIG, "%s is ending: try again when it has ended",
			runs->is_draining ? "the supervisor" : runs->account->id);
	return true;
}

static void note_job(struct run_facts *facts, const char *job)
{
	if (!facts->jobs)
		facts->jobs = json_array();
	json_array_append_new(facts->jobs, json_string(job));
}

int runs_join(struct runs *runs, const char *job, const char *by, struct enrg_error *err)
{
	struct runs_wanted wanted = {.id = "", .by = by, .reason = "a job was started for it", .goal = RUNS_ON};
	int rc = 0;

	if (runs->is_on && runs->state == RUNS_IDLE) {
		char text[300];
		snprintf(text, sizeof(text), "job %.200s", job);
		wanted.asked = json_pack("{s:s, s:s}", "type", "custom", "description", text);
		rc = runs_begin(runs, &wanted, err);
		if (!rc)
			runs->account->facts.is_of_jobs = true;
	}
	if (rc || !runs->account)
		return rc;
	note_job(&runs->account->facts, job);
	if (runs->account->number)
		runs_save_or_tell(runs);
	return 0;
}

bool runs_have_jobs_ended(const struct runs *runs)
{
	const struct run_facts *facts = &runs->account->facts;

	if (!facts->is_of_jobs)
		return false;
	for (size_t i = 0; i < json_array_size(facts->jobs); i++) {
		const char *name = json_string_value(json_array_get(facts->jobs, i));
		const struct member *member = name ? roster_find(runs->roster, name) : NULL;
		if (member && member->state != MEMBER_DONE && member->state != MEMBER_GIVEN_UP &&
			member->state != MEMBER_STOPPED)
			return false;
	}
	return true;
}

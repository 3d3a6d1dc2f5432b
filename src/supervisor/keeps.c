/* keeps.c: see the header. Process: supervisor, main thread. */
#include "supervisor/keeps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool has_word(const char *list, const char *word)
{
	size_t bytes = strlen(word);

	for (const char *at = list; at && *at; at += strcspn(at, " "), at += *at == ' ')
		if (strcspn(at, " ") == bytes && !strncmp(at, word, bytes))
			return true;
	return false;
}

/* A group that no store takes is made only where somebody reads it, which a job finds out when it starts. */
static int check_groups(
	const struct member *member, const struct plan *plan, const struct job_config *job, struct enrg_error *err)
{
	for (const struct enrg_job_group *group = type_groups(job->type); group && group->key; group++) {
		if (!has_word(plan->read_groups, group->key) || has_word(member->plan->read_groups, group->key) ||
			(job->root && toml_find(job->root, group->key)))
			continue;
		return enrg_error_set(err, -EOPNOTSUPP,
			"%s does not make %s, which no store takes and nobody has read: a processor that reads it "
			"can't come while %s runs; `enrgdaq job remove %s` first, then add both",
			plan->name, group->key, plan->name, plan->name);
	}
	return 0;
}

static bool is_restarted(const struct change *change, const char *name)
{
	for (size_t i = 0; i < change->count; i++)
		if (change->items[i].kind == CHANGE_RESTART && !strcmp(change->items[i].name, name))
			return true;
	return false;
}

int keeps_check(const struct roster *roster, const struct folder *wanted, const struct change *change,
	const struct plan_set *plans, struct enrg_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < plans->count && !rc; i++) {
		const struct plan *plan = plans->plans[i];
		const struct member *member = roster_find(roster, plan->name);
		bool is_text = is_restarted(change, plan->name);

		if (member && !is_text)
			rc = check_groups(member, plan, &wanted->jobs[i], err);
	}
	return rc;
}

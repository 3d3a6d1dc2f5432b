/* plan_builder.h: from a checked configuration folder to one plan a job: who writes which stream, who reads it, through
 * shared memory or over a link. Process: supervisor. */
#ifndef SUPERVISOR_PLAN_BUILDER_H
#define SUPERVISOR_PLAN_BUILDER_H

#include "config/folder.h"
#include "handover/plan.h"
#include "supervisor/runtime.h"

struct plan_set {
	size_t count;
	struct plan **plans; /* plans[i] is of folder->jobs[i] */
};

/* -ENOSPC where a producer has more stores than a stream has places. */
int plan_set_create(
	const struct folder *folder, const struct runtime *runtime, struct plan_set **ret_set, struct enrg_error *err);
void plan_set_destroy(struct plan_set *set);

/* Which run it is, is known only after left-overs were looked at. */
int plan_set_name_run(struct plan_set *set, const char *run, struct enrg_error *err);
int plan_name_run(struct plan *plan, const char *run, struct enrg_error *err);

/* Number of plans that have a stream. */
size_t plan_set_producers(const struct plan_set *set);
/* The plan of that job, or NULL. */
struct plan *plan_set_find(const struct plan_set *set, const char *name);

#endif

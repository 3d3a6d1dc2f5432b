/* keeps.h: what a change of a run may not touch: processors that stay, and what their producers make. Process:
 * supervisor, main thread. */
#ifndef SUPERVISOR_KEEPS_H
#define SUPERVISOR_KEEPS_H

#include "supervisor/change.h"
#include "supervisor/roster.h"

/* `plans`: of `wanted`, in its order. -EOPNOTSUPP: the run can't change so; *err says what can be done. */
int keeps_check(const struct roster *roster, const struct folder *wanted, const struct change *change,
	const struct plan_set *plans, struct enrg_error *err);

#endif

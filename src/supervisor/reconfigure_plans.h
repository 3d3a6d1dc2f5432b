/* reconfigure_plans.h: from a folder that is wanted to plans for its jobs, with streams for those that come. Process:
 * supervisor, main thread. */
#ifndef SUPERVISOR_RECONFIGURE_PLANS_H
#define SUPERVISOR_RECONFIGURE_PLANS_H

#include "supervisor/reconfigure.h"

/* What a run refuses of a folder that is right by itself; changes nothing. */
int reconfigure_check_plans(const struct reconfigure *self, const struct folder *wanted, const struct change *change,
	struct plan_set **ret_plans, struct enrg_error *err);
/* And makes the streams. */
int reconfigure_make_plans(struct reconfigure *self, const struct folder *wanted, const struct change *change,
	struct plan_set **ret_plans, struct enrg_error *err);

#endif

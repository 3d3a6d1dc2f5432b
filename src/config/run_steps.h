/* run_steps.h: a sequence as the list of its steps. */
#ifndef CONFIG_RUN_STEPS_H
#define CONFIG_RUN_STEPS_H

#include "config/run_plans.h"

#define RUN_STEPS_MAX 10000u

struct run_steps_item {
	json_t *values;
	char description[300];
	double settle_seconds;
	struct run_ends ends; /* strings are the sequence's */
};

struct run_steps {
	size_t count;
	struct run_steps_item *items;
	struct options_memory *memory; /* of its own strings */
};

/* What is wrong with its values is a problem. 0, also with problems; a negative code: there are no steps, and a problem
 * says why. */
int run_steps_make(const struct run_plans *plans, const struct run_sequence *sequence, struct run_steps **ret_steps,
	struct problems *problems, struct enrg_error *err);
void run_steps_free(struct run_steps *steps); /* takes NULL */

/* {"description", "values", "settle_seconds", "ends": …}: what its run is started with. New reference. */
json_t *run_steps_format(const struct run_steps_item *step);
/* {"stop_after_seconds": … }: what is set of it. New reference. */
json_t *run_ends_format(const struct run_ends *ends);

#endif

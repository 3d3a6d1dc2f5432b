/* run_match.h: is a job's text that of a template of runs? Up to the values of the template's parameters, which must be
 * of their kind and within their bounds, and the job's name. Supervisor, main thread. */
#ifndef CONFIG_RUN_MATCH_H
#define CONFIG_RUN_MATCH_H

#include "config/run_plans.h"

/* The template that has such a job; NULL: none has, and *ret_why says what came nearest to it. `job`: the text as it
 * was parsed. `may_run_code` false: templates that do are left out. */
const struct run_template *run_match_find(
	const struct run_plans *plans, const struct toml_node *job, bool may_run_code, char *ret_why, size_t why_bytes);

#endif

/* run_setup.h: what a run of a type is made of: values, jobs as texts of their own, messages. */
#ifndef CONFIG_RUN_SETUP_H
#define CONFIG_RUN_SETUP_H

#include "config/run_plans.h"

/* Begins the names of sources that are jobs of a run, and of no file of a folder; they come last, so that a name that
 * the folder has is taken. */
#define RUN_SETUP_SOURCE "~run/"

struct run_setup_job {
	char *name, *text;
	const char *file; /* of the template */
};

struct run_setup_message {
	const struct run_template *template;
	const struct run_message *message;
	json_t *body;
};

struct run_setup {
	const struct run_type *type;
	json_t *values; /* of all its parameters, by name */
	size_t job_count, message_count;
	struct run_setup_job *jobs;
	struct run_setup_message *messages;
};

struct run_setup_wanted {
	const struct run_type *type;
	const json_t *values; /* of who starts it: an object; NULL = none */
	bool is_draft;        /* nobody starts it: jobs and messages that lack a value are left away */
	bool is_aligned;      /* run_text.h */
};

/* Values of the template count before those of the type, and those of `wanted` before both. All that is wrong with
 * them is a problem, of "values". `plans` must live as long as the result. 0, also with problems; -ENOMEM. */
int run_setup_make(const struct run_plans *plans, const struct run_setup_wanted *wanted, struct run_setup **ret_setup,
	struct problems *problems, struct enrg_error *err);
void run_setup_free(struct run_setup *setup); /* takes NULL */

/* Its values with secrets masked. New reference. */
json_t *run_setup_show_values(const struct run_plans *plans, const struct run_setup *setup);
/* A body of a message for records: values of secret parameters are masked. New reference. */
json_t *run_setup_show_body(const struct run_plans *plans, const struct run_setup *setup, size_t message);

#endif

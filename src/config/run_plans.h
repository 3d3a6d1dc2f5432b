/* run_plans.h: types, templates and sequences of runs: runs/{types,templates,sequences}/NAME.toml of a folder. A file
 * there that has a key daq_job_type at its top is a job, as anywhere else in a folder. Supervisor and command line on
 * their main threads. */
#ifndef CONFIG_RUN_PLANS_H
#define CONFIG_RUN_PLANS_H

#include "config/options.h"
#include "config/run_parameter.h"
#include "config/sources.h"

/* When a run ends by itself; 0 and empty: never. */
struct run_ends {
	double stop_after_seconds;
	int64_t stop_after_events, stop_after_bytes;
	const char *count_source; /* "" = all */
	struct enrg_string_list stop_when;
};

struct run_type {
	const char *name; /* of the file */
	const char *file;
	const struct toml_node *root, *values; /* values: NULL = none */
	struct {
		const char *title, *description;
		struct enrg_string_list templates, required_tags;
		bool comment_carries;
		struct run_ends ends;
		int64_t repeat;
	} options;
	bool runs_code; /* one of its templates does */
};

struct run_message {
	const struct toml_node *node, *body; /* body: NULL = empty */
	struct {
		const char *to, *kind;
	} options;
};

struct run_template {
	const char *name, *file;
	const struct toml_node *root;
	struct {
		const char *title, *description;
	} options;
	size_t parameter_count, message_count;
	struct run_parameter *parameters;
	struct run_message *messages;
	const struct toml_node *jobs; /* the array; NULL = none */
	bool runs_code;               /* what it starts or sends may run programs */
};

struct run_scan {
	const char *parameter;
	double from, to, step;
	bool has_from, has_to, has_step;
};

struct run_step {
	const char *description;
	double settle_seconds;
	bool has_settle;
	struct run_ends ends; /* what is not set here is the sequence's */
};

struct run_sequence {
	const char *name, *file;
	const struct toml_node *root, *values, *scans, *steps; /* NULL = none */
	struct {
		const char *title, *description, *type;
		double settle_seconds;
		struct run_ends ends;
	} options;
};

struct run_plans {
	size_t type_count, template_count, sequence_count;
	struct run_type *types; /* each sorted by name */
	struct run_template *templates;
	struct run_sequence *sequences;
	size_t root_count;
	struct toml_node **roots;
};

extern const struct enrg_table run_type_table, run_template_table, run_parameter_table, run_message_table,
	run_sequence_table, run_scan_table, run_step_table;

/* Is that source one of these files? */
bool run_plans_has(const struct source *source);
/* Does a path of a file, as sources have it, lie where they lie? */
bool run_plans_is_file(const char *file);
/* Reads those of `sources`, and judges what needs no job types: keys, parameters, who names whom. Texts and nodes are
 * the result's; strings are in `memory`. -ENOMEM. */
int run_plans_load(const struct sources *sources, struct options_memory *memory, struct run_plans **ret_plans,
	struct problems *problems, struct enrg_error *err);
void run_plans_free(struct run_plans *plans); /* takes NULL */

/* NULL: there is none. */
const struct run_type *run_plans_find_type(const struct run_plans *plans, const char *name);
const struct run_template *run_plans_find_template(const struct run_plans *plans, const char *name);
const struct run_sequence *run_plans_find_sequence(const struct run_plans *plans, const char *name);
/* "did you mean X?" or which there are, for a message. */
void run_plans_suggest_type(const struct run_plans *plans, const char *name, char *ret_text, size_t text_bytes);

/* The parameter of that name that one of the type's templates has; the first one counts. NULL: none has. */
const struct run_parameter *run_plans_find_parameter(
	const struct run_plans *plans, const struct run_type *type, const char *name);
/* Is it a secret in one of them? */
bool run_plans_is_secret(const struct run_plans *plans, const struct run_type *type, const char *name);
/* The i-th template of a type; NULL: no such file, which was a problem. */
const struct run_template *run_plans_template_of(const struct run_plans *plans, const struct run_type *type, size_t i);

#endif

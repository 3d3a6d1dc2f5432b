/* run_hooks.h: keys of supervisor.toml for what leaves the book of runs: hooks, and whom an exported run names. */
#ifndef CONFIG_RUN_HOOKS_H
#define CONFIG_RUN_HOOKS_H

#include "config/problems.h"
#include "enrgdaq/option.h"

struct run_hook_options {
	const char *name;                       /* NULL: "hook 1" … */
	const char *url, *secret, *hmac_secret; /* NULL: none */
	const char *payload;                    /* JSON with placeholders; NULL: {event, timestamp, data} */
	struct enrg_string_list command, reply; /* empty: none */
	struct enrg_string_list events;         /* empty: all, of a command those of runs */
	struct enrg_string_list allow_private;
	const char *ca_file;
	double timeout_seconds;
};

struct run_author_options {
	const char *name, *orcid, *affiliation; /* NULL: not said */
};

extern const struct enrg_table run_hook_table, run_author_table;

/* What one option alone can't judge. `hooks`: of struct run_hook_options. */
void run_hooks_check(const struct enrg_struct_list *hooks, const char *file, struct problems *problems);

#endif

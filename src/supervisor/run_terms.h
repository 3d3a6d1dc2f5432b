/* run_terms.h: what was asked for of a run: the fields of `run_start`, what its type adds, and what a run that follows
 * by itself takes over. Process: supervisor, main thread. */
#ifndef SUPERVISOR_RUN_TERMS_H
#define SUPERVISOR_RUN_TERMS_H

#include "config/options.h"
#include "supervisor/condition.h"

/* Filled from JSON by `run_terms_table`; all texts may be "". */
struct run_terms {
	const char *type, *description, *comment;
	const char *sequence;             /* "NAME START step 3 of 10": that it is a part of */
	const char *who, *role, *address; /* for whom the asking program asks: of a person at a browser */
	double stop_after_seconds;        /* 0 = no such end; so the next two */
	int64_t stop_after_events, stop_after_bytes;
	const char *count_source; /* whose rows are events; "" = of all sources */
	struct enrg_string_list stop_when;
	int64_t repeat;                       /* so many runs follow by themselves; -1: until one is stopped */
	struct enrg_map values, shown_values; /* shown: for records, secrets masked; the engine's own */
};

/* Names jobs that are not there yet, and will be when the run begins. Zeroed: none. */
struct run_terms_coming {
	bool (*brings)(void *context, const char *job);
	void *context;
};

extern const struct enrg_table run_terms_table;

/* All that is wrong with them, a text each, appended to the array `problems`: conditions that are none, or can't be met
 * with these jobs and those that are coming (NULL: none). `ret_conditions` (malloc'ed, may be NULL): those of
 * stop_when, where none is wrong. */
void run_terms_check(const struct run_terms *terms, const struct roster *roster, const struct run_terms_coming *coming,
	json_t *problems, struct condition **ret_conditions, uint32_t *ret_count);
/* Does it end by itself? */
bool run_terms_end(const struct run_terms *terms);

#endif

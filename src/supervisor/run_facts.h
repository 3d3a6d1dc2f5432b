/* run_facts.h: what is known of a run beside its account: who wanted it and how, its key in the book of runs, and what
 * is said of it meanwhile (flags). Kept in runs.json as JSON, so that a supervisor that continues knows the same.
 * Process: supervisor, main thread. */
#ifndef SUPERVISOR_RUN_FACTS_H
#define SUPERVISOR_RUN_FACTS_H

#include "runs/entry/entry.h"
#include "supervisor/run_terms.h"

#define RUN_BY_BYTES 240u

/* Takes zeroed state as "nothing is known". */
struct run_facts {
	char uuid[ENTRY_UUID_BYTES];
	char by[RUN_BY_BYTES];         /* who wanted it, for people to read */
	json_t *asked;                 /* owned: the terms as JSON, with what its type added */
	const struct run_terms *terms; /* the same, filled; NULL = none */
	struct options_memory *memory; /* that they live in */
	uint32_t condition_count;
	struct condition *conditions;
	bool was_wished;      /* sources were told to begin it: it may stand in streams */
	uint64_t on_wall_ns;  /* when it was on everywhere; 0 = it has not been */
	json_t *flags;        /* owned: array of {"flag", "reason", "by", "wall_ns"}, those that are set */
	json_t *jobs;         /* owned: names of those that came for this run alone, from outside; NULL = none */
	json_t *figures;      /* owned: of run_figures, when it had ended; NULL = not taken */
	bool is_of_jobs;      /* it began with the first of them, and ends with the last */
	bool ends_itself;     /* by time, count or condition, as it was to */
	char end_reason[480]; /* why it ended, or "" */
	char end_by[RUN_BY_BYTES];
	char warning[300];         /* of its start, or "" */
	uint64_t live_ns, dead_ns; /* while it was on: with all of its parts, and without one */
};

/* `asked` (an object; NULL: empty) is taken, whatever comes of it. ENRG_E_CONFIG: `err` names all that is wrong. */
int run_facts_set(struct run_facts *facts, json_t *asked, struct enrg_error *err);
void run_facts_fini(struct run_facts *facts);

bool run_facts_has_flag(const struct run_facts *facts, const char *flag);
/* true: it was not so before. */
bool run_facts_set_flag(struct run_facts *facts, const char *flag, bool is_set, const char *reason, const char *by);
/* ["degraded", …]; new reference. */
json_t *run_facts_format_flags(const struct run_facts *facts);

/* For runs.json: new reference; and back. */
json_t *run_facts_format(const struct run_facts *facts);
void run_facts_parse(struct run_facts *facts, const json_t *json);

#endif

/* condition.h: what ends a run by itself: `JOB.STATISTIC OP VALUE [for SECONDS]`, by the names of docs/statistics.md,
 * or `ledger open [for SECONDS]`. Parsed and checked before a run begins, judged with the figures that the supervisor
 * has sampled. Process: supervisor, main thread. */
#ifndef SUPERVISOR_CONDITION_H
#define SUPERVISOR_CONDITION_H

#include "handover/statistics.h"
#include "supervisor/ledger.h"
#include "supervisor/roster.h"

enum condition_op {
	CONDITION_LESS,
	CONDITION_LESS_EQUAL,
	CONDITION_GREATER,
	CONDITION_GREATER_EQUAL,
	CONDITION_EQUAL,
	CONDITION_NOT_EQUAL
};

struct condition {
	char text[400];
	bool is_ledger; /* the rest, up to `hold_ns`, is unused */
	char job[256];
	enum statistic statistic;
	enum condition_op op;
	double value;
	uint64_t hold_ns;       /* it has to be true for so long */
	uint64_t true_since_ns; /* judged true since then; 0 = it is not */
};

/* ENRG_E_CONFIG: what was expected, and where. */
int condition_parse(const char *text, struct condition *ret_condition, struct enrg_error *err);
/* Could it ever be true, with these jobs? ENRG_E_CONFIG: not, and why. */
int condition_check(const struct condition *condition, const struct roster *roster, struct enrg_error *err);
/* A look; true: it has been true for as long as it has to be. A job or figure that is not there is not true. */
bool condition_judge(
	struct condition *condition, const struct roster *roster, const struct ledger *ledger, uint64_t now_ns);

#endif

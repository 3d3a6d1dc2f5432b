/* rules.h: the keys of DAQJobHealthcheck: what is to be watched, as it stands in the file. */
#ifndef HEALTHCHECK_RULES_H
#define HEALTHCHECK_RULES_H

#include <stdint.h>

#include "enrgdaq/job.h"

enum rule_figure {
	RULE_IN,        /* batches that a store has taken */
	RULE_OUT,       /* batches that a source has sent */
	RULE_IN_QUEUE,  /* batches that wait for a store */
	RULE_OUT_QUEUE, /* batches of a source that are not stored yet */
	RULE_RESTARTS,
};

struct rule_word {
	const char *message; /* NULL: not given */
	int severity;
};

struct rule {
	const char *daq_job_type;
	int figure;
	int alert_if;
	const char *interval; /* "30s"; NULL: none */
	int64_t amount;       /* 0: none */
	struct rule_word alert, alive;
};

struct rules {
	struct enrg_struct_list healthcheck_stats; /* struct rule */
	bool enable_alerts_on_restart;
	const char *state_file;
};

enum { RULE_SATISFIED, RULE_UNSATISFIED };

extern const struct enrg_option rules_option_list[];

int rules_check(const void *rules, struct enrg_error *err);
/* "30s", "5m", "1h"; 0: it is none of these. */
uint64_t rules_parse_interval(const char *text);
/* That each job was restarted within a minute, where no rule of the file says more. */
extern const struct rule rules_of_restarts;

#endif

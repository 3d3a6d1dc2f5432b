/* sample.h: what the supervisor says once a second of all jobs (combined_stats), as far as it is watched. */
#ifndef HEALTHCHECK_SAMPLE_H
#define HEALTHCHECK_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules.h"

struct sample_job {
	const char *name, *type; /* of the sample */
	uint64_t counts[RULE_RESTARTS + 1];
	bool is_at_rest; /* stopped by command, or done: it is no fault that it does nothing */
};

struct sample {
	char *run;
	bool is_running; /* not starting, not ending */
	size_t count;
	struct sample_job *jobs;
	void *memory;
};

/* 0; -EPROTO: that is none; -ENOMEM. Free it with sample_fini. */
int sample_parse(const char *json, struct sample *ret_sample);
void sample_fini(struct sample *sample);

#endif

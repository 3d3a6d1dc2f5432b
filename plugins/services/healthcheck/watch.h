/* watch.h: one rule applied to one job: does its alert begin, or is it over? Arithmetic only: no clock, no file. */
#ifndef HEALTHCHECK_WATCH_H
#define HEALTHCHECK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "rules.h"

#define WATCH_SLOTS 60u /* of what was counted when: the precision of an interval with an amount */

struct watch {
	struct watch *next;
	const struct rule *rule;
	char *job;   /* "": there is no job of this type */
	uint64_t id; /* of rule and job, the same in the next process */

	/* times: CLOCK_MONOTONIC, which goes on while processes come and go */
	uint64_t begin_ns;   /* since when it is watched */
	uint64_t changed_ns; /* last counted, or waited; 0: not since it is watched */
	uint64_t count;      /* when it was looked at last */
	uint32_t slot;
	struct {
		uint64_t at_ns, count;
	} slots[WATCH_SLOTS];

	bool is_active; /* its alert is there … */
	uint64_t since_ns;
	char *word; /* … and what is said of it has not been heard back yet; NULL: it has */
	enum enrg_level severity;
	uint64_t said_ns; /* 0: by a process before this one, or not at all */

	bool is_seen; /* in this look */
};

enum watch_news { WATCH_SAME, WATCH_BEGINS, WATCH_ENDS };

/* NULL: out of memory. */
struct watch *watch_create(const struct rule *rule, const char *job, uint64_t now_ns);
void watch_destroy(struct watch *watch); /* takes NULL */
uint64_t watch_id(const struct rule *rule, const char *job);

/* `count`: of the rule's figure, now. `is_at_rest`: the job does nothing, and is not expected to. */
enum watch_news watch_look(struct watch *watch, uint64_t count, bool is_at_rest, uint64_t now_ns);
/* Another run is on: counts begin at 0, and what was true of the run before says nothing of it. */
void watch_begin_run(struct watch *watch, uint64_t now_ns);

/* What is to be said of it, now that it began or ended; to be freed; NULL: out of memory. */
char *watch_describe(const struct watch *watch, uint64_t now_ns);

#endif

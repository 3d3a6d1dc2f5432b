/* yield.h: a source that its stores hold back does not push them off their core when it wakes. Main thread of a source
 * process. docs/decisions/0016-who-wakes-waits.md */
#ifndef JOB_SOURCE_YIELD_H
#define JOB_SOURCE_YIELD_H

#include <stdbool.h>
#include <stdint.h>

struct yield {
	bool is_on;                    /* this thread is SCHED_BATCH by us */
	bool is_off;                   /* it has a policy of somebody else's choice, or there is no other source */
	uint64_t since_ns, blocked_ns; /* when the period began, and what was told then */
};

/* `producers`: that share stores, itself included. */
void yield_init(struct yield *yield, uint32_t producers);

/* Between polls. `blocked_ns`: time that the source has waited for stores, in all. Held back for more than a tenth of
 * the last fifth of a second: wakes without pushing anybody away, until it is less than a hundredth. */
void yield_tend(struct yield *yield, uint64_t now_ns, uint64_t blocked_ns);

#endif

/* alerts.h: what a job has to say to its operator, on its way to the reporter thread: a queue, and the event that wakes
 * the one who sends it. Any thread posts, the reporter thread takes. */
#ifndef JOB_PROCESS_ALERTS_H
#define JOB_PROCESS_ALERTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/job.h"

#define ALERTS_MAX 64u

struct alert {
	enum enrg_level level;
	uint64_t wall_ns;
	char text[1000];
};

struct alerts {
	int event; /* an eventfd, readable when there may be something */
	pthread_mutex_t lock;
	uint32_t first, count, dropped;
	struct alert items[ALERTS_MAX];
};

/* The event, or negative with errno set; alerts_fini is due either way. */
int alerts_init(struct alerts *alerts);
void alerts_fini(struct alerts *alerts);

/* Never waits for the bus. Where the queue is full the alert is counted as dropped (it is in the log). */
void alerts_post(struct alerts *alerts, enum enrg_level level, const char *text);
/* The next one, or a word about those that were dropped; false: there is none. */
bool alerts_take(struct alerts *alerts, struct alert *ret_alert);
/* Wakes the one who takes. */
void alerts_nudge(struct alerts *alerts);

#endif

/* quota.h: how many alerts of one job, and of all together, go out singly in a minute; what is beyond waits for the
 * next minute and goes out as one. Arithmetic only. */
#ifndef OUTGOING_QUOTA_H
#define OUTGOING_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#define QUOTA_WINDOW_NS 60000000000ull
#define QUOTA_JOBS_MAX  64u

struct quota {
	uint32_t most, most_of_job; /* in a window */
	uint64_t window_ns;
	uint64_t begin_ns; /* of the window; 0: none has begun */
	uint32_t taken, job_count;
	struct {
		uint64_t hash;
		uint32_t taken;
	} jobs[QUOTA_JOBS_MAX];
};

/* May one of this job go out now? Then it is counted. */
bool quota_take(struct quota *quota, const char *job, uint64_t now_ns);
/* What was counted for this job did not go out: it may be tried again. */
void quota_give_back(struct quota *quota, const char *job);
/* When more may go out than now. */
uint64_t quota_due(const struct quota *quota);

/* FNV-1a: of a job's name, of a line of the outbox. Begins with QUOTA_HASH. */
#define QUOTA_HASH 0xcbf29ce484222325ull
uint64_t quota_hash(uint64_t hash, const void *bytes, uint64_t byte_count);

#endif

/* quota.c: see the header. */
#include "quota.h"

#include <string.h>

uint64_t quota_hash(uint64_t hash, const void *bytes, uint64_t byte_count)
{
	const unsigned char *from = bytes;

	for (uint64_t i = 0; i < byte_count; i++)
		hash = (hash ^ from[i]) * 0x100000001b3ull;
	return hash;
}

/* The count of this job; NULL: there are more jobs than are counted apart, and their sum is bounded anyway. */
static uint32_t *find_job(struct quota *quota, const char *job)
{
	uint64_t hash = quota_hash(QUOTA_HASH, job, strlen(job));

	for (uint32_t i = 0; i < quota->job_count; i++)
		if (quota->jobs[i].hash == hash)
			return &quota->jobs[i].taken;
	if (quota->job_count == QUOTA_JOBS_MAX)
		return NULL;
	quota->jobs[quota->job_count].hash = hash;
	quota->jobs[quota->job_count].taken = 0;
	return &quota->jobs[quota->job_count++].taken;
}

bool quota_take(struct quota *quota, const char *job, uint64_t now_ns)
{
	if (!quota->begin_ns || now_ns >= quota_due(quota)) {
		quota->begin_ns = now_ns;
		quota->taken = quota->job_count = 0;
	}
	uint32_t *taken = find_job(quota, job);
	if (quota->taken >= quota->most || (taken && *taken >= quota->most_of_job))
		return false;
	quota->taken++;
	if (taken)
		(*taken)++;
	return true;
}

void quota_give_back(struct quota *quota, const char *job)
{
	uint32_t *taken = find_job(quota, job);

	if (taken && *taken)
		(*taken)--;
	if (quota->taken)
		quota->taken--;
}

uint64_t quota_due(const struct quota *quota)
{
	return quota->begin_ns + quota->window_ns;
}

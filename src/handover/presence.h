/* presence.h: who is there: the supervisor of a runtime folder and its jobs, as its files and the kernel tell without a
 * question to any of them. Process: any. */
#ifndef HANDOVER_PRESENCE_H
#define HANDOVER_PRESENCE_H

#include <stdint.h>
#include <sys/types.h>

/* The process that holds the lock of that runtime folder now; 0 = none. */
pid_t presence_owner(const char *folder);

/* Calls `visit` for each file of the folder whose name ends with `suffix`, until it returns other than 0, and returns
 * that. */
int presence_visit_files(
	const char *folder, const char *suffix, int (*visit)(const char *path, void *context), void *context);

/* The job with that page, or 0 where it does not run. */
pid_t presence_find_job(const char *page_path);
/* Jobs with a page in that runtime folder that run. */
uint32_t presence_count_jobs(const char *folder);

#endif

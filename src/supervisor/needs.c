/* needs.c: descriptors and processes, counted before the start. Without that a run fails somewhere in its middle: a job
 * that can't be started, or an abort inside of libzmq, which does not expect to be without descriptors. Process:
 * supervisor. */
#include "supervisor/needs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/path.h"

/* A job costs the supervisor a pidfd, a pipe for its readiness, its page, and two connections of the bus. */
#define FILES_A_JOB 5u
/* Sockets, event loops, logs, what is open for a moment, and somebody who looks. */
#define FILES_BESIDE 64u
/* Main, reporter, and two of libzmq. */
#define THREADS_A_JOB 4u

static void raise_limit(__rlimit_resource_t resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(resource, &limit);
}

void needs_raise_limits(void)
{
	raise_limit(RLIMIT_NOFILE);
	raise_limit(RLIMIT_NPROC);
}

struct needs needs_count(const struct plan_set *plans)
{
	struct needs needs = {.supervisor_files = FILES_BESIDE + FILES_A_JOB * plans->count,
		.threads = THREADS_A_JOB * (plans->count + 1)};

	for (size_t i = 0; i < plans->count; i++) {
		/* A stream each, and a file each at least once it has rotated or is one of many. */
		uint64_t files = FILES_BESIDE + 2 * plans->plans[i]->input_count;

		if (plans->plans[i]->input_count && files > needs.store_files) {
			needs.store_files = files;
			needs.store = plans->plans[i]->name;
		}
	}
	return needs;
}

static uint64_t limit_of(__rlimit_resource_t resource)
{
	struct rlimit limit;

	return getrlimit(resource, &limit) || limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

/* pids.max of the control group that this process is in (version 2); UINT64_MAX: none. */
static uint64_t group_limit(void)
{
	char path[4200], *text = NULL, *line;
	uint64_t limit = UINT64_MAX;
	size_t count;

	if (path_read_file("/proc/self/cgroup", 1 << 16, &text, &count, NULL))
		return limit;
	line = strstr(text, "0::");
	snprintf(path, sizeof(path), "/sys/fs/cgroup%.*s/pids.max", line ? (int)strcspn(line + 3, "\n") : 0,
		line ? line + 3 : "");
	free(text);
	text = NULL;
	if (line && !path_read_file(path, 64, &text, &count, NULL) && text[0] >= '0' && text[0] <= '9')
		limit = strtoull(text, NULL, 10);
	free(text);
	return limit;
}

static int refuse_files(const char *who, uint64_t need, uint64_t limit, size_t jobs, struct enrg_error *err)
{
	return enrg_error_set(err, -EMFILE,
		"too many open files: %s needs up to %" PRIu64 " for %zu jobs, and %" PRIu64
		" are allowed: raise the hard limit (`ulimit -Hn %" PRIu64 "`, LimitNOFILE= of a systemd unit, or "
		"/etc/security/limits.conf)",
		who, need, jobs, limit, need);
}

int needs_check(const struct plan_set *plans, struct enrg_error *err)
{
	const struct needs needs = needs_count(plans);
	uint64_t files = limit_of(RLIMIT_NOFILE), processes = limit_of(RLIMIT_NPROC), group = group_limit();

	if (needs.supervisor_files > files)
		return refuse_files("the supervisor", needs.supervisor_files, files, plans->count, err);
	if (needs.store_files > files)
		return refuse_files(needs.store, needs.store_files, files, plans->count, err);
	if (geteuid() && needs.threads > processes) /* not counted for root */
		return enrg_error_set(err, -EAGAIN,
			"too many processes: %zu jobs are %" PRIu64 " processes and threads, and %" PRIu64
			" are allowed to this user: raise the limit (`ulimit -Hu`, LimitNPROC= of a systemd unit)",
			plans->count, needs.threads, processes);
	if (needs.threads > group)
		return enrg_error_set(err, -EAGAIN,
			"too many processes: %zu jobs are %" PRIu64 " processes and threads, and %" PRIu64
			" are allowed to this control group: raise the limit (TasksMax= of a systemd unit, "
			"--pids-limit of a container)",
			plans->count, needs.threads, group);
	return 0;
}

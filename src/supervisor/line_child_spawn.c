/* line_child_spawn.c: fork and exec, since posix_spawn knows no limits. Between the two the child calls what may be
 * called there alone (the broker's threads are not in it). Process: supervisor, main thread. */
#include "supervisor/line_child_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

extern char **environ;

/* The sanitizers take terabytes of address space. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

static void set_limit(int resource, uint64_t value)
{
	struct rlimit limit = {.rlim_cur = (rlim_t)value, .rlim_max = (rlim_t)value};
	struct rlimit now;

	if (!value || getrlimit((__rlimit_resource_t)resource, &now))
		return;
	if (now.rlim_max < limit.rlim_max) /* less is allowed already */
		limit.rlim_cur = limit.rlim_max = now.rlim_max;
	(void)setrlimit((__rlimit_resource_t)resource, &limit);
}

static void lower(const struct line_child_params *params, pid_t parent)
{
	if (params->nice)
		(void)setpriority(PRIO_PROCESS, 0, params->nice);
	set_limit(RLIMIT_NOFILE, params->files_max);
	if (!IS_SANITIZED)
		set_limit(RLIMIT_AS, params->bytes_max);
	if (!params->is_bound)
		return;
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent) /* it has ended before */
		_exit(LINE_CHILD_NO_PROGRAM);
}

/* In the child: never returns. `socket` and `passed` lie above the numbers that they get. */
static void become(const struct line_child_params *params, char *const *arguments, const int descriptors[2],
	pid_t parent) __attribute__((noreturn));

static void become(
	const struct line_child_params *params, char *const *arguments, const int descriptors[2], pid_t parent)
{
	const struct sigaction by_default = {.sa_handler = SIG_DFL};
	unsigned first = descriptors[1] >= 0 ? 4 : 3;
	sigset_t none;

	(void)setpgid(0, 0);
	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &by_default, NULL);
	(void)dup2(descriptors[0], 0);
	(void)dup2(2, 1); /* nothing of it goes into a pipe of ours */
	if (descriptors[1] >= 0)
		(void)dup2(descriptors[1], 3);
	(void)close_range(first, ~0u, 0);
	lower(params, parent);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execve(params->program, arguments, environ);
	_exit(LINE_CHILD_NO_PROGRAM);
}

int line_child_spawn(const struct line_child_params *params, int socket, int passed, pid_t *ret_pid)
{
	char *arguments[LINE_CHILD_ARGUMENTS + 3];
	int lifted[2] = {fcntl(socket, F_DUPFD_CLOEXEC, 16), -1}, rc = 0;
	pid_t parent = getpid(), pid = -1;
	size_t count = 0;

	for (; count < LINE_CHILD_ARGUMENTS && params->arguments[count]; count++)
		arguments[count] = (char *)(uintptr_t)params->arguments[count];
	if (passed >= 0) {
		lifted[1] = fcntl(passed, F_DUPFD_CLOEXEC, 16);
		arguments[count++] = (char *)(uintptr_t)params->descriptor_argument;
		arguments[count++] = (char *)(uintptr_t)params->descriptor_value;
	}
	arguments[count] = NULL;
	if (lifted[0] < 0 || (passed >= 0 && lifted[1] < 0))
		rc = -errno;
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before); /* none of our handlers runs in the child */
	if (!rc)
		pid = fork();
	if (!pid)
		become(params, arguments, lifted, parent);
	if (!rc && pid < 0)
		rc = -errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	for (int i = 0; i < 2; i++)
		if (lifted[i] >= 0)
			close(lifted[i]);
	if (!rc)
		*ret_pid = pid;
	return rc;
}

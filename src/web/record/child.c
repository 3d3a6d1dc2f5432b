/* child.c: see the header. */
#include "web/record/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

extern char **environ;

#define NICE_ASKED     10 /* somebody waits for its answer */
#define NICE_ALONE     19
#define PRIORITY_CLASS 13 /* of a disk: idle is class 3, in the upper bits */
#define END_MS         200

static void close_one(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
	*descriptor = -1;
}

/* Signals as a program expects them, whatever this thread has blocked. */
static void set_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, usual;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGTERM);
	sigaddset(&usual, SIGINT);
	sigaddset(&usual, SIGCHLD);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &usual);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int spawn(const char *const *words, int input, int output, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	set_signals(&attributes);
	if (input >= 0)
		posix_spawn_file_actions_adddup2(&actions, input, 0);
	else
		posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, 1);
	int rc = posix_spawn(ret_pid, words[0], &actions, &attributes, (char *const *)(uintptr_t)words, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -rc;
}

/* The last to get the processor, and the disk. */
static void make_patient(pid_t pid, int nice)
{
	enum { OF_PROCESS = 1, IDLE = 3 << PRIORITY_CLASS };

	(void)setpriority(PRIO_PROCESS, (id_t)pid, nice);
	(void)syscall(SYS_ioprio_set, OF_PROCESS, pid, IDLE);
}

int child_start(const char *const *words, bool has_input, struct child *ret_child, struct enrg_error *err)
{
	int to[2] = {-1, -1}, from[2] = {-1, -1};
	struct child child = {.input = -1, .output = -1};
	int rc = (has_input && pipe2(to, O_CLOEXEC) < 0) || pipe2(from, O_CLOEXEC) < 0 ? -errno : 0;

	if (!rc)
		rc = spawn(words, to[0], from[1], &child.pid);
	close_one(&to[0]);
	close_one(&from[1]);
	if (rc) {
		close_one(&to[1]);
		close_one(&from[0]);
		return enrg_error_set(err, rc, "%s can't be started: %s", words[0], strerror(-rc));
	}
	make_patient(child.pid, has_input ? NICE_ASKED : NICE_ALONE);
	child.input = to[1];
	child.output = from[0];
	(void)fcntl(child.output, F_SETFL, O_NONBLOCK);
	if (child.input >= 0)
		(void)fcntl(child.input, F_SETFL, O_NONBLOCK);
	*ret_child = child;
	return 0;
}

/* 0: it is ready; -ETIMEDOUT, -errno. */
static int wait_for(int descriptor, short events, uint64_t until_ns)
{
	struct pollfd one = {.fd = descriptor, .events = events};
	uint64_t now_ns = clock_mono_ns();
	int left_ms = until_ns > now_ns ? (int)((until_ns - now_ns) / 1000000 + 1) : 0;
	int rc = poll(&one, 1, left_ms);

	if (rc < 0)
		return errno == EINTR ? 0 : -errno;
	return rc ? 0 : -ETIMEDOUT;
}

int child_read(const struct child *child, void *bytes, int count, int patience_ms)
{
	uint64_t until_ns = clock_mono_ns() + (uint64_t)patience_ms * 1000000u;

	for (;;) {
		ssize_t got = read(child->output, bytes, (size_t)count);
		if (got >= 0)
			return (int)got;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		int rc = wait_for(child->output, POLLIN, until_ns);
		if (rc)
			return rc;
	}
}

/* A pipe that nobody reads any more would end this process. */
static ssize_t write_quietly(int descriptor, const void *bytes, size_t count)
{
	sigset_t pipe_signal, before;
	struct timespec none = {0};

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
	ssize_t put = write(descriptor, bytes, count);
	int code = errno;
	if (put < 0 && code == EPIPE)
		while (sigtimedwait(&pipe_signal, NULL, &none) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = code;
	return put;
}

int child_write(const struct child *child, const void *bytes, size_t count, int patience_ms)
{
	uint64_t until_ns = clock_mono_ns() + (uint64_t)patience_ms * 1000000u;
	const char *at = bytes;

	while (count) {
		ssize_t put = write_quietly(child->input, at, count);
		if (put < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		at += put > 0 ? put : 0;
		count -= put > 0 ? (size_t)put : 0;
		int rc = put < 0 ? wait_for(child->input, POLLOUT, until_ns) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

bool child_reap(struct child *child)
{
	siginfo_t info = {0};

	if (child->pid > 0 && waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0)
		return false;
	child->pid = 0;
	return true;
}

bool child_end(struct child *child)
{
	uint64_t until_ns = clock_mono_ns() + END_MS * 1000000ull;

	close_one(&child->input);
	close_one(&child->output);
	if (child->pid <= 0)
		return true;
	(void)kill(child->pid, SIGKILL);
	int process = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (process >= 0)
		(void)wait_for(process, POLLIN, until_ns);
	close_one(&process);
	return child_reap(child);
}

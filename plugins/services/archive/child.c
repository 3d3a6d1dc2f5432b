/* child.c: see the header. In the process of DAQJobArchive, on its main thread. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int spawn(struct child *child, const char *const *argv)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, child->output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, child->output, STDERR_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	int code = posix_spawnp(&child->pid, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (code)
		child->pid = 0;
	return code;
}

int child_start(struct child *child, const char *const *argv, double timeout_seconds, struct enrg_error *err)
{
	*child = (struct child)CHILD_NONE;
	child->output = memfd_create("output", MFD_CLOEXEC);
	if (child->output < 0)
		return enrg_error_set(err, -errno, "no memory for what %s says: %s", argv[0], strerror(errno));
	child->until_ns = now_ns() + (uint64_t)(timeout_seconds * 1e9);
	int code = spawn(child, argv);
	if (code) {
		child_kill(child);
		/* of the way, not of the file that is to go (-ENOENT, -EBUSY): whoever watches is to hear of it */
		return enrg_error_set(err, -ENOEXEC,
			"%s can't be run: %s: install it, or name the program with its path", argv[0], strerror(code));
	}
	child->descriptor = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (child->descriptor >= 0)
		return 0;
	code = errno;
	child_kill(child);
	return enrg_error_set(err, -code, "%s can't be watched (pidfd_open): %s", argv[0], strerror(code));
}

static void read_output(const struct child *child, char ret_output[CHILD_OUTPUT_BYTES])
{
	ssize_t count = pread(child->output, ret_output, CHILD_OUTPUT_BYTES - 1, 0);

	ret_output[count > 0 ? count : 0] = '\0';
	for (char *at = ret_output; *at; at++)
		if (((unsigned char)*at < ' ' && *at != '\n') || *at == 127)
			*at = ' ';
	for (size_t length = strlen(ret_output); length && ret_output[length - 1] == '\n'; length--)
		ret_output[length - 1] = '\0';
}

static void forget(struct child *child)
{
	if (child->descriptor >= 0)
		close(child->descriptor);
	if (child->output >= 0)
		close(child->output);
	*child = (struct child)CHILD_NONE;
}

int child_end(struct child *child, char ret_output[CHILD_OUTPUT_BYTES])
{
	int status = 0, code;
	pid_t ended = waitpid(child->pid, &status, WNOHANG);

	if (ended == 0 && now_ns() < child->until_ns)
		return -EAGAIN;
	read_output(child, ret_output);
	if (ended == 0) {
		child_kill(child);
		return 124;
	}
	code = ended < 0 ? 127 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	forget(child);
	return code;
}

void child_kill(struct child *child)
{
	if (child->pid > 0) {
		kill(-child->pid, SIGKILL);
		kill(child->pid, SIGKILL);
		waitpid(child->pid, NULL, 0);
	}
	forget(child);
}

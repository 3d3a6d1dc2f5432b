/* sendmail.c: see the header. */
#include "sendmail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BEAT_MS        100
#define FIRST_OTHER_FD 3

extern char **environ;

/* The mail as a file without a name: no pipe to wait for, whatever the program reads of it. */
static int open_mail(const char *mail)
{
	size_t bytes = strlen(mail);
	int file = memfd_create("mail", MFD_CLOEXEC);

	if (file >= 0 && (write(file, mail, bytes) != (ssize_t)bytes || lseek(file, 0, SEEK_SET) != 0)) {
		close(file);
		file = -1;
	}
	return file;
}

/* A group of its own, so that all it starts can be ended; signals as a program expects them, no descriptors of ours. */
static int prepare(posix_spawnattr_t *attributes, posix_spawn_file_actions_t *actions, int mail)
{
	sigset_t none, all;
	int rc = posix_spawnattr_init(attributes);

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(actions);
	if (!rc)
		rc = posix_spawnattr_setsigmask(attributes, &none);
	if (!rc)
		rc = posix_spawnattr_setsigdefault(attributes, &all);
	if (!rc)
		rc = posix_spawnattr_setpgroup(attributes, 0);
	if (!rc)
		rc = posix_spawnattr_setflags(
			attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(actions, mail, STDIN_FILENO);
	if (!rc)
		rc = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (!rc)
		rc = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (!rc)
		rc = posix_spawn_file_actions_addclosefrom_np(actions, FIRST_OTHER_FD);
	return -rc;
}

static int start(const struct sendmail_params *params, int mail, pid_t *ret_pid)
{
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_t actions;
	char **arguments = calloc(params->to->count + 4, sizeof(*arguments));
	size_t count = 0;

	if (!arguments)
		return -ENOMEM;
	arguments[count++] = (char *)(uintptr_t)params->program;
	arguments[count++] = (char *)(uintptr_t) "-i";
	arguments[count++] = (char *)(uintptr_t) "--";
	for (size_t i = 0; i < params->to->count; i++)
		arguments[count++] = (char *)(uintptr_t)params->to->items[i];
	int rc = prepare(&attributes, &actions, mail);
	if (!rc)
		rc = -posix_spawn(ret_pid, params->program, &actions, &attributes, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	free(arguments);
	return rc;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool is_ending(const struct sendmail_params *params)
{
	return params->is_ending && atomic_load_explicit(params->is_ending, memory_order_relaxed);
}

/* 0 with its status, -ETIMEDOUT, -ECANCELED, -errno. */
static int wait_for(const struct sendmail_params *params, pid_t pid, int *ret_status)
{
	double end = seconds() + params->timeout_seconds;
	struct pollfd entry = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	int rc = 0;

	fcntl(entry.fd, F_SETFD, FD_CLOEXEC);
	while (!rc && poll(&entry, 1, BEAT_MS) < 1)
		rc = is_ending(params) ? -ECANCELED : seconds() > end ? -ETIMEDOUT : 0;
	if (rc)
		kill(-pid, SIGKILL);
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
	if (entry.fd >= 0)
		close(entry.fd);
	return rc;
}

static int judge(const struct sendmail_params *params, int status, struct enrg_error *err)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status))
		return enrg_error_set(
			err, -EREMOTEIO, "%s ends with exit code %d", params->program, WEXITSTATUS(status));
	return enrg_error_set(err, -EREMOTEIO, "%s was killed by signal %d", params->program, WTERMSIG(status));
}

int sendmail_run(const struct sendmail_params *params, const char *mail, struct enrg_error *err)
{
	int file = open_mail(mail), status = 0;
	pid_t pid;

	if (file < 0)
		return enrg_error_set(err, -errno, "no memory for a mail: %s", enrg_error_name(-errno));
	int rc = start(params, file, &pid);
	close(file);
	if (rc)
		return enrg_error_set(err, rc, "%s can't be started: %s", params->program, enrg_error_name(rc));
	rc = wait_for(params, pid, &status);
	if (rc == -ETIMEDOUT)
		return enrg_error_set(
			err, rc, "%s did not end within %g s and was killed", params->program, params->timeout_seconds);
	if (rc)
		return enrg_error_set(err, rc, "%s: given up, since this job ends", params->program);
	return judge(params, status, err);
}

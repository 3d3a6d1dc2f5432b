/* child.c: posix_spawn of job processes. Process: supervisor, main thread. */
#include "supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job/ask.h"

/* Numbers that the descriptors have in the job: what lies behind them is closed. */
enum { CHILD_FD_PLAN = 3, CHILD_FD_READY, CHILD_FD_LIFELINE, CHILD_FD_MODULE, CHILD_FD_END };

#define HANDED ((size_t)(CHILD_FD_END - CHILD_FD_PLAN))

extern char **environ;

static void close_descriptor(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
	*descriptor = -1;
}

/* A copy above all numbers that the job uses, so that no dup2 in the job runs over one that is still needed. */
static int lift_descriptor(int descriptor)
{
	int lifted = fcntl(descriptor, F_DUPFD_CLOEXEC, 16);

	return lifted < 0 ? -errno : lifted;
}

static int make_plan_file(const struct child_params *params, int *ret_descriptor, struct enrg_error *err)
{
	int descriptor = memfd_create("enrgdaq-plan", MFD_CLOEXEC);
	size_t done = 0;

	if (descriptor < 0)
		return enrg_error_set(
			err, -errno, "%s: no memory file for the plan: %s", params->name, strerror(errno));
	while (done < params->plan_bytes) {
		ssize_t count = write(descriptor, params->plan_text + done, params->plan_bytes - done);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0) {
			int code = count < 0 ? -errno : -EIO;

			close(descriptor);
			return enrg_error_set(err, code, "%s: writing the plan: %s", params->name, strerror(-code));
		}
		done += (size_t)count;
	}
	lseek(descriptor, 0, SEEK_SET);
	*ret_descriptor = descriptor;
	return 0;
}

/* The environment of this process without older ENRGDAQ_…_FD entries, and with ours. */
static char **make_environment(bool has_module)
{
	static char *const ours[HANDED] = {
		"ENRGDAQ_PLAN_FD=3", "ENRGDAQ_READY_FD=4", "ENRGDAQ_LIFELINE_FD=5", "ENRGDAQ_MODULE_FD=6"};
	size_t count = 0, used = 0;
	char **list;

	while (environ[count])
		count++;
	list = calloc(count + HANDED + 1, sizeof(*list));
	if (!list)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		bool is_ours = false;

		for (size_t k = 0; k < HANDED; k++)
			is_ours |= !strncmp(environ[i], ours[k], strlen(ours[k]) - 1);
		if (!is_ours)
			list[used++] = environ[i];
	}
	for (size_t k = 0; k < HANDED - !has_module; k++)
		list[used++] = ours[k];
	return list;
}

static int spawn(const struct child_params *params, const int descriptors[HANDED], pid_t *ret_pid)
{
	char *const arguments[] = {"enrgdaq-job", (char *)params->type, (char *)params->name, NULL};
	const char *program = params->program ? params->program : "/proc/self/exe";
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t held, all;
	bool has_module = params->module > 0;
	char **environment = make_environment(has_module);
	int code = ENOMEM;

	if (!environment)
		return -ENOMEM;
	if (posix_spawn_file_actions_init(&actions))
		goto out_environment;
	if (posix_spawnattr_init(&attributes))
		goto out_actions;
	/* A signal that comes before the job has said what it does with it would end it. */
	sigemptyset(&held);
	ask_add_signals(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGHUP);
	sigfillset(&all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &held);
	posix_spawnattr_setsigdefault(&attributes, &all);
	for (size_t i = 0; i < HANDED - !has_module; i++)
		posix_spawn_file_actions_adddup2(&actions, descriptors[i], CHILD_FD_PLAN + (int)i);
	posix_spawn_file_actions_addclosefrom_np(&actions, CHILD_FD_END - !has_module);
	code = posix_spawn(ret_pid, program, &actions, &attributes, arguments, environment);
	posix_spawnattr_destroy(&attributes);
out_actions:
	posix_spawn_file_actions_destroy(&actions);
out_environment:
	free(environment);
	return -code;
}

int child_start(const struct child_params *params, struct child *ret_child, struct enrg_error *err)
{
	struct child child = CHILD_NONE;
	int ready[2] = {-1, -1}, lifted[HANDED] = {-1, -1, -1, -1}, plan = -1;
	size_t handed = HANDED - (params->module <= 0);
	int code = make_plan_file(params, &plan, err);

	if (code)
		return code;
	if (pipe2(ready, O_CLOEXEC | O_NONBLOCK)) {
		code = enrg_error_set(err, -errno, "%s: no pipe for readiness: %s", params->name, strerror(errno));
		goto out;
	}
	lifted[0] = lift_descriptor(plan);
	lifted[1] = lift_descriptor(ready[1]);
	lifted[2] = lift_descriptor(params->lifeline);
	if (params->module > 0)
		lifted[3] = lift_descriptor(params->module);
	for (size_t i = 0; i < handed; i++) {
		if (lifted[i] < 0) {
			code = enrg_error_set(
				err, lifted[i], "%s: too many open files: %s", params->name, strerror(-lifted[i]));
			goto out;
		}
	}
	code = spawn(params, lifted, &child.pid);
	if (code) {
		enrg_error_set(err, code, "%s: can't start a process: %s", params->name, strerror(-code));
		goto out;
	}
	child.descriptor = pidfd_open(child.pid, 0); /* the pid can't be another's before it was reaped */
	if (child.descriptor < 0) {
		code = enrg_error_set(err, -errno, "%s: no pidfd: %s", params->name, strerror(errno));
		kill(child.pid, SIGKILL);
		waitpid(child.pid, NULL, 0);
		goto out;
	}
	fcntl(child.descriptor, F_SETFD, FD_CLOEXEC);
	child.ready = ready[0];
	ready[0] = -1;
	*ret_child = child;
out:
	close_descriptor(&plan);
	close_descriptor(&ready[0]);
	close_descriptor(&ready[1]);
	for (size_t i = 0; i < HANDED; i++)
		close_descriptor(&lifted[i]);
	return code;
}

int child_read_ready(struct child *child)
{
	char bytes[64];
	ssize_t count;

	if (child->ready < 0)
		return 0;
	count = read(child->ready, bytes, sizeof(bytes) - 1);
	if (count < 0)
		return 0;
	bytes[count] = '\0';
	close_descriptor(&child->ready);
	return strstr(bytes, "READY=1") ? 1 : -EPIPE;
}

int child_signal(const struct child *child, int signal_number)
{
	if (!child->pid)
		return -ESRCH;
	return pidfd_send_signal(child->descriptor, signal_number, NULL, 0) ? -errno : 0;
}

int child_ask(const struct child *child, int word)
{
	return child->pid ? ask_send(child->descriptor, word) : -ESRCH;
}

int child_reap(struct child *child, int *ret_code, int *ret_signal)
{
	int status = 0;
	pid_t pid;

	if (!child->pid)
		return 0;
	pid = waitpid(child->pid, &status, WNOHANG);
	if (pid == 0 || (pid < 0 && errno == EINTR))
		return 0;
	*ret_code = pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	*ret_signal = pid > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	close_descriptor(&child->descriptor);
	close_descriptor(&child->ready);
	child->pid = 0;
	return 1;
}

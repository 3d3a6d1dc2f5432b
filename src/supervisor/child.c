/* child.c: posix_spawn of job processes. Process: supervisor, main thread. */
#include "supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handover/order.h"

/* Numbers that the descriptors have in the job: what lies behind them is closed. */
enum {
	CHILD_FD_PLAN = 3,
	CHILD_FD_READY,
	CHILD_FD_LIFELINE,
	CHILD_FD_MODULE,
	CHILD_FD_LIFE,
	CHILD_FD_WISH,
	CHILD_FD_END
};

#define HANDED   ((size_t)(CHILD_FD_END - CHILD_FD_PLAN))
#define OWN_FILE "/proc/self/exe"

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
			int rc = count < 0 ? -errno : -EIO;

			close(descriptor);
			return enrg_error_set(err, rc, "%s: writing the plan: %s", params->name, strerror(-rc));
		}
		done += (size_t)count;
	}
	lseek(descriptor, 0, SEEK_SET);
	*ret_descriptor = descriptor;
	return 0;
}

/* valgrind has no pidfd_open before its version 3.21, and old kernels have none. The process holds the end of a pipe
 * then, which is closed when it ends. */
static bool has_pidfd(void)
{
	static int answer = -1; /* not asked yet */
	int descriptor;

	if (answer >= 0)
		return answer;
	descriptor = pidfd_open(getpid(), 0);
	answer = descriptor >= 0 || errno != ENOSYS;
	close_descriptor(&descriptor);
	return answer;
}

/* The file of this program as it was loaded, also after another was installed in its place. Under valgrind the kernel
 * means valgrind by OWN_FILE, while its text names the program: NULL where they are the same, or that text. */
static const char *find_emulated_program(void)
{
	static char path[PATH_MAX];
	struct stat running, named;
	ssize_t length = readlink(OWN_FILE, path, sizeof(path) - 1);

	path[length > 0 ? length : 0] = '\0';
	if (stat(OWN_FILE, &running) || stat(path, &named))
		return NULL; /* "… (deleted)": another was installed */
	return running.st_dev == named.st_dev && running.st_ino == named.st_ino ? NULL : path;
}

/* The environment of this process without older ENRGDAQ_…_FD entries, and with those of what is handed over. */
static char **make_environment(const int descriptors[HANDED])
{
	static char *const ours[HANDED] = {"ENRGDAQ_PLAN_FD=3", "ENRGDAQ_READY_FD=4", "ENRGDAQ_LIFELINE_FD=5",
		"ENRGDAQ_MODULE_FD=6", "ENRGDAQ_LIFE_FD=7", "ENRGDAQ_WISH_FD=8"};
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
	for (size_t k = 0; k < HANDED; k++)
		if (descriptors[k] >= 0)
			list[used++] = ours[k];
	return list;
}

static int add_actions(posix_spawn_file_actions_t *actions, const int descriptors[HANDED])
{
	int rc = 0;

	for (size_t i = 0; i < HANDED && !rc; i++)
		rc = descriptors[i] >= 0
			     ? posix_spawn_file_actions_adddup2(actions, descriptors[i], CHILD_FD_PLAN + (int)i)
			     : posix_spawn_file_actions_addclose(actions, CHILD_FD_PLAN + (int)i);
	return rc ? rc : posix_spawn_file_actions_addclosefrom_np(actions, CHILD_FD_END);
}

static int spawn(const struct child_params *params, const int descriptors[HANDED], pid_t *ret_pid)
{
	char *const own[] = {"enrgdaq-job", (char *)params->type, (char *)params->name, NULL};
	/* valgrind gives a process the name of its file, whatever its first argument says */
	char *const emulated[] = {"enrgdaq-job", "enrgdaq-job", (char *)params->type, (char *)params->name, NULL};
	const char *elsewhere = params->program ? NULL : find_emulated_program();
	const char *program = params->program ? params->program : elsewhere ? elsewhere : OWN_FILE;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t held, all;
	char **environment = make_environment(descriptors);
	int rc = ENOMEM;

	if (!environment)
		return -ENOMEM;
	if (posix_spawn_file_actions_init(&actions))
		goto out_environment;
	if (posix_spawnattr_init(&attributes))
		goto out_actions;
	/* A signal that comes before the job has said what it does with it would end it. */
	sigemptyset(&held);
	order_add_signals(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGHUP);
	sigfillset(&all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &held);
	posix_spawnattr_setsigdefault(&attributes, &all);
	rc = add_actions(&actions, descriptors);
	if (!rc)
		rc = posix_spawn(ret_pid, program, &actions, &attributes, elsewhere ? emulated : own, environment);
	posix_spawnattr_destroy(&attributes);
out_actions:
	posix_spawn_file_actions_destroy(&actions);
out_environment:
	free(environment);
	return -rc;
}

/* Copies of what the job gets; -1 = not handed over. */
static int lift_all(const struct child_params *params, const int descriptors[HANDED], int ret_lifted[HANDED],
	struct enrg_error *err)
{
	for (size_t i = 0; i < HANDED; i++)
		ret_lifted[i] = -1;
	for (size_t i = 0; i < HANDED; i++) {
		if (descriptors[i] < 0)
			continue;
		ret_lifted[i] = lift_descriptor(descriptors[i]);
		if (ret_lifted[i] < 0)
			return enrg_error_set(err, ret_lifted[i], "%s: too many open files: %s", params->name,
				strerror(-ret_lifted[i]));
	}
	return 0;
}

/* `life`: read end of the pipe that stands for a pidfd, -1 = there are pidfds. */
static int watch_end(struct child *child, int life, const char *name, struct enrg_error *err)
{
	int rc;

	child->descriptor = life >= 0 ? fcntl(life, F_DUPFD_CLOEXEC, 0) : pidfd_open(child->pid, 0);
	if (child->descriptor >= 0) {
		fcntl(child->descriptor, F_SETFD, FD_CLOEXEC);
		return 0;
	}
	rc = enrg_error_set(err, -errno, "%s: its end can't be watched: %s", name, strerror(errno));
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
	return rc;
}

int child_start(const struct child_params *params, struct child *ret_child, struct enrg_error *err)
{
	struct child child = CHILD_NONE;
	int ready[2] = {-1, -1}, life[2] = {-1, -1}, lifted[HANDED] = {-1, -1, -1, -1, -1, -1}, plan = -1;
	int rc = make_plan_file(params, &plan, err);

	if (rc)
		return rc;
	if (pipe2(ready, O_CLOEXEC | O_NONBLOCK) || (!has_pidfd() && pipe2(life, O_CLOEXEC))) {
		rc = enrg_error_set(err, -errno, "%s: no pipe for readiness: %s", params->name, strerror(errno));
		goto out;
	}
	rc = lift_all(params,
		(const int[HANDED]){plan, ready[1], params->lifeline, params->module > 0 ? params->module : -1, life[1],
			params->wish > 0 ? params->wish : -1},
		lifted, err);
	if (rc)
		goto out;
	rc = spawn(params, lifted, &child.pid);
	if (rc) {
		enrg_error_set(err, rc, "%s: can't start a process: %s", params->name, strerror(-rc));
		goto out;
	}
	rc = watch_end(&child, life[0], params->name, err);
	if (rc)
		goto out;
	child.ready = ready[0];
	ready[0] = -1;
	*ret_child = child;
out:
	close_descriptor(&plan);
	for (size_t i = 0; i < 2; i++) {
		close_descriptor(&ready[i]);
		close_descriptor(&life[i]);
	}
	for (size_t i = 0; i < HANDED; i++)
		close_descriptor(&lifted[i]);
	return rc;
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
	return kill(child->pid, signal_number) ? -errno : 0; /* the pid can't be another's before it was reaped */
}

int child_send_order(const struct child *child, int order)
{
	return child->pid ? order_send(child->pid, order) : -ESRCH;
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

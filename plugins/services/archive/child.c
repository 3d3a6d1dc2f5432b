/* child.c: see the header. In the process of DAQJobArchive, on its main thread. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PIECE_BYTES 16384u
#define PIECES      256u /* in one look, so that one who never stops talking is looked at again later */

extern char **environ;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int spawn(struct child *child, const char *const *argv, int output)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
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

/* One descriptor for both: its end, and what it says. */
static int watch(struct child *child)
{
	struct epoll_event event = {.events = EPOLLIN};

	child->life = (int)syscall(SYS_pidfd_open, child->pid, 0);
	child->descriptor = child->life < 0 ? -1 : epoll_create1(EPOLL_CLOEXEC);
	if (child->descriptor < 0 || epoll_ctl(child->descriptor, EPOLL_CTL_ADD, child->life, &event) < 0 ||
		epoll_ctl(child->descriptor, EPOLL_CTL_ADD, child->output, &event) < 0)
		return errno;
	return 0;
}

int child_start(struct child *child, const char *const *argv, double timeout_seconds, struct enrg_error *err)
{
	int ends[2];

	*child = (struct child)CHILD_NONE;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return enrg_error_set(err, -errno, "no pipe for what %s says: %s", argv[0], strerror(errno));
	child->output = ends[0];
	child->until_ns = now_ns() + (uint64_t)(timeout_seconds * 1e9);
	int code = spawn(child, argv, ends[1]);
	close(ends[1]);
	if (code) {
		child_kill(child);
		/* of the way, not of the file that is to go (-ENOENT, -EBUSY): whoever watches is to hear of it */
		return enrg_error_set(err, -ENOEXEC,
			"%s can't be run: %s: install it, or name the program with its path", argv[0], strerror(code));
	}
	/* only this end of the pipe: what runs gets the usual one */
	code = fcntl(child->output, F_SETFL, O_NONBLOCK) < 0 ? errno : watch(child);
	if (!code)
		return 0;
	child_kill(child);
	return enrg_error_set(err, -code, "%s can't be watched: %s", argv[0], strerror(code));
}

static void forget(struct child *child)
{
	if (child->descriptor >= 0)
		close(child->descriptor);
	if (child->life >= 0)
		close(child->life);
	if (child->output >= 0)
		close(child->output);
	*child = (struct child)CHILD_NONE;
}

/* --- what it says ------------------------------------------------------------------------------------------------ */

static void take(struct child *child, const char *bytes, size_t count)
{
	size_t first = CHILD_HALF_BYTES - child->first_bytes;

	first = count < first ? count : first;
	memcpy(child->first + child->first_bytes, bytes, first);
	child->first_bytes += first;
	bytes += first;
	count -= first;
	if (count > CHILD_HALF_BYTES) {
		bytes += count - CHILD_HALF_BYTES;
		count = CHILD_HALF_BYTES;
		child->is_cut = true;
	}
	if (child->last_bytes + count > CHILD_HALF_BYTES) {
		size_t over = child->last_bytes + count - CHILD_HALF_BYTES;
		memmove(child->last, child->last + over, child->last_bytes - over);
		child->last_bytes -= over;
		child->is_cut = true;
	}
	memcpy(child->last + child->last_bytes, bytes, count);
	child->last_bytes += count;
}

static void listen_to(struct child *child)
{
	char piece[PIECE_BYTES];
	ssize_t count = 0;

	for (unsigned i = 0; i < PIECES && child->output >= 0; i++) {
		count = read(child->output, piece, sizeof(piece));
		if (count < 0)
			return;   /* nothing for now */
		if (count == 0) { /* never again: else its descriptor would be ready all the time */
			close(child->output);
			child->output = -1;
			return;
		}
		take(child, piece, (size_t)count);
	}
}

static size_t put(char *to, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned char byte = (unsigned char)bytes[i];
		to[i] = (byte < ' ' && byte != '\n') || byte == 127 ? ' ' : bytes[i];
	}
	return count;
}

static void format_output(const struct child *child, char ret_output[CHILD_OUTPUT_BYTES])
{
	size_t length = put(ret_output, child->first, child->first_bytes);

	length += put(ret_output + length, "\n", child->is_cut);
	length += put(ret_output + length, child->last, child->last_bytes);
	while (length && ret_output[length - 1] == '\n')
		length--;
	ret_output[length] = '\0';
}

int child_end(struct child *child, char ret_output[CHILD_OUTPUT_BYTES])
{
	int status = 0, code;
	pid_t ended = waitpid(child->pid, &status, WNOHANG);

	listen_to(child); /* after its end: then all that it said is there */
	if (ended == 0 && now_ns() < child->until_ns)
		return -EAGAIN;
	format_output(child, ret_output);
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

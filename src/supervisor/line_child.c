/* line_child.c: the life of such a program, and lines to and from it. Process: supervisor, main thread. */
#include "supervisor/line_child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervisor/line_child_spawn.h"

#define LINE_BYTES_MAX  (1u << 20)  /* of what comes */
#define OUT_BYTES_MAX   (64u << 20) /* that it has not read */
#define STEP_BYTES_MAX  (1u << 20)  /* read at a time; then others have their turn */
#define FLOOD_BYTES_MAX (8u << 20)  /* in a second: nobody has so much to say */
#define FLOOD_NS        1000000000ull
#define DELAY_NS        1000000000ull
#define DELAY_MAX_NS    60000000000ull
#define STABLE_NS       60000000000ull
#define LINES_MAX       1000u         /* likewise: each is an alert or a line of the log at the most */
#define GONE_NS         5000000000ull /* a program that has hung up ends within so long */
#define KILLED_NS       1000000000ull /* … and one that was killed */

enum fault { FAULT_NONE, FAULT_HANGS, FAULT_FLOODS, FAULT_STAYS };

struct line_child {
	struct line_child_params params;
	int epoll, socket, passed; /* -1 = none */
	pid_t pid;                 /* 0 = none */
	bool is_wanted, has_greeted;
	bool is_replaced;  /* it ends because it was asked to */
	enum fault fault;  /* that it was killed for */
	bool is_reported;  /* note was told of failures */
	uint32_t failures; /* lives in a row that were not stable */
	uint32_t starts;
	uint64_t started_ns, due_ns, ping_ns;
	uint64_t asked_ns;   /* the oldest ping without an answer; 0 = none */
	uint64_t hung_up_ns; /* when the socket was lost, while the process is there */
	uint64_t flood_ns, flood_bytes;
	uint32_t flood_lines;
	char *in, *out;
	size_t in_bytes, out_bytes;
};

/* --- lines to it --- */

static void watch_room(struct line_child *child, bool wants_room)
{
	struct epoll_event event = {.events = EPOLLIN | (wants_room ? (uint32_t)EPOLLOUT : 0)};

	epoll_ctl(child->epoll, EPOLL_CTL_MOD, child->socket, &event);
}

static void flush(struct line_child *child)
{
	size_t done = 0;

	while (child->socket >= 0 && done < child->out_bytes) {
		ssize_t sent =
			send(child->socket, child->out + done, child->out_bytes - done, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			break; /* its end is seen where it is read from */
		done += (size_t)sent;
	}
	child->out_bytes -= done;
	if (done && child->out_bytes)
		memmove(child->out, child->out + done, child->out_bytes);
	if (child->socket >= 0)
		watch_room(child, child->out_bytes > 0);
}

int line_child_send(struct line_child *child, const json_t *line)
{
	if (child->socket < 0)
		return -ENOTCONN;
	char *text = json_dumps(line, JSON_COMPACT);
	size_t bytes = text ? strlen(text) : 0;
	char *longer = text && child->out_bytes + bytes < OUT_BYTES_MAX
			       ? realloc(child->out, child->out_bytes + bytes + 1)
			       : NULL;
	if (!longer) {
		free(text);
		return -EAGAIN;
	}
	child->out = longer;
	memcpy(child->out + child->out_bytes, text, bytes);
	child->out_bytes += bytes;
	child->out[child->out_bytes++] = '\n';
	free(text);
	flush(child);
	return 0;
}

/* --- life --- */

static void hang_up(struct line_child *child, uint64_t now_ns)
{
	if (child->socket >= 0)
		close(child->socket);
	child->socket = -1;
	child->hung_up_ns = now_ns;
	child->in_bytes = child->out_bytes = 0;
	free(child->in);
	free(child->out);
	child->in = child->out = NULL;
}

static void kill_it(struct line_child *child, enum fault fault)
{
	if (child->fault || !child->pid)
		return;
	child->fault = fault;
	kill(child->pid, SIGKILL);
	if (child->params.is_bound)
		kill(-child->pid, SIGKILL); /* with what it has started */
}

static void say_hello(struct line_child *child)
{
	json_t *hello = child->params.hello(child->params.context);

	child->has_greeted = true;
	if (hello)
		(void)line_child_send(child, hello);
	json_decref(hello);
}

static void note_failure(struct line_child *child, uint64_t now_ns, const char *what)
{
	child->failures++;
	child->due_ns = DELAY_NS << (child->failures < 7 ? child->failures - 1 : 6);
	child->due_ns = now_ns + (child->due_ns > DELAY_MAX_NS ? DELAY_MAX_NS : child->due_ns);
	child->is_reported = true;
	child->params.note(child->params.context, child->failures, what);
}

static void note_success(struct line_child *child)
{
	child->failures = 0;
	if (child->is_reported)
		child->params.note(child->params.context, 0, "");
	child->is_reported = false;
}

static int open_socket(struct line_child *child)
{
	struct epoll_event event = {.events = EPOLLIN};
	int pair[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	rc = line_child_spawn(&child->params, pair[1], child->passed, &child->pid);
	close(pair[1]);
	child->socket = pair[0];
	if (!rc && epoll_ctl(child->epoll, EPOLL_CTL_ADD, child->socket, &event))
		rc = -errno;
	return rc;
}

/* Wanted it stays until a program is there: a start that fails is tried again. */
static void start(struct line_child *child, uint64_t now_ns)
{
	char text[300];
	int rc;

	child->fault = FAULT_NONE;
	child->started_ns = child->ping_ns = now_ns;
	child->asked_ns = child->flood_ns = child->flood_bytes = child->flood_lines = 0;
	child->has_greeted = child->is_replaced = false;
	rc = open_socket(child);
	if (!rc) {
		child->is_wanted = !child->params.may_end;
		child->starts++;
		return;
	}
	hang_up(child, now_ns);
	child->is_wanted = true;
	snprintf(text, sizeof(text), "can't be started: %s", strerror(-rc));
	note_failure(child, now_ns, text);
}

static void describe_end(const struct line_child *child, int status, char *ret_text, size_t text_bytes)
{
	static const char *const faults[] = {[FAULT_FLOODS] = "wrote without end and was killed",
		[FAULT_STAYS] = "hung up without ending and was killed"};

	if (child->fault == FAULT_HANGS)
		snprintf(ret_text, text_bytes, "did not answer for %.0f s and was killed",
			(double)child->params.hung_ns / 1e9);
	else if (child->fault)
		snprintf(ret_text, text_bytes, "%s", faults[child->fault]);
	else if (WIFSIGNALED(status))
		snprintf(ret_text, text_bytes, "was ended by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		snprintf(ret_text, text_bytes, "ended with exit code %d%s", WEXITSTATUS(status),
			WEXITSTATUS(status) == LINE_CHILD_NO_PROGRAM ? " (it could not be executed)" : "");
}

/* Has its process ended? Also while somebody else holds the other end of its socket. */
static void reap(struct line_child *child, uint64_t now_ns)
{
	char text[200];
	int status = 0;
	pid_t pid = child->pid ? waitpid(child->pid, &status, WNOHANG) : 0;

	if (!child->pid || pid == 0 || (pid < 0 && errno == EINTR))
		return;
	if (child->params.is_bound)
		kill(-child->pid, SIGKILL);
	child->pid = 0;
	hang_up(child, now_ns);
	bool is_well = pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status) && !child->fault;
	if (child->is_replaced || (child->params.may_end && is_well)) {
		note_success(child);
		return;
	}
	child->is_wanted = true;
	if (now_ns - child->started_ns > STABLE_NS)
		child->failures = 0;
	describe_end(child, pid > 0 ? status : W_EXITCODE(255, 0), text, sizeof(text));
	note_failure(child, now_ns, text);
}

/* --- lines of it --- */

static void hear_line(struct line_child *child, const char *text, size_t bytes)
{
	json_t *line = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);

	const char *what = json_string_value(json_object_get(line, "do"));
	if (json_is_true(json_object_get(line, "pong")) || (what && !strcmp(what, "pong")))
		child->asked_ns = 0;
	else if (json_is_object(line))
		child->params.hear(child->params.context, line);
	json_decref(line);
}

static void hear_lines(struct line_child *child)
{
	char *begin = child->in, *end = child->in + child->in_bytes, *newline;

	while (begin < end && (newline = memchr(begin, '\n', (size_t)(end - begin)))) {
		if (child->params.is_bound && child->flood_lines++ == LINES_MAX)
			kill_it(child, FAULT_FLOODS);
		if (!child->fault)
			hear_line(child, begin, (size_t)(newline - begin));
		begin = newline + 1;
	}
	child->in_bytes = (size_t)(end - begin);
	memmove(child->in, begin, child->in_bytes);
}

static void take_passed(struct line_child *child, struct msghdr *message)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	int descriptor;

	if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
		return;
	memcpy(&descriptor, CMSG_DATA(control), sizeof(descriptor));
	if (child->passed >= 0)
		close(child->passed);
	child->passed = descriptor;
	if (child->params.descriptor_argument)
		return;
	close(child->passed);
	child->passed = -1;
}

/* Bytes; -EAGAIN; -EPIPE: it has hung up. */
static ssize_t receive(struct line_child *child)
{
	char room[CMSG_SPACE(sizeof(int))];
	struct iovec part = {.iov_base = child->in + child->in_bytes, .iov_len = LINE_BYTES_MAX - child->in_bytes};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
	ssize_t count = recvmsg(child->socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (count <= 0)
		return -EPIPE;
	take_passed(child, &message);
	child->in_bytes += (size_t)count;
	return count;
}

static void read_lines(struct line_child *child, uint64_t now_ns)
{
	size_t taken = 0;
	ssize_t count = 0;

	if (!child->in)
		child->in = malloc(LINE_BYTES_MAX);
	if (now_ns - child->flood_ns > FLOOD_NS) {
		child->flood_ns = now_ns;
		child->flood_bytes = child->flood_lines = 0;
	}
	while (child->in && taken < STEP_BYTES_MAX && (count = receive(child)) > 0) {
		taken += (size_t)count;
		hear_lines(child);
		if (child->in_bytes == LINE_BYTES_MAX) {
			kill_it(child, FAULT_FLOODS); /* not what it says */
			count = -EPIPE;
			break;
		}
	}
	child->flood_bytes += taken;
	if (child->flood_bytes > FLOOD_BYTES_MAX)
		kill_it(child, FAULT_FLOODS);
	if (count == -EPIPE)
		hang_up(child, now_ns);
}

/* --- steps --- */

static void ping(struct line_child *child, uint64_t now_ns)
{
	json_t *line;

	if (child->asked_ns && now_ns - child->asked_ns > child->params.hung_ns)
		kill_it(child, FAULT_HANGS);
	if (now_ns - child->ping_ns < child->params.ping_ns)
		return;
	child->ping_ns = now_ns;
	line = json_pack("{s:s}", "do", "ping");
	if (!line_child_send(child, line) && !child->asked_ns)
		child->asked_ns = now_ns;
	json_decref(line);
}

void line_child_step(struct line_child *child, uint64_t now_ns)
{
	if (child->socket >= 0 && !child->has_greeted)
		say_hello(child); /* not before: who has opened it says first which runs go on */
	if (child->socket >= 0) {
		flush(child);
		read_lines(child, now_ns);
	}
	reap(child, now_ns);
	if (child->socket >= 0)
		ping(child, now_ns);
	else if (child->pid && now_ns - child->hung_up_ns > GONE_NS)
		kill_it(child, FAULT_STAYS);
	else if (!child->pid && child->is_wanted && now_ns >= child->due_ns)
		start(child, now_ns);
	if (child->failures && child->socket >= 0 && now_ns - child->started_ns > STABLE_NS)
		note_success(child);
}

void line_child_set_bytes_max(struct line_child *child, uint64_t bytes_max)
{
	child->params.bytes_max = bytes_max;
}

void line_child_want(struct line_child *child, uint64_t now_ns)
{
	child->is_wanted = child->socket < 0 || !child->params.may_end;
	if (child->is_wanted && !child->pid && now_ns >= child->due_ns)
		start(child, now_ns);
}

void line_child_hurry(struct line_child *child)
{
	if (child->failures < LINE_CHILD_TOLD_FAILURES)
		child->due_ns = 0;
}

void line_child_retry(struct line_child *child, uint64_t now_ns)
{
	child->due_ns = 0;
	line_child_want(child, now_ns);
}

void line_child_replace(struct line_child *child, uint64_t now_ns)
{
	child->due_ns = 0;
	child->is_wanted = true;
	if (!child->pid)
		return;
	child->is_replaced = true;
	hang_up(child, now_ns); /* it ends by that, or is killed */
}

bool line_child_is_hopeless(const struct line_child *child)
{
	return !child->pid && child->failures >= LINE_CHILD_TOLD_FAILURES;
}

pid_t line_child_pid(const struct line_child *child)
{
	return child->pid;
}

bool line_child_is_there(const struct line_child *child)
{
	return child->socket >= 0;
}

uint32_t line_child_starts(const struct line_child *child)
{
	return child->starts;
}

uint64_t line_child_next_due(const struct line_child *child)
{
	return child->socket < 0 && !child->pid && child->is_wanted ? child->due_ns : UINT64_MAX;
}

int line_child_descriptor(const struct line_child *child)
{
	return child->epoll;
}

int line_child_open(const struct line_child_params *params, struct line_child **ret_child, struct enrg_error *err)
{
	struct line_child *child = calloc(1, sizeof(*child));

	if (!child)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	child->params = *params;
	child->socket = child->passed = -1;
	child->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (child->epoll < 0) {
		int rc = -errno;
		free(child);
		return enrg_error_set(err, rc, "%s: no descriptor: %s", params->arguments[0], strerror(-rc));
	}
	*ret_child = child;
	return 0;
}

/* A bound one has nothing of its own to finish. One that a disk holds ends when that lets go of it: nobody waits for
 * that. */
static void end_bound(struct line_child *child, uint64_t until_ns)
{
	uint64_t now_ns = clock_mono_ns();

	while (child->pid && waitpid(child->pid, NULL, WNOHANG) == 0 && now_ns < until_ns + KILLED_NS) {
		if (now_ns >= until_ns)
			kill(child->pid, SIGKILL);
		(void)poll(NULL, 0, 5); /* there is no descriptor of its end */
		now_ns = clock_mono_ns();
	}
	if (child->pid)
		kill(-child->pid, SIGKILL);
	child->pid = 0;
}

void line_child_close(struct line_child *child, uint64_t patience_ns)
{
	uint64_t until_ns = clock_mono_ns() + patience_ns, now_ns;

	if (!child)
		return;
	if (child->socket >= 0)
		flush(child);
	if (child->socket >= 0)
		shutdown(child->socket, SHUT_WR);
	while (child->socket >= 0 && (now_ns = clock_mono_ns()) < until_ns) {
		struct pollfd entry = {.fd = child->socket, .events = POLLIN};
		(void)poll(&entry, 1, (int)((until_ns - now_ns) / 1000000 + 1));
		read_lines(child, now_ns);
	}
	hang_up(child, until_ns);
	if (child->params.is_bound)
		end_bound(child, until_ns);
	if (child->pid)
		(void)waitpid(child->pid, NULL, WNOHANG);
	if (child->passed >= 0)
		close(child->passed);
	close(child->epoll);
	free(child);
}

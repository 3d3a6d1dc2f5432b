/* book_link.c: one program at a time, and lines to and from it. Process: supervisor, main thread. */
#include "supervisor/book_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_BYTES_MAX (1u << 20)  /* of what comes */
#define OUT_BYTES_MAX  (64u << 20) /* that it has not read */
#define PING_NS        10000000000ull
#define HUNG_NS        120000000000ull /* without a word while it was asked for one */
#define DELAY_NS       1000000000ull
#define DELAY_MAX_NS   60000000000ull
#define STABLE_NS      60000000000ull
#define TOLD_FAILURES  3u /* in a row, and it is an alert */
#define KEY            "book/program"

extern char **environ;

struct book_link {
	struct book_link_params params;
	char runtime_folder[BOOK_PATH_BYTES], supervisor[256], database[BOOK_PATH_BYTES], folder[BOOK_PATH_BYTES];
	void (*alert)(void *context, enum enrg_level level, const char *key, const char *text, bool is_over);
	void *alert_context;
	int epoll, socket, owner; /* -1 = none; owner: the lock of the database */
	pid_t pid;                /* 0 = none */
	bool is_wanted, is_told, was_killed, has_greeted;
	uint32_t failures; /* lives in a row that were not stable */
	uint64_t started_ns, due_ns, ping_ns, heard_ns;
	char *in, *out;
	size_t in_bytes, out_bytes;
};

static void tell(struct book_link *link, enum enrg_level level, const char *text, bool is_over)
{
	if (link->alert)
		link->alert(link->alert_context, level, KEY, text, is_over);
}

/* --- lines to it --- */

static void watch_room(struct book_link *link, bool wants_room)
{
	struct epoll_event event = {.events = EPOLLIN | (wants_room ? (uint32_t)EPOLLOUT : 0)};

	epoll_ctl(link->epoll, EPOLL_CTL_MOD, link->socket, &event);
}

static void flush(struct book_link *link)
{
	while (link->socket >= 0 && link->out_bytes) {
		ssize_t sent = send(link->socket, link->out, link->out_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			break; /* its end is seen where it is read from */
		link->out_bytes -= (size_t)sent;
		memmove(link->out, link->out + sent, link->out_bytes);
	}
	if (link->socket >= 0)
		watch_room(link, link->out_bytes > 0);
}

int book_link_send(struct book_link *link, const json_t *line)
{
	if (link->socket < 0)
		return -ENOTCONN;
	char *text = json_dumps(line, JSON_COMPACT);
	size_t bytes = text ? strlen(text) : 0;
	char *longer = text && link->out_bytes + bytes < OUT_BYTES_MAX ? realloc(link->out, link->out_bytes + bytes + 1)
								       : NULL;
	if (!longer) {
		free(text);
		return -EAGAIN;
	}
	link->out = longer;
	memcpy(link->out + link->out_bytes, text, bytes);
	link->out_bytes += bytes;
	link->out[link->out_bytes++] = '\n';
	free(text);
	flush(link);
	return 0;
}

/* --- life --- */

static void hang_up(struct book_link *link)
{
	if (link->socket >= 0)
		close(link->socket);
	link->socket = -1;
	link->in_bytes = link->out_bytes = 0;
	free(link->in);
	free(link->out);
	link->in = link->out = NULL;
}

static int add_actions(posix_spawn_file_actions_t *actions, int socket, int owner)
{
	int rc = posix_spawn_file_actions_adddup2(actions, socket, 0);

	if (!rc)
		rc = posix_spawn_file_actions_adddup2(actions, 2, 1); /* nothing of it goes into a pipe of ours */
	if (!rc && owner >= 0)
		rc = posix_spawn_file_actions_adddup2(actions, owner, 3);
	return rc ? rc : posix_spawn_file_actions_addclosefrom_np(actions, owner >= 0 ? 4 : 3);
}

/* `socket` and `owner` lie above the numbers that they get. */
static int spawn(struct book_link *link, int socket, int owner)
{
	char *const arguments[] = {ENTRY_PROGRAM, "serve", "--database", link->database, "--folder", link->folder,
		"--inbox", link->runtime_folder, "--supervisor", link->supervisor, owner >= 0 ? "--owner" : NULL, "3",
		NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int rc = ENOMEM;

	if (posix_spawn_file_actions_init(&actions))
		return -ENOMEM;
	if (!posix_spawnattr_init(&attributes)) {
		sigemptyset(&none);
		sigfillset(&all);
		posix_spawnattr_setflags(
			&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
		posix_spawnattr_setpgroup(&attributes, 0); /* Ctrl-C reaches the supervisor alone */
		posix_spawnattr_setsigmask(&attributes, &none);
		posix_spawnattr_setsigdefault(&attributes, &all);
		rc = add_actions(&actions, socket, owner);
		if (!rc)
			rc = posix_spawn(&link->pid, link->params.program, &actions, &attributes, arguments, environ);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	if (rc)
		link->pid = 0;
	return -rc;
}

static void say_hello(struct book_link *link)
{
	json_t *hello = link->params.hello(link->params.context);

	link->has_greeted = true;
	if (hello)
		(void)book_link_send(link, hello);
	json_decref(hello);
}

static void note_failure(struct book_link *link, uint64_t now_ns, const char *what)
{
	char text[2 * BOOK_PATH_BYTES + 700];

	link->failures++;
	link->due_ns = DELAY_NS << (link->failures < 7 ? link->failures - 1 : 6);
	link->due_ns = now_ns + (link->due_ns > DELAY_MAX_NS ? DELAY_MAX_NS : link->due_ns);
	if (link->failures < TOLD_FAILURES || link->is_told)
		return;
	link->is_told = true;
	snprintf(text, sizeof(text),
		"the run book's program %s, %u times in a row (%s): data are not touched by that, runs go on and get "
		"numbers from what files say; what is to be written into the book waits in %s/" ENTRY_FOLDER,
		what, link->failures, link->params.program, link->runtime_folder);
	tell(link, ENRG_WARNING, text, false);
}

static void note_success(struct book_link *link)
{
	link->failures = 0;
	if (link->is_told)
		tell(link, ENRG_INFO, "the run book's program is back; what waited for it is entered", true);
	link->is_told = false;
}

static void start(struct book_link *link, uint64_t now_ns)
{
	struct epoll_event event = {.events = EPOLLIN};
	int pair[2], lifted = -1, owner = -1, rc = 0;
	char text[300];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		note_failure(link, now_ns, strerror(errno));
		return;
	}
	lifted = fcntl(pair[1], F_DUPFD_CLOEXEC, 16);
	owner = link->owner >= 0 ? fcntl(link->owner, F_DUPFD_CLOEXEC, 16) : -1;
	close(pair[1]);
	rc = lifted < 0 ? -EMFILE : spawn(link, lifted, owner);
	if (lifted >= 0)
		close(lifted);
	if (owner >= 0)
		close(owner);
	link->socket = pair[0];
	link->is_wanted = false;
	link->was_killed = false;
	link->started_ns = link->ping_ns = link->heard_ns = now_ns;
	if (!rc && epoll_ctl(link->epoll, EPOLL_CTL_ADD, link->socket, &event))
		rc = -errno;
	link->has_greeted = false;
	if (!rc)
		return;
	hang_up(link);
	snprintf(text, sizeof(text), "can't be started: %s", strerror(-rc));
	note_failure(link, now_ns, text);
}

/* It has hung up: the end of its process follows at once. */
static void reap(struct book_link *link, uint64_t now_ns)
{
	char text[200];
	int status = 0;
	pid_t pid = link->pid ? waitpid(link->pid, &status, WNOHANG) : 0;

	if (!link->pid || pid == 0 || (pid < 0 && errno == EINTR))
		return;
	link->pid = 0;
	if (pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status)) {
		note_success(link);
		return;
	}
	link->is_wanted = true;
	if (now_ns - link->started_ns > STABLE_NS)
		link->failures = 0;
	if (link->was_killed)
		snprintf(text, sizeof(text), "did not answer for two minutes and was killed");
	else if (pid > 0 && WIFSIGNALED(status))
		snprintf(text, sizeof(text), "was ended by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		snprintf(text, sizeof(text), "ended with exit code %d", pid > 0 ? WEXITSTATUS(status) : -1);
	note_failure(link, now_ns, text);
}

/* --- lines of it --- */

static void hear_lines(struct book_link *link)
{
	char *begin = link->in, *end = link->in + link->in_bytes, *newline;

	while (begin < end && (newline = memchr(begin, '\n', (size_t)(end - begin)))) {
		json_t *line = json_loadb(begin, (size_t)(newline - begin), JSON_REJECT_DUPLICATES, NULL);
		if (json_is_object(line))
			link->params.hear(link->params.context, line);
		json_decref(line);
		begin = newline + 1;
	}
	link->in_bytes = (size_t)(end - begin);
	memmove(link->in, begin, link->in_bytes);
}

static void take_owner(struct book_link *link, struct msghdr *message)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(message);

	if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
		return;
	if (link->owner >= 0)
		close(link->owner);
	memcpy(&link->owner, CMSG_DATA(control), sizeof(link->owner));
}

/* 0; -EAGAIN; -EPIPE: it has hung up. */
static int receive(struct book_link *link)
{
	char room[CMSG_SPACE(sizeof(int))];
	struct iovec part = {.iov_base = link->in + link->in_bytes, .iov_len = LINE_BYTES_MAX - link->in_bytes};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
	ssize_t count = recvmsg(link->socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (count <= 0)
		return -EPIPE;
	take_owner(link, &message);
	link->in_bytes += (size_t)count;
	return 0;
}

static void read_lines(struct book_link *link, uint64_t now_ns)
{
	int rc = 0;

	if (!link->in)
		link->in = malloc(LINE_BYTES_MAX);
	while (link->in && link->socket >= 0 && !(rc = receive(link))) {
		link->heard_ns = now_ns;
		hear_lines(link);
		if (link->in_bytes == LINE_BYTES_MAX)
			rc = -EPIPE; /* not what it says */
		if (rc)
			break;
	}
	if (rc == -EPIPE)
		hang_up(link);
}

/* --- steps --- */

static void ping(struct book_link *link, uint64_t now_ns)
{
	json_t *line;

	if (now_ns - link->heard_ns > HUNG_NS && !link->was_killed) {
		link->was_killed = true;
		kill(link->pid, SIGKILL);
	}
	if (now_ns - link->ping_ns < PING_NS)
		return;
	link->ping_ns = now_ns;
	line = json_pack("{s:s}", "do", "ping");
	(void)book_link_send(link, line);
	json_decref(line);
}

void book_link_step(struct book_link *link, uint64_t now_ns)
{
	if (link->socket >= 0 && !link->has_greeted)
		say_hello(link); /* not before: who has opened it says first which runs go on */
	if (link->socket >= 0) {
		flush(link);
		read_lines(link, now_ns);
	}
	if (link->socket < 0)
		reap(link, now_ns);
	if (link->socket >= 0)
		ping(link, now_ns);
	else if (!link->pid && link->is_wanted && now_ns >= link->due_ns)
		start(link, now_ns);
}

void book_link_want(struct book_link *link)
{
	uint64_t now_ns = clock_mono_ns();

	link->is_wanted = link->socket < 0;
	if (link->is_wanted && !link->pid && now_ns >= link->due_ns)
		start(link, now_ns);
}

void book_link_hurry(struct book_link *link)
{
	if (link->failures < TOLD_FAILURES)
		link->due_ns = 0;
}

void book_link_retry(struct book_link *link)
{
	link->due_ns = 0;
	book_link_want(link);
}

bool book_link_is_hopeless(const struct book_link *link)
{
	return !link->pid && link->failures >= TOLD_FAILURES;
}

pid_t book_link_pid(const struct book_link *link)
{
	return link->pid;
}

bool book_link_is_there(const struct book_link *link)
{
	return link->socket >= 0;
}

uint64_t book_link_next_due(const struct book_link *link)
{
	return link->socket < 0 && !link->pid && link->is_wanted ? link->due_ns : UINT64_MAX;
}

int book_link_descriptor(const struct book_link *link)
{
	return link->epoll;
}

int book_link_open(const struct book_link_params *params, struct book_link **ret_link, struct enrg_error *err)
{
	const struct book_params *book = params->book;
	struct book_link *link = calloc(1, sizeof(*link));

	if (!link)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	link->params = *params;
	link->params.book = NULL; /* the caller's, who may go */
	snprintf(link->runtime_folder, sizeof(link->runtime_folder), "%s", book->runtime_folder);
	snprintf(link->supervisor, sizeof(link->supervisor), "%s", book->supervisor);
	snprintf(link->database, sizeof(link->database), "%s", book->database);
	snprintf(link->folder, sizeof(link->folder), "%s", book->folder);
	link->alert = book->alert;
	link->alert_context = book->context;
	link->socket = link->owner = -1;
	link->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (link->epoll < 0) {
		int rc = -errno;
		free(link);
		return enrg_error_set(err, rc, "the run book: no descriptor: %s", strerror(-rc));
	}
	*ret_link = link;
	return 0;
}

void book_link_close(struct book_link *link, uint64_t patience_ns)
{
	uint64_t until_ns = clock_mono_ns() + patience_ns, now_ns;

	if (!link)
		return;
	if (link->socket >= 0)
		flush(link);
	if (link->socket >= 0)
		shutdown(link->socket, SHUT_WR);
	while (link->socket >= 0 && (now_ns = clock_mono_ns()) < until_ns) {
		struct pollfd entry = {.fd = link->socket, .events = POLLIN};
		(void)poll(&entry, 1, (int)((until_ns - now_ns) / 1000000 + 1));
		read_lines(link, now_ns);
	}
	hang_up(link);
	if (link->pid)
		(void)waitpid(link->pid, NULL, WNOHANG);
	if (link->owner >= 0)
		close(link->owner);
	close(link->epoll);
	free(link);
}

/* hook_command.c: one try of a command: a program with its arguments, no shell; it gets no descriptor but a pipe for
 * what it prints, of which a bounded part is kept, an environment of four variables, and a time limit after which its
 * whole process group is killed. On the thread of hooks.c. */
#include "runs/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define OUTPUT_BYTES 4096u /* that are kept */
#define LOOK_MS      100
#define WORDS_MAX    256u

struct child {
	pid_t pid;
	int output; /* read end; -1: closed */
	char text[OUTPUT_BYTES + 1];
	size_t count;
};

static void free_words(char **words)
{
	for (size_t i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}

/* The reply, where the start of the run has an id. */
static char **make_words(const struct hook_call *call)
{
	bool is_reply = call->reply_to[0] && json_array_size(call->hook->reply);
	const json_t *list = is_reply ? call->hook->reply : call->hook->command;
	size_t count = json_array_size(list);
	char **words = count <= WORDS_MAX ? calloc(count + 1, sizeof(*words)) : NULL;

	for (size_t i = 0; words && i < count; i++) {
		words[i] = hook_make_word(json_string_value(json_array_get(list, i)), call->words);
		if (!words[i]) {
			free_words(words);
			return NULL;
		}
	}
	return words;
}

static char **make_environment(void)
{
	static const char *const names[] = {"PATH", "HOME", "LANG", "TZ"};
	char **environment = calloc(sizeof(names) / sizeof(*names) + 1, sizeof(*environment));
	size_t count = 0;

	for (size_t i = 0; environment && i < sizeof(names) / sizeof(*names); i++) {
		const char *value = getenv(names[i]);
		if (value && asprintf(&environment[count], "%s=%s", names[i], value) >= 0)
			count++;
		else
			environment[count] = NULL;
	}
	return environment;
}

/* Both outputs into the pipe; all signals as ever. */
static int spawn(struct child *child, char **words, char **environment)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return errno;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	int rc = posix_spawnp(&child->pid, words[0], &actions, &attributes, words, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	close(ends[1]);
	child->output = ends[0];
	if (rc)
		close(ends[0]);
	return rc;
}

/* What is beyond the part that is kept is read and thrown away, so that the program is not held up. */
static void read_output(struct child *child)
{
	char rest[1024];
	bool is_full = child->count == OUTPUT_BYTES;
	ssize_t count = read(child->output, is_full ? rest : child->text + child->count,
		is_full ? sizeof(rest) : OUTPUT_BYTES - child->count);

	if (count > 0 && !is_full)
		child->count += (size_t)count;
	if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) {
		close(child->output);
		child->output = -1;
	}
}

/* false: its time is over. The program counts, not what it has started: that may hold the pipe for ever. */
static bool wait_for_end(struct child *child, uint64_t until_ns, const _Atomic bool *is_ending)
{
	siginfo_t ended = {0};

	while (waitid(P_PID, (id_t)child->pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == 0) {
		struct pollfd entry = {.fd = child->output, .events = POLLIN};
		uint64_t now_ns = clock_mono_ns();
		if (now_ns >= until_ns || (is_ending && atomic_load_explicit(is_ending, memory_order_relaxed)))
			return false;
		uint64_t left_ms = (until_ns - now_ns) / 1000000u + 1;
		/* Its end closes the pipe, unless it had closed it before. */
		int wait_ms = child->output < 0 ? 5 : left_ms < LOOK_MS ? (int)left_ms : LOOK_MS;
		if (poll(&entry, 1, wait_ms) > 0)
			read_output(child);
	}
	struct pollfd entry = {.fd = child->output, .events = POLLIN};
	while (child->output >= 0 && poll(&entry, 1, 0) > 0)
		read_output(child);
	return true;
}

static void take_id(struct hook_call *call, const struct child *child)
{
	size_t skip = strspn(child->text, " \t\r\n"), length = strcspn(child->text + skip, " \t\r\n");

	snprintf(call->id, sizeof(call->id), "%.*s", (int)(length < HOOK_ID_BYTES ? length : HOOK_ID_BYTES - 1),
		child->text + skip);
	text_make_safe(call->id, strlen(call->id));
}

static void judge(struct hook_call *call, struct child *child, int status)
{
	child->text[child->count] = '\0';
	child->text[strcspn(child->text, "\r\n")] = '\0';
	call->is_done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	call->is_later = !call->is_done;
	if (call->is_done) {
		if (call->event == HOOK_RUN_STARTED)
			take_id(call, child);
		text_copy(call->answer, sizeof(call->answer), child->text);
	} else if (WIFEXITED(status)) {
		snprintf(call->answer, sizeof(call->answer), "exit code %d: %.300s", WEXITSTATUS(status), child->text);
	} else {
		snprintf(call->answer, sizeof(call->answer), "ended by signal %d", WTERMSIG(status));
	}
}

static void run(struct hook_call *call, char **words, char **environment, const _Atomic bool *is_ending)
{
	static _Thread_local struct child child;
	int status = 0;

	child = (struct child){.output = -1};
	int rc = spawn(&child, words, environment);
	if (rc) {
		snprintf(call->answer, sizeof(call->answer), "%.200s can't be started: %s", words[0], strerror(rc));
		call->is_later = rc != ENOENT && rc != EACCES;
		return;
	}
	bool has_ended = wait_for_end(&child, clock_mono_ns() + (uint64_t)(call->hook->timeout_s * 1e9), is_ending);
	kill(-child.pid, SIGKILL); /* also what it has left behind; its number is its own until it is waited for */
	waitpid(child.pid, &status, 0);
	if (has_ended) {
		judge(call, &child, status);
	} else {
		snprintf(call->answer, sizeof(call->answer), "no end within %g s: killed", call->hook->timeout_s);
		call->is_later = true;
	}
	if (child.output >= 0)
		close(child.output);
}

void hook_try_command(struct hook_call *call, const _Atomic bool *is_ending)
{
	char **words = make_words(call), **environment = make_environment();

	if (!words || !environment || !words[0])
		snprintf(call->answer, sizeof(call->answer), "out of memory, or more than %u words", WORDS_MAX);
	else
		run(call, words, environment, is_ending);
	free_words(words);
	free_words(environment);
}

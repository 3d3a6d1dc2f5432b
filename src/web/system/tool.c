/* tool.c: see the header. */
#include "web/system/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"

#define BYTES_MAX   (16u << 20)
#define FIRST_BYTES (256u << 10)

extern char **environ;

static int add_actions(posix_spawn_file_actions_t *actions, int input, int output)
{
	int rc = input >= 0 ? posix_spawn_file_actions_adddup2(actions, input, 0)
			    : posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);

	if (!rc)
		rc = posix_spawn_file_actions_adddup2(actions, output, 1);
	return rc ? rc : posix_spawn_file_actions_addclosefrom_np(actions, 3);
}

static int spawn(const char *const *words, int input, int output, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc)
		return -rc;
	rc = posix_spawnattr_init(&attributes);
	if (!rc) {
		sigemptyset(&none);
		sigfillset(&all);
		posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
		posix_spawnattr_setsigmask(&attributes, &none);
		posix_spawnattr_setsigdefault(&attributes, &all);
		rc = add_actions(&actions, input, output);
		if (!rc)
			rc = posix_spawn(
				ret_pid, words[0], &actions, &attributes, (char *const *)(uintptr_t)words, environ);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return -rc;
}

struct output {
	char *text;
	size_t bytes, room;
};

/* 1: there is more to come; 0: its end; -errno. */
static int read_some(int descriptor, struct output *output)
{
	if (output->bytes == output->room) {
		size_t room = output->room ? 2 * output->room : FIRST_BYTES;
		char *longer = room <= BYTES_MAX ? realloc(output->text, room) : NULL;
		if (!longer)
			return -EFBIG;
		output->text = longer;
		output->room = room;
	}
	ssize_t count = read(descriptor, output->text + output->bytes, output->room - output->bytes);
	if (count < 0)
		return errno == EINTR ? 1 : -errno;
	output->bytes += (size_t)count;
	return count > 0;
}

static int read_all(int descriptor, unsigned patience_ms, struct output *output)
{
	uint64_t until_ns = clock_mono_ns() + patience_ms * 1000000ull;
	int rc = 1;

	while (rc > 0) {
		struct pollfd entry = {.fd = descriptor, .events = POLLIN};
		uint64_t now_ns = clock_mono_ns();
		if (now_ns >= until_ns)
			return -ETIMEDOUT;
		if (poll(&entry, 1, (int)((until_ns - now_ns) / 1000000) + 1) > 0)
			rc = read_some(descriptor, output);
	}
	return rc;
}

/* A file in memory: a pipe would have to be written and read at once. -1 with errno set. */
static int make_input(const char *text)
{
	int descriptor = memfd_create("enrgdaq-web", MFD_CLOEXEC);

	if (descriptor >= 0 && disk_write_all(descriptor, (const uint8_t *)text, strlen(text), 0) < 0) {
		close(descriptor);
		return -1;
	}
	return descriptor;
}

/* How it ended. */
static int run(const struct tool_params *params, struct output *output, int *ret_how)
{
	int ends[2], input = params->input ? make_input(params->input) : -1;
	pid_t pid;

	if ((params->input && input < 0) || pipe2(ends, O_CLOEXEC)) {
		int code = errno;
		if (input >= 0)
			close(input);
		return -code;
	}
	int rc = spawn(params->words, input, ends[1], &pid);
	if (input >= 0)
		close(input);
	close(ends[1]);
	if (rc == 0) {
		rc = read_all(ends[0], params->patience_ms, output);
		if (rc < 0)
			kill(pid, SIGKILL);
		while (waitpid(pid, ret_how, 0) < 0 && errno == EINTR)
			;
	}
	close(ends[0]);
	return rc;
}

json_t *tool_run(const struct tool_params *params, int *ret_code, struct enrg_error *err)
{
	const char *const *words = params->words;
	struct output output = {0};
	json_error_t problem;
	json_t *json = NULL;
	int how = 0, rc = *words[0] ? run(params, &output, &how) : -ENOENT;

	if (rc < 0)
		enrg_error_set(err, rc, "`%s %s`: %s", *words[0] ? words[0] : "enrgdaq", words[1], enrg_error_name(rc));
	else if (WIFSIGNALED(how))
		enrg_error_set(err, -EIO, "`%s %s` was ended by signal %d", words[0], words[1], WTERMSIG(how));
	else if (!(json = json_loadb(output.text, output.bytes, 0, &problem)))
		enrg_error_set(err, ENRG_E_CORRUPT, "`%s %s` ended with code %d and printed no JSON; try it by hand",
			words[0], words[1], WEXITSTATUS(how));
	free(output.text);
	if (json)
		*ret_code = WEXITSTATUS(how);
	return json;
}

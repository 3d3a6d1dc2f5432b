/* catalogue.c: see the header. */
#include "web/system/catalogue.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define PATIENCE_NS 20000000000ull
#define PAUSE_NS    10000000000ull /* after a failure */
#define BYTES_MAX   (16u << 20)
#define FIRST_BYTES (256u << 10)

extern char **environ;

struct catalogue {
	pthread_mutex_t lock; /* who asks meanwhile waits for the same answer */
	json_t *types;        /* NULL: not yet */
	uint64_t failed_ns;   /* 0: it has not */
	struct enrg_error failure;
	char program[];
};

struct catalogue *catalogue_create(const char *program)
{
	struct catalogue *catalogue = calloc(1, sizeof(*catalogue) + strlen(program) + 1);

	if (!catalogue)
		return NULL;
	pthread_mutex_init(&catalogue->lock, NULL);
	memcpy(catalogue->program, program, strlen(program) + 1);
	return catalogue;
}

void catalogue_destroy(struct catalogue *catalogue)
{
	if (!catalogue)
		return;
	json_decref(catalogue->types);
	pthread_mutex_destroy(&catalogue->lock);
	free(catalogue);
}

/* --- the program --- */

static int spawn(const char *program, int output, pid_t *ret_pid)
{
	char *const arguments[] = {(char *)(uintptr_t)program, "describe", "--catalogue", NULL};
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
		rc = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
		if (!rc)
			rc = posix_spawn_file_actions_adddup2(&actions, output, 1);
		if (!rc)
			rc = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
		if (!rc)
			rc = posix_spawn(ret_pid, program, &actions, &attributes, arguments, environ);
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

static int read_all(int descriptor, struct output *output)
{
	uint64_t until_ns = clock_mono_ns() + PATIENCE_NS;
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

/* How it ended. */
static int run(const char *program, struct output *output, int *ret_how)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	int rc = spawn(program, ends[1], &pid);
	close(ends[1]);
	if (rc == 0) {
		rc = read_all(ends[0], output);
		if (rc < 0)
			kill(pid, SIGKILL);
		while (waitpid(pid, ret_how, 0) < 0 && errno == EINTR)
			;
	}
	close(ends[0]);
	return rc;
}

static json_t *fetch(const char *program, struct enrg_error *err)
{
	struct output output = {0};
	json_error_t problem = {.text = ""};
	json_t *types = NULL;
	int how = 0, rc = *program ? run(program, &output, &how) : -ENOENT;

	if (rc < 0)
		enrg_error_set(err, rc, "the types of jobs are not known: `%s describe --catalogue`: %s",
			*program ? program : "enrgdaq", enrg_error_name(rc));
	else if (how)
		enrg_error_set(err, -EIO,
			"the types of jobs are not known: `%s describe --catalogue` ended with %s %d; try it by hand",
			program, WIFSIGNALED(how) ? "signal" : "code",
			WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
	else
		types = json_loadb(output.text, output.bytes, 0, &problem);
	if (rc == 0 && !how && !types)
		enrg_error_set(err, ENRG_E_CORRUPT,
			"the types of jobs are not known: `%s describe --catalogue` printed no JSON: %s", program,
			problem.text);
	free(output.text);
	return types;
}

json_t *catalogue_get(struct catalogue *catalogue, struct enrg_error *err)
{
	pthread_mutex_lock(&catalogue->lock);
	bool may_try = !catalogue->failed_ns || clock_mono_ns() - catalogue->failed_ns > PAUSE_NS;
	if (!catalogue->types && may_try) {
		catalogue->types = fetch(catalogue->program, &catalogue->failure);
		catalogue->failed_ns = catalogue->types ? 0 : clock_mono_ns();
	}
	json_t *types = json_incref(catalogue->types);
	if (!types && err)
		*err = catalogue->failure;
	pthread_mutex_unlock(&catalogue->lock);
	return types;
}

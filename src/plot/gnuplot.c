/* gnuplot.c: gnuplot as a child process. In the process of `enrgdaq bench suite` or `enrgdaq plot`, one thread. */
#include "plot/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* `said` takes all that it says: a file and no pipe, so that it never waits for a reader. */
static int spawn(const char *folder, const char *script, int said, pid_t *ret_pid)
{
	char *arguments[] = {(char[]){"gnuplot"}, (char[]){"-d"}, strdup(script), NULL};
	posix_spawn_file_actions_t actions;
	int error = arguments[2] ? posix_spawn_file_actions_init(&actions) : ENOMEM;

	if (error == 0) {
		error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
		if (error == 0)
			error = posix_spawn_file_actions_adddup2(&actions, said, STDOUT_FILENO);
		if (error == 0)
			error = posix_spawn_file_actions_adddup2(&actions, said, STDERR_FILENO);
		if (error == 0)
			error = posix_spawn_file_actions_addchdir_np(&actions, folder);
		if (error == 0)
			error = posix_spawnp(ret_pid, "gnuplot", &actions, NULL, arguments, environ);
		posix_spawn_file_actions_destroy(&actions);
	}
	free(arguments[2]);
	return -error;
}

/* What it said, on one line. */
static void read_said(int said, char *ret_text, size_t text_bytes)
{
	ssize_t count = pread(said, ret_text, text_bytes - 1, 0);
	size_t out = 0;

	for (ssize_t i = 0; i < count; i++) {
		char c = (unsigned char)ret_text[i] < ' ' ? ' ' : ret_text[i];
		if (c != ' ' || (out > 0 && ret_text[out - 1] != ' '))
			ret_text[out++] = c;
	}
	ret_text[out] = 0;
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

int gnuplot_run(const char *folder, const char *script, struct enrg_error *err)
{
	char text[600];
	pid_t pid = 0;
	int said = memfd_create("gnuplot-said", MFD_CLOEXEC), status = 0;
	int rc = said < 0 ? -errno : spawn(folder, script, said, &pid);

	if (rc == -ENOENT)
		enrg_error_set(err, rc, "gnuplot is not in the PATH: install it (Debian: apt-get install gnuplot-nox)");
	else if (rc < 0)
		enrg_error_set(err, rc, "cannot start gnuplot: %s", enrg_error_name(rc));
	if (rc == 0) {
		status = wait_for(pid);
		read_said(said, text, sizeof(text));
	}
	if (rc == 0 && status != 0)
		rc = enrg_error_set(err, -EIO, "gnuplot failed on %s/%s (%s %d): %s", folder, script,
			WIFSIGNALED(status) ? "signal" : "exit code",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), text);
	if (said >= 0)
		close(said);
	return rc;
}

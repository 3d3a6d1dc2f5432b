/* runner.c: runs a benchmark as a child process. Process: `enrgdaq bench suite` or `compare`. */
#include "benchmark/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define OUTPUT_MAX (1u << 20)
#define LOOK_MS    200

static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal)
{
	(void)signal;
	is_interrupted = 1;
}

void runner_catch_interrupts(void)
{
	signal(SIGINT, interrupt);
	signal(SIGTERM, interrupt);
}

bool runner_is_interrupted(void)
{
	return is_interrupted;
}

struct runner {
	pid_t pid;
	int out, log; /* its stdout, and a temporary file with its stderr */
	size_t count;
};

static _Noreturn void become(const struct runner_params *params, int out, int log)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setpgid(0, 0);
	dup2(out, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	if (params->folder && chdir(params->folder) < 0)
		_exit(126);
	execvp(params->arguments[0], params->arguments);
	_exit(127);
}

static int start(struct runner *runner, const struct runner_params *params)
{
	FILE *log = tmpfile();
	int pipe_of[2], rc;

	runner->log = log ? fcntl(fileno(log), F_DUPFD_CLOEXEC, 0) : -1;
	if (log)
		fclose(log);
	if (runner->log < 0)
		return -errno;
	if (pipe2(pipe_of, O_CLOEXEC) < 0) {
		rc = -errno;
		close(runner->log);
		return rc;
	}
	runner->pid = fork();
	if (runner->pid == 0)
		become(params, pipe_of[1], runner->log);
	rc = runner->pid < 0 ? -errno : 0;
	close(pipe_of[1]);
	runner->out = pipe_of[0];
	if (rc < 0) {
		close(runner->out);
		close(runner->log);
	}
	return rc;
}

static bool has_ended(pid_t pid)
{
	siginfo_t ended = {0};

	return waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == pid;
}

/* Reads until the end of its output, or its own where processes that it left behind hold that open; kills it at the
 * time limit. */
static int read_text(struct runner *runner, char *text, uint64_t until_ns)
{
	struct pollfd poll_of = {.fd = runner->out, .events = POLLIN};
	char rest[512];

	for (;;) {
		uint64_t now = clock_mono_ns();
		if (now >= until_ns || is_interrupted) {
			kill(runner->pid, is_interrupted ? SIGTERM : SIGKILL);
			return is_interrupted ? ENRG_E_STOPPED : -ETIMEDOUT;
		}
		bool is_last_look = has_ended(runner->pid);
		if (poll(&poll_of, 1, is_last_look ? 0 : LOOK_MS) <= 0) {
			if (is_last_look)
				return 0;
			continue;
		}
		/* What is more than there is room for is read all the same: it must not wait for us. */
		bool is_full = runner->count == OUTPUT_MAX - 1;
		ssize_t got = is_full ? read(runner->out, rest, sizeof(rest))
				      : read(runner->out, text + runner->count, OUTPUT_MAX - 1 - runner->count);
		if (got <= 0)
			return 0;
		runner->count += is_full ? 0 : (size_t)got;
	}
}

int runner_run(const struct runner_params *params, struct runner_output *ret_output)
{
	struct runner runner = {0};
	ssize_t said;
	int rc;

	*ret_output = (struct runner_output){.text = calloc(1, OUTPUT_MAX)};
	rc = ret_output->text ? start(&runner, params) : -ENOMEM;
	if (rc < 0)
		return rc;
	rc = read_text(&runner, ret_output->text, clock_mono_ns() + (uint64_t)(params->timeout_s * 1e9));
	close(runner.out);
	while (waitid(P_PID, (id_t)runner.pid, NULL, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	kill(-runner.pid, SIGKILL); /* what it left behind; the number is not free again before the next line */
	waitpid(runner.pid, &ret_output->status, 0);
	said = pread(runner.log, ret_output->said, sizeof(ret_output->said) - 1, 0);
	ret_output->said[said > 0 ? said : 0] = 0;
	close(runner.log);
	return rc;
}

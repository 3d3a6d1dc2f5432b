/* server.c: see the header. Runs in the process of a program in bench/. */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRIES    600u
#define PAUSE_NS 50000000

static unsigned find_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof(address);
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned port = 0;

	if (descriptor >= 0 && bind(descriptor, (struct sockaddr *)&address, bytes) == 0 &&
		getsockname(descriptor, (struct sockaddr *)&address, &bytes) == 0)
		port = ntohs(address.sin_port);
	if (descriptor >= 0)
		close(descriptor);
	return port;
}

int server_init(struct server *server, struct enrg_error *err)
{
	const char *parent = getenv("TMPDIR");

	*server = (struct server){.port = find_port()};
	snprintf(server->folder, sizeof(server->folder), "%.40s/enrg-bench.XXXXXX", parent ? parent : "/tmp");
	if (server->port && mkdtemp(server->folder))
		return 0;
	int rc = -errno;
	server->folder[0] = '\0';
	return enrg_error_set(err, rc, "no temporary folder, or no port: %s", strerror(-rc));
}

/* In the child. */
static void execute(const struct server *server, const char *const *arguments)
{
	static char texts[SERVER_ARGUMENTS_MAX][256];
	char *list[SERVER_ARGUMENTS_MAX + 1] = {NULL}, log[80];

	for (unsigned i = 0; arguments[i] && i < SERVER_ARGUMENTS_MAX; i++) {
		const char *at = arguments[i], *folder = strstr(at, "FOLDER"), *port = strstr(at, "PORT");
		list[i] = texts[i];
		if (folder)
			snprintf(texts[i], sizeof(texts[i]), "%.*s%s%s", (int)(folder - at), at, server->folder,
				folder + strlen("FOLDER"));
		else if (port)
			snprintf(texts[i], sizeof(texts[i]), "%.*s%u", (int)(port - at), at, server->port);
		else
			snprintf(texts[i], sizeof(texts[i]), "%s", at);
	}
	snprintf(log, sizeof(log), "%s/log", server->folder);
	int descriptor = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (descriptor < 0 || dup2(descriptor, 1) < 0 || dup2(descriptor, 2) < 0)
		_exit(127);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execvp(list[0], list);
	_exit(127);
}

int server_start(struct server *server, const char *const *arguments, struct enrg_error *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return enrg_error_set(err, -errno, "fork: %s", strerror(errno));
	if (pid == 0)
		execute(server, arguments);
	server->pid = pid;
	return 0;
}

int server_run(const struct server *server, const char *const *arguments, struct enrg_error *err)
{
	struct server child = *server;
	int status = 0, rc = server_start(&child, arguments, err);

	if (rc < 0)
		return rc;
	if (waitpid(child.pid, &status, 0) == child.pid && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return enrg_error_set(err, -ECHILD, "%s failed; is its package installed?", arguments[0]);
}

int server_wait(struct server *server, int (*is_ready)(const struct server *server), struct enrg_error *err)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};

	for (unsigned i = 0; i < TRIES; i++) {
		if (is_ready(server))
			return 0;
		if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
			server->pid = 0;
			return enrg_error_set(err, -ECHILD, "the server ended at its start; is its package installed?");
		}
		nanosleep(&pause, NULL);
	}
	return enrg_error_set(err, -ETIMEDOUT, "the server does not answer");
}

void server_fini(struct server *server)
{
	const char *const remove_folder[] = {"rm", "-rf", "FOLDER", NULL};

	if (server->pid > 0) {
		kill(server->pid, SIGKILL);
		waitpid(server->pid, NULL, 0);
	}
	server->pid = 0;
	if (server->folder[0])
		server_run(server, remove_folder, NULL);
	server->folder[0] = '\0';
}

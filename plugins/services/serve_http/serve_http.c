/* serve_http.c: DAQJobServeHTTP: a folder of files for browsers. A service in a process of its own, on its main thread;
 * it reads files and nothing else, and the data path does not know of it. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "enrgdaq/job.h"
#include "folder.h"
#include "server.h"

#define NICENESS 10 /* data taking goes first */

struct serve_http_options {
	const char *serve_path, *host;
	int64_t port, connections_max;
	double timeout_seconds;
};

struct serve_http {
	struct enrg_job *job;
	struct server *server;
};

static const struct enrg_option serve_http_options[] = {
	{.key = "serve_path",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct serve_http_options, serve_path),
		.required = true,
		.runs_code = true,
		.help = "Folder whose files are served, and those below it; hidden files and what services remember "
			"(folders called state) are not."},
	{.key = "host",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct serve_http_options, host),
		.default_value = "\"localhost\"",
		.help = "Address to listen on: localhost for this machine alone, \"0.0.0.0\" for everybody who "
			"reaches it."},
	{.key = "port",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct serve_http_options, port),
		.default_value = "8080",
		.min = 1,
		.max = 65535,
		.help = "TCP port."},
	{.key = "connections_max",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct serve_http_options, connections_max),
		.default_value = "128",
		.min = 2,
		.max = 1000,
		.help = "Connections at a time; one address gets half of them."},
	{.key = "timeout_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct serve_http_options, timeout_seconds),
		.default_value = "10.0",
		.min = 0.1,
		.max = 3600,
		.unit = "s",
		.help = "A connection on which no request has arrived whole in this time is closed; one whose answer "
			"stands still, after three times as long."},
	{.key = NULL},
};

static void log_server(void *context, const char *line)
{
	struct serve_http *self = context;

	enrg_job_log(self->job, ENRG_DEBUG, "%s", line);
}

static void serve_http_destroy(void *state)
{
	struct serve_http *self = state;

	if (!self)
		return;
	server_destroy(self->server);
	free(self);
}

static int serve_http_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	const struct serve_http_options *chosen = options;
	struct serve_http *self = calloc(1, sizeof(*self));
	int rc = folder_check_kernel(err);

	if (!self)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	self->job = job;
	if (rc == 0)
		rc = server_create(
			&(struct server_params){
				.root = chosen->serve_path,
				.host = chosen->host,
				.port = (uint16_t)chosen->port,
				.connections_max = (unsigned)chosen->connections_max,
				.connections_per_address = (unsigned)(chosen->connections_max + 1) / 2,
				.request_ns = (uint64_t)(chosen->timeout_seconds * 1e9),
				.log = log_server,
				.context = self,
			},
			&self->server, err);
	if (rc < 0) {
		serve_http_destroy(self);
		return rc;
	}
	setpriority(PRIO_PROCESS, 0, NICENESS);
	enrg_job_log(job, ENRG_INFO, "serves %s at http://%s:%u/", chosen->serve_path, chosen->host,
		server_port(self->server));
	if (!server_is_private(self->server))
		enrg_job_log(job, ENRG_WARNING,
			"everybody who reaches %s can read the files below %s: there is neither a password nor "
			"encryption; `host = \"localhost\"` lets in this machine alone",
			chosen->host, chosen->serve_path);
	*ret_state = self;
	return 0;
}

static int serve_http_poll(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct serve_http *self = state;
	struct pollfd entry = {.fd = server_descriptor(self->server), .events = POLLIN};
	uint64_t wait_ns = server_run(self->server);
	int rc = wait_ns ? enrg_job_wait_fd(job, &entry, 1, wait_ns, err) : 0;

	return rc < 0 ? rc : ENRG_POLL_AGAIN;
}

static int serve_http_check(const void *options, struct enrg_error *err)
{
	const struct serve_http_options *chosen = options;

	if (!chosen->serve_path[0])
		return enrg_error_set(err, ENRG_E_CONFIG, "serve_path: expected a folder, found \"\"");
	if (strcmp(chosen->serve_path, "/") == 0)
		return enrg_error_set(err, ENRG_E_CONFIG,
			"serve_path: \"/\" would show every file of this machine that the user of the run may read: "
			"name the folder that is meant");
	return 0;
}

static const char *const serve_http_old_names[] = {"serve_http", NULL};

static const struct enrg_job_type serve_http_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobServeHTTP",
	.old_names = serve_http_old_names,
	.summary = "Serves the files of a folder to browsers of this machine, or of others.",
	.options = {.size = sizeof(struct serve_http_options), .options = serve_http_options},
	.start = serve_http_start,
	.poll = serve_http_poll,
	.destroy = serve_http_destroy,
	.check = serve_http_check,
	.is_service = true,
};

static const struct enrg_job_type *const serve_http_jobs[] = {&serve_http_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "serve_http", .jobs = serve_http_jobs};

/* server.c: see the header. In the process of DAQJobServeHTTP, on its main thread. */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"

/* Its name until 0.9.77; that of Debian 12 knows no other. */
#if MHD_VERSION >= 0x00097701
#define OPTION_STRICT MHD_OPTION_CLIENT_DISCIPLINE_LVL
#else
#define OPTION_STRICT MHD_OPTION_STRICT_FOR_CLIENT
#endif

#define HEAD_BYTES_MAX 32768u /* memory of a connection: request line, headers, and what is sent next */
#define SWEEP_NS       250000000u
#define IDLE_S         3600u       /* for the library, which does not see what arrives: visit.h judges before */
#define UNSENT_BYTES   (128 << 10) /* that a connection keeps in the kernel beyond what is on its way */

struct server {
	struct server_params params;
	struct MHD_Daemon *daemon;
	struct visit *visits;
	uint64_t swept_ns;
	uint16_t port;
	bool is_private;
	int descriptor;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- connections ------------------------------------------------------------------------------------------------- */

static void open_visit(struct server *server, struct MHD_Connection *connection, void **ret_context)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct visit *visit = calloc(1, sizeof(*visit));

	*ret_context = visit;
	if (!visit || !info)
		return;
	visit->descriptor = info->connect_fd;
	visit->next = server->visits;
	visit->place = &server->visits;
	if (visit->next)
		visit->next->place = &visit->next;
	server->visits = visit;
	visit_begin_wait(visit, now_ns());
}

static void close_visit(struct visit *visit)
{
	if (visit && visit->place) {
		*visit->place = visit->next;
		if (visit->next)
			visit->next->place = visit->place;
	}
	free(visit);
}

static void note_connection(void *context, struct MHD_Connection *connection, void **socket_context,
	enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		open_visit(context, connection, socket_context);
	else
		close_visit(*socket_context);
}

static struct visit *visit_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void note_completed(
	void *context, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode code)
{
	struct visit *visit = visit_of(connection);

	(void)context;
	(void)request;
	(void)code;
	if (visit)
		visit_begin_wait(visit, now_ns());
}

/* Connections that are slower than anybody who means well. The library sees them end. */
static void sweep(struct server *server, uint64_t now)
{
	if (now - server->swept_ns < SWEEP_NS)
		return;
	server->swept_ns = now;
	for (struct visit *visit = server->visits; visit; visit = visit->next) {
		int unsent = 0;
		(void)ioctl(visit->descriptor, SIOCOUTQ, &unsent);
		if (visit_is_over(visit, unsent > 0 ? (uint64_t)unsent : 0, now, server->params.request_ns))
			shutdown(visit->descriptor, SHUT_RDWR);
	}
}

/* --- requests ---------------------------------------------------------------------------------------------------- */

static enum MHD_Result take_request(void *context, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_bytes, void **request_context)
{
	struct server *server = context;
	struct visit *visit = visit_of(connection);

	enum MHD_Result rc = MHD_YES;

	(void)version;
	(void)upload;
	(void)upload_bytes;
	if (!visit)
		return MHD_NO;
	const struct answer_request request = {.root = server->params.root,
		.url = url,
		.method = method,
		.host = server->is_private ? server->params.host : NULL,
		.connection = connection,
		.visit = visit};
	/* An answer to the first of the two calls ends the connection, since a body might follow. */
	bool is_first = !*request_context;
	*request_context = visit;
	if (is_first && !answer_refuse(&request, &rc))
		return MHD_YES;
	if (is_first)
		return rc;
	visit_begin_answer(visit, now_ns());
	return answer_send(&request);
}

/* Percent signs are decoded where paths are judged. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
	(void)context;
	(void)connection;
	return strlen(text);
}

static void log_library(void *context, const char *format, va_list arguments)
{
	const struct server *server = context;
	char line[300];

	vsnprintf(line, sizeof(line), format, arguments);
	line[strcspn(line, "\r\n")] = '\0';
	server->params.log(server->params.context, line);
}

/* --- life -------------------------------------------------------------------------------------------------------- */

static bool is_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in *four = (const void *)address;
	const struct sockaddr_in6 *six = (const void *)address;

	if (address->sa_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == 127;
	return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

static int refuse(const struct server *server, int code, struct enrg_error *err)
{
	const struct server_params *params = &server->params;

	if (code == EADDRINUSE)
		return enrg_error_set(err, -code,
			"port %u of %s is in use by another program: choose another `port`, or end that one (`ss "
			"-ltnp` "
			"names it)",
			params->port, params->host);
	if (code == EACCES)
		return enrg_error_set(err, -code,
			"port %u may not be opened by this user: ports below 1024 are the system's; choose a higher "
			"`port`",
			params->port);
	if (code == EADDRNOTAVAIL)
		return enrg_error_set(
			err, -code, "%s is no address of this machine, now: `ip address` lists them", params->host);
	return enrg_error_set(
		err, -code, "can't listen on port %u of %s: %s", params->port, params->host, strerror(code));
}

static int try_address(struct server *server, const struct addrinfo *address)
{
	struct sockaddr_storage bound;
	socklen_t bytes = sizeof(bound);
	int yes = 1, unsent = UNSENT_BYTES, code;

	server->descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->descriptor < 0)
		return errno;
	setsockopt(server->descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	/* connections have it from here: else 4 MB are taken at once, and who fetches them slowly seems to stand still
	 */
	setsockopt(server->descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	if (bind(server->descriptor, address->ai_addr, address->ai_addrlen) == 0 &&
		listen(server->descriptor, 64) == 0 &&
		getsockname(server->descriptor, (struct sockaddr *)&bound, &bytes) == 0) {
		server->is_private = is_loopback(address->ai_addr);
		server->port = ntohs(address->ai_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
								    : ((struct sockaddr_in *)&bound)->sin_port);
		return 0;
	}
	code = errno;
	close(server->descriptor);
	server->descriptor = -1;
	return code;
}

static int open_socket(struct server *server, struct enrg_error *err)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	/* as the browser, which may take ::1 first, gets here: by the address that every machine has */
	const char *host = strcmp(server->params.host, "localhost") == 0 ? "127.0.0.1" : server->params.host;
	struct addrinfo *found = NULL;
	char port[8];
	int code = EADDRNOTAVAIL;

	snprintf(port, sizeof(port), "%u", server->params.port);
	int rc = getaddrinfo(host, port, &hints, &found);
	if (rc == EAI_NONAME || rc == EAI_FAMILY)
		return enrg_error_set(err, ENRG_E_CONFIG, "host: \"%s\" is neither a name nor an address", host);
	if (rc)
		return enrg_error_set(err, -EAGAIN, "host: \"%s\" can't be looked up: %s", host, gai_strerror(rc));
	for (const struct addrinfo *at = found; at && server->descriptor < 0; at = at->ai_next)
		code = try_address(server, at);
	freeaddrinfo(found);
	return server->descriptor < 0 ? refuse(server, code, err) : 0;
}

static int start_daemon(struct server *server, struct enrg_error *err)
{
	const struct server_params *params = &server->params;

	server->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, take_request, server,
		MHD_OPTION_EXTERNAL_LOGGER, log_library, server, /* first: what follows may be logged */
		MHD_OPTION_LISTEN_SOCKET, server->descriptor,    /* */
		MHD_OPTION_CONNECTION_LIMIT, params->connections_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		params->connections_per_address, MHD_OPTION_CONNECTION_TIMEOUT,
		IDLE_S,                                                     /* without a byte in either direction */
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_BYTES_MAX, /* */
		OPTION_STRICT, 1,                                           /* */
		MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,          /* */
		MHD_OPTION_NOTIFY_CONNECTION, note_connection, server,      /* */
		MHD_OPTION_NOTIFY_COMPLETED, note_completed, NULL,          /* */
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
	return server->daemon ? 0 : enrg_error_set(err, -ENOMEM, "the server can't be started");
}

int server_create(const struct server_params *params, struct server **ret_server, struct enrg_error *err)
{
	struct server *server = calloc(1, sizeof(*server));

	if (!server)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	server->params = *params;
	server->descriptor = -1;
	int rc = open_socket(server, err);
	if (rc == 0)
		rc = start_daemon(server, err);
	if (rc == 0)
		*ret_server = server;
	else
		server_destroy(server);
	return rc;
}

void server_destroy(struct server *server)
{
	if (!server)
		return;
	if (server->daemon)
		MHD_stop_daemon(server->daemon); /* closes the socket, too */
	else if (server->descriptor >= 0)
		close(server->descriptor);
	free(server);
}

int server_descriptor(const struct server *server)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	return info ? info->epoll_fd : -1;
}

uint64_t server_run(struct server *server)
{
	unsigned long long wait_ms = 0;

	MHD_run(server->daemon);
	sweep(server, now_ns());
	if (MHD_get_timeout(server->daemon, &wait_ms) == MHD_YES && wait_ms < SWEEP_NS / 1000000)
		return (uint64_t)wait_ms * 1000000;
	return server->visits ? SWEEP_NS : UINT64_MAX;
}

uint16_t server_port(const struct server *server)
{
	return server->port;
}

bool server_is_private(const struct server *server)
{
	return server->is_private;
}

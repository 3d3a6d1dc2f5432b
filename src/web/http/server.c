/* server.c: the loop: libwebsockets with its raw sockets (docs/decisions/0022 says why raw), listening sockets, what
 * wakes it, the certificate that changes. */
#include "web/http/server.h"

#include <errno.h>
#include <linux/close_range.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "web/http/certificate.h"
#include "web/http/connections.h"
#include "web/http/listener.h"

enum {
	TICK_MS = 100,
	ACCEPTS_AT_ONCE = 64,
	OTHER_FILES = 64, /* that this process has open besides connections */
	LOG_LINES_A_MINUTE = 10,
};
#define MS_NS          UINT64_C(1000000)
#define CERTIFICATE_NS (1000 * MS_NS)

struct http_server {
	struct http_params params;
	struct connections all;
	struct lws_context *context;
	struct lws *listeners[LISTENERS_MAX];
	int listener_count;
	bool is_accepting; /* false: no descriptor was left; again with the next tick */
	uint16_t port;
	pthread_t main;
	lws_sorted_usec_list_t timer;
	atomic_bool is_woken;
	uint64_t next_tick_ns, next_certificate_ns;
	struct certificate certificate;
	char *paths[2];
	SSL_CTX *tls;
	struct enrg_error *err; /* of http_open */
};

static void log_library(int level, const char *line)
{
	static uint64_t minute;
	static unsigned lines;
	char text[400];
	uint64_t now = clock_mono_ns() / (60000 * MS_NS);

	(void)level;
	if (now != minute) {
		minute = now;
		lines = 0;
	}
	if (lines++ >= LOG_LINES_A_MINUTE)
		return;
	text_copy(text, sizeof(text), line);
	text[strcspn(text, "\n")] = '\0';
	text_make_safe(text, strlen(text));
	log_line(ENRG_DEBUG, "libwebsockets: %s", text);
}

/* --- listening --- */

static void set_accepting(struct http_server *server, bool accepts)
{
	if (server->is_accepting == accepts)
		return;
	server->is_accepting = accepts;
	for (int i = 0; i < server->listener_count; i++)
		lws_rx_flow_control(server->listeners[i], accepts);
}

static void accept_some(struct http_server *server, int listener)
{
	int on = 1;

	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		struct sockaddr_storage peer = {0};
		socklen_t bytes = sizeof(peer);
		int descriptor = accept4(listener, (struct sockaddr *)&peer, &bytes, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (descriptor < 0) {
			if (errno == ECONNABORTED || errno == EINTR)
				continue;
			if (errno != EAGAIN) { /* EMFILE, ENFILE, ENOMEM: it would be asked again at once */
				log_line(ENRG_WARNING, "web: can't take a connection now: %s. Tried again in 0.1 s",
					strerror(errno));
				set_accepting(server, false);
			}
			return;
		}
		setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		connections_accept(&server->all, descriptor, &peer);
	}
}

static int adopt_listeners(struct http_server *server, const int *sockets, int count)
{
	for (int i = 0; i < count; i++) {
		lws_adopt_desc_t adoption = {.vh = server->all.vhost,
			.type = LWS_ADOPT_RAW_FILE_DESC,
			.fd = {.filefd = sockets[i]},
			.vh_prot_name = "listen"};
		struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&adoption);
		if (!wsi) {
			for (; i < count; i++)
				close(sockets[i]);
			return -ENOMEM;
		}
		server->listeners[server->listener_count++] = wsi;
	}
	server->is_accepting = true;
	return 0;
}

/* --- callbacks of libwebsockets --- */

static struct http_server *server_of(struct lws *wsi)
{
	return lws_context_user(lws_get_context(wsi));
}

static int load_certificate(struct http_server *server, SSL_CTX *context)
{
	server->tls = context;
	return certificate_load(&server->certificate, context, server->err) ? -1 : 0;
}

static void forget(struct lws *wsi)
{
	struct connection *connection = lws_get_opaque_user_data(wsi);

	lws_set_opaque_user_data(wsi, NULL);
	if (connection)
		connection_close(connection);
}

static int on_listen(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *bytes, size_t count)
{
	(void)user, (void)bytes, (void)count;
	if (reason == LWS_CALLBACK_RAW_RX_FILE)
		accept_some(server_of(wsi), lws_get_socket_fd(wsi));
	return 0;
}

static int on_http(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *bytes, size_t count)
{
	struct connection *connection;

	/* Of the many reasons those of raw sockets alone: HTTP/2, upgrades and whatever else libwebsockets knows of
	 * HTTP is never reached. */
	if (reason == LWS_CALLBACK_RAW_RX || reason == LWS_CALLBACK_RAW_WRITEABLE) {
		connection = lws_get_opaque_user_data(wsi);
		if (!connection)
			return -1;
		connection->wsi = wsi;
		return reason == LWS_CALLBACK_RAW_RX ? connection_read(connection, bytes, count)
						     : connection_write(connection);
	}
	if (reason == LWS_CALLBACK_RAW_CLOSE || reason == LWS_CALLBACK_WSI_DESTROY)
		forget(wsi); /* the latter alone where the TLS handshake was not over */
	else if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS)
		return load_certificate(server_of(wsi), user);
	return 0;
}

static const struct lws_protocols protocols[] = {
	{.name = "http", .callback = on_http, .tx_packet_size = CONNECTION_PIECE},
	{.name = "listen", .callback = on_listen},
	{0},
};

/* --- open and close --- */

static uint32_t or_else(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

static int set_limits(struct http_limits *limits, struct enrg_error *err)
{
	struct rlimit files;

	limits->body_bytes = or_else(limits->body_bytes, 1 << 20);
	limits->connections = or_else(limits->connections, 256);
	limits->connections_per_address = or_else(limits->connections_per_address, 64);
	limits->posts_burst = or_else(limits->posts_burst, limits->posts_per_second);
	limits->request_ms = or_else(limits->request_ms, 10000);
	limits->answer_ms = or_else(limits->answer_ms, 120000);
	limits->idle_ms = or_else(limits->idle_ms, 60000);
	limits->ping_ms = or_else(limits->ping_ms, 30000);
	if (limits->connections > 60000)
		return enrg_error_set(
			err, ENRG_E_CONFIG, "web.connections = %u is more than 60000", limits->connections);
	if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur != RLIM_INFINITY &&
		limits->connections + OTHER_FILES > files.rlim_cur)
		return enrg_error_set(err, ENRG_E_CONFIG,
			"web.connections = %u: this process may open %llu files, and needs %d for other things: set at "
			"most %lld",
			limits->connections, (unsigned long long)files.rlim_cur, OTHER_FILES,
			(long long)files.rlim_cur - OTHER_FILES);
	return 0;
}

static int set_tls(struct http_server *server, struct enrg_error *err)
{
	const char *certificate = server->params.tls_certificate, *key = server->params.tls_key;

	if (!certificate != !key)
		return enrg_error_set(err, ENRG_E_CONFIG, "%s is set, %s is not: TLS needs both",
			certificate ? "web.tls_certificate" : "web.tls_key",
			certificate ? "web.tls_key" : "web.tls_certificate");
	if (!certificate)
		return 0;
	server->paths[0] = strdup(certificate);
	server->paths[1] = strdup(key);
	if (!server->paths[0] || !server->paths[1])
		return -ENOMEM;
	server->certificate = (struct certificate){.path = server->paths[0], .key_path = server->paths[1]};
	return 0;
}

static int create_context(struct http_server *server, struct enrg_error *err)
{
	struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.protocols = protocols,
		.user = server,
		.alpn = "http/1.1",
		.timeout_secs = 10,
		.pt_serv_buf_size = 16384 + LWS_PRE,
		.fd_limit_per_thread = server->params.limits.connections + 32,
		.vhost_name = "enrgdaq",
		.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME};

	lws_set_log_level(LLL_ERR | LLL_WARN, log_library);
	if (server->all.is_tls)
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
	server->context = lws_create_context(&info);
	if (!server->context)
		return enrg_error_set(err, -ENOMEM, "libwebsockets could not be started");
	server->all.vhost = lws_create_vhost(server->context, &info);
	/* 4.3 opens a socket (netlink) that programs of ours would inherit; of our own none is meant for them either */
	(void)close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	if (server->all.vhost)
		return 0;
	if (err && err->code)
		return err->code; /* of the certificate */
	return enrg_error_set(err, -ENOMEM, "libwebsockets could not make its host");
}

static int start(struct http_server *server, const char *host, struct enrg_error *err)
{
	int sockets[LISTENERS_MAX];
	struct enrg_error own = {0};

	server->err = &own;
	int rc = set_limits(&server->params.limits, err);
	if (!rc)
		rc = set_tls(server, err);
	if (!rc)
		rc = connections_init(&server->all, &server->params, err);
	if (rc)
		return rc;
	int count = listener_open(host, server->params.port, sockets, &server->port, err);
	if (count < 0)
		return count;
	rc = create_context(server, &own);
	if (rc) {
		while (count)
			close(sockets[--count]);
		return enrg_error_set(err, rc, "%s", own.text);
	}
	rc = adopt_listeners(server, sockets, count);
	return rc ? enrg_error_set(err, rc, "no memory for the listening sockets") : 0;
}

static const char *or_none(const char *text)
{
	return text && *text ? text : NULL;
}

int http_open(const struct http_params *params, struct http_server **ret_server, struct enrg_error *err)
{
	struct http_server *server = calloc(1, sizeof(*server));

	if (!server)
		return enrg_error_set(err, -ENOMEM, "no memory for the web server");
	server->params = *params;
	server->params.tls_certificate = or_none(params->tls_certificate);
	server->params.tls_key = or_none(params->tls_key);
	server->main = pthread_self();
	bool is_tls = server->params.tls_certificate != NULL;
	int rc = start(server, params->host, err);
	server->err = NULL;
	if (rc) {
		http_close(server);
		return enrg_error_add(err, rc, "web server%s", is_tls ? " (TLS)" : "");
	}
	server->next_tick_ns = clock_mono_ns();
	*ret_server = server;
	return 0;
}

void http_close(struct http_server *server)
{
	if (!server)
		return;
	if (server->context)
		lws_context_destroy(server->context);
	connections_fini(&server->all);
	free(server->paths[0]);
	free(server->paths[1]);
	free(server);
}

uint16_t http_port(const struct http_server *server)
{
	return server->port;
}

/* --- the loop --- */

static void reload_certificate(struct http_server *server, uint64_t now_ns)
{
	struct enrg_error err = {0};

	if (!server->tls || now_ns < server->next_certificate_ns)
		return;
	server->next_certificate_ns = now_ns + CERTIFICATE_NS;
	if (!certificate_has_changed(&server->certificate))
		return;
	if (certificate_load(&server->certificate, server->tls, &err))
		log_line(ENRG_WARNING, "the changed certificate is not used, the one before still is: %s", err.text);
	else
		log_line(ENRG_INFO, "new connections get the changed certificate '%s'", server->certificate.path);
}

/* Due before the library waits: it would wait for the timer after this one. */
static void end_wait(lws_sorted_usec_list_t *timer)
{
	struct http_server *server = lws_container_of(timer, struct http_server, timer);

	lws_cancel_service(server->context);
}

static bool deliver(struct http_server *server)
{
	/* what was posted before the flag was set is seen behind it */
	if (!atomic_exchange_explicit(&server->is_woken, false, memory_order_acq_rel))
		return false;
	connections_deliver(&server->all);
	return true;
}

static int wait_and_serve(struct http_server *server, int timeout_ms)
{
	uint64_t now_ns = clock_mono_ns();
	uint64_t wait_ns = server->next_tick_ns > now_ns ? server->next_tick_ns - now_ns : 0;

	if (timeout_ms >= 0 && (uint64_t)timeout_ms * MS_NS < wait_ns)
		wait_ns = (uint64_t)timeout_ms * MS_NS;
	if (!wait_ns)
		return lws_service(server->context, -1);
	lws_sul_schedule(server->context, 0, &server->timer, end_wait, (lws_usec_t)(wait_ns / 1000 + 1));
	return lws_service(server->context, 0);
}

int http_turn(struct http_server *server, int timeout_ms)
{
	bool is_due = deliver(server);

	int rc = wait_and_serve(server, is_due ? 0 : timeout_ms);
	is_due |= deliver(server);
	uint64_t now_ns = clock_mono_ns();
	if (now_ns >= server->next_tick_ns) {
		server->next_tick_ns = now_ns + TICK_MS * MS_NS;
		set_accepting(server, true);
		connections_tick(&server->all);
		reload_certificate(server, now_ns);
		is_due = true;
	}
	if (is_due && server->params.on_turn)
		server->params.on_turn(server->params.context);
	return rc < 0 ? -EIO : 0;
}

void http_wake(struct http_server *server)
{
	if (atomic_exchange_explicit(&server->is_woken, true, memory_order_acq_rel))
		return;
	/* the main thread looks at the flag before it waits */
	if (!pthread_equal(pthread_self(), server->main))
		lws_cancel_service(server->context);
}

void http_answer(struct http_server *server, uint64_t request, struct web_response *response)
{
	if (!pthread_equal(pthread_self(), server->main)) {
		post_add_answer(&server->all.post, request, response);
		http_wake(server);
		return;
	}
	struct connection *connection = connections_find(&server->all, request);
	if (connection && connection->request_id == request)
		connection_answer(connection, response);
	else
		connections_drop_orphan(&server->all, request);
	web_bytes_release(response->body);
	response->body = NULL;
}

void http_socket_send(struct http_server *server, uint64_t socket, struct web_bytes *bytes, bool is_binary)
{
	post_send(&server->all.post, socket, bytes, is_binary);
	http_wake(server);
}

uint32_t http_socket_waiting(struct http_server *server, uint64_t socket)
{
	return post_waiting(&server->all.post, socket);
}

void http_socket_close(struct http_server *server, uint64_t socket, uint16_t code, const char *reason)
{
	post_close(&server->all.post, socket, code, reason);
	http_wake(server);
}

void http_get_counts(struct http_server *server, struct http_counts *ret_counts)
{
	struct connections *all = &server->all;

	for (size_t i = 0; i < sizeof(all->answers) / sizeof(all->answers[0]); i++)
		ret_counts->answers[i] = atomic_load_explicit(&all->answers[i], memory_order_relaxed);
	ret_counts->refused_limit = atomic_load_explicit(&all->refused_limit, memory_order_relaxed);
	ret_counts->connections = atomic_load_explicit(&all->connection_count, memory_order_relaxed);
	ret_counts->sockets = atomic_load_explicit(&all->socket_count, memory_order_relaxed);
}

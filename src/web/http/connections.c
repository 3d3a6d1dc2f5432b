#include "web/http/connections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define MS_NS UINT64_C(1000000)
enum { SLOTS_MORE = 8 }; /* for who comes while another is being closed for it */

/* The one that has waited for its next request for longest makes room. */
static bool close_idlest(struct connections *all)
{
	struct connection *idlest = NULL;

	for (uint32_t i = 0; i < all->slot_count; i++) {
		struct connection *one = &all->slots[i];
		if (one->state != CONNECTION_READING || one->is_begun || !one->answered || one->is_dying)
			continue;
		if (!idlest || one->since_ns < idlest->since_ns)
			idlest = one;
	}
	if (idlest)
		connection_kill(idlest);
	return idlest != NULL;
}

static struct connection *find_slot(struct connections *all)
{
	if (all->used >= all->params->limits.connections && !close_idlest(all))
		return NULL;
	for (uint32_t i = 0; i < all->slot_count; i++)
		if (all->slots[i].state == CONNECTION_FREE)
			return &all->slots[i];
	return NULL;
}

static void say_busy(struct connections *all, int descriptor)
{
	static const char text[] =
		"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n"
		"X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";

	connections_count(all, 503);
	if (!all->is_tls && send(descriptor, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return; /* it is closed in any case */
}

static void set_peer(struct connection *connection, int descriptor, const struct sockaddr_storage *socket)
{
	struct connections *all = connection->all;
	struct request_peer *peer = &connection->peer;
	struct sockaddr_storage own = {0};
	socklen_t bytes = sizeof(own);

	getsockname(descriptor, (struct sockaddr *)&own, &bytes);
	*peer = (struct request_peer){.connection = ++all->serial, .socket = *socket, .is_tls = all->is_tls};
	peer->port = address_format(socket, peer->address);
	peer->server_port = address_format(&own, peer->server_address);
	peer->is_loopback = address_is_loopback(socket) && address_is_loopback(&own);
	peer->is_proxy = request_is_proxy(&all->proxies, socket);
}

void connections_accept(struct connections *all, int descriptor, const struct sockaddr_storage *socket)
{
	const struct http_limits *limits = &all->params->limits;
	struct address *address = address_find(&all->addresses, socket, clock_mono_ns());
	struct connection *connection = NULL;

	/* behind a proxy everybody has its address */
	if (address &&
		(address->connections < limits->connections_per_address || request_is_proxy(&all->proxies, socket)))
		connection = find_slot(all);
	if (!connection) {
		say_busy(all, descriptor);
		close(descriptor);
		return;
	}
	set_peer(connection, descriptor, socket);
	connection->address = address;
	address->connections++;
	all->used++;
	atomic_fetch_add_explicit(&all->connection_count, 1, memory_order_relaxed);
	connection_set_state(connection, CONNECTION_READING, limits->request_ms * MS_NS);
	uint64_t serial = connection->peer.connection;
	lws_adopt_desc_t adoption = {.vh = all->vhost,
		.type = LWS_ADOPT_SOCKET | LWS_ADOPT_ALLOW_SSL,
		.fd = {.sockfd = descriptor},
		.vh_prot_name = "http",
		.opaque = connection};
	struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&adoption);
	if (connection->state == CONNECTION_FREE || connection->peer.connection != serial)
		return; /* it was closed on the way */
	if (wsi)
		connection->wsi = wsi;
	else
		connection_close(connection);
}

struct connection *connections_find(struct connections *all, uint64_t id)
{
	uint32_t slot = (uint32_t)(id % POST_SLOTS);
	struct connection *connection = slot < all->slot_count ? &all->slots[slot] : NULL;

	if (!id || !connection)
		return NULL;
	if (connection->request_id == id || (connection->websocket && connection->websocket->id == id))
		return connection;
	return NULL;
}

static void tick_socket(struct connection *connection, uint64_t now_ns)
{
	if (websocket_is_over(connection->websocket, now_ns))
		connection_kill(connection);
	else if (websocket_has_output(connection->websocket))
		lws_callback_on_writable(connection->wsi);
}

void connections_tick(struct connections *all)
{
	uint64_t now_ns = clock_mono_ns();

	for (uint32_t i = 0; i < all->slot_count; i++) {
		struct connection *connection = &all->slots[i];
		if (connection->state == CONNECTION_SOCKET)
			tick_socket(connection, now_ns);
		else if (connection->state != CONNECTION_FREE && connection->deadline_ns &&
			 now_ns > connection->deadline_ns)
			connection_end_by_time(connection);
	}
}

void connections_deliver(struct connections *all)
{
	for (struct post_answer *answer; (answer = post_take_answer(&all->post));) {
		struct connection *connection = connections_find(all, answer->request);
		if (connection && connection->request_id == answer->request)
			connection_answer(connection, &answer->response);
		else
			connections_drop_orphan(all, answer->request);
		web_bytes_release(answer->response.body);
		free(answer);
	}
	for (uint32_t i = 0; i < all->slot_count; i++) {
		struct connection *connection = &all->slots[i];
		if (connection->state == CONNECTION_SOCKET && websocket_has_output(connection->websocket))
			lws_callback_on_writable(connection->wsi);
	}
}

static int add_proxies(struct connections *all, const char *const *names, struct enrg_error *err)
{
	for (; names && *names; names++) {
		if (all->proxies.count == REQUEST_PROXIES_MAX)
			return enrg_error_set(err, ENRG_E_CONFIG, "more than %d proxies", REQUEST_PROXIES_MAX);
		if (!address_parse(*names, &all->proxies.addresses[all->proxies.count++]))
			return enrg_error_set(err, ENRG_E_CONFIG,
				"proxy '%s' is not an address: write that which its connections come from, such as "
				"192.0.2.7",
				*names);
	}
	return 0;
}

int connections_init(struct connections *all, const struct http_params *params, struct enrg_error *err)
{
	const struct http_limits *limits = &params->limits;
	struct address_limits rates = {limits->gets_per_second, limits->posts_per_second, limits->posts_burst};

	*all = (struct connections){.params = params,
		.slot_count = limits->connections + SLOTS_MORE,
		.is_tls = params->tls_certificate != NULL};
	int rc = add_proxies(all, params->proxies, err);
	if (rc)
		return rc;
	address_table_init(&all->addresses, &rates);
	all->body_budget = limits->body_bytes > (8 << 20) ? 4 * (size_t)limits->body_bytes : 32 << 20;
	all->slots = calloc(all->slot_count, sizeof(*all->slots));
	if (!all->slots || post_init(&all->post, all->slot_count)) {
		free(all->slots);
		all->slots = NULL;
		return enrg_error_set(err, -ENOMEM, "no memory for %u connections", all->slot_count);
	}
	for (uint32_t i = 0; i < all->slot_count; i++) {
		all->slots[i].all = all;
		all->slots[i].slot = i;
	}
	return 0;
}

void connections_fini(struct connections *all)
{
	for (uint32_t i = 0; all->slots && i < all->slot_count; i++)
		connection_close(&all->slots[i]);
	while (all->orphans)
		connections_drop_orphan(all, all->orphans->seen.id);
	post_fini(&all->post);
	free(all->slots);
	all->slots = NULL;
}

/* server.c: one ROUTER behind a gate; its port is opened when it can be, closed while too many are connected. */
#include "web/cnc/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "web/cnc/port_watch.h"

#define TURN_MESSAGES 500
#define RETRY_NS      1000000000ull

struct cnc_server {
	struct cnc_server_params params;
	struct gate gate;
	struct port_watch watch;
	struct peers peers;
	void *socket;
	char endpoint[FRAMES_ENDPOINT_MAX];
	bool is_bound, is_said, is_announced;
	uint64_t try_ns;
};

static uint16_t port_of(const struct cnc_server *server)
{
	return (uint16_t)server->params.options->server_port;
}

/* --- the port --- */

static bool may_say(struct cnc_server *server, enum notice kind, const char *who, uint64_t now_ns, unsigned *ret_kept)
{
	return notice_take(server->params.notices, kind, who, now_ns, ret_kept);
}

static int set_keys(struct cnc_server *server)
{
	const struct cnc_options *options = server->params.options;
	int rc = zmq_setsockopt(server->socket, ZMQ_ZAP_DOMAIN, "cnc", 3) ? -zmq_errno() : 0;

	if (rc || !options->curve_secret_key)
		return rc;
	rc = frames_set_int(server->socket, ZMQ_CURVE_SERVER, 1);
	if (!rc && zmq_setsockopt(server->socket, ZMQ_CURVE_SECRETKEY, options->curve_secret_key, 41))
		rc = -zmq_errno();
	return rc;
}

static void close_socket(struct cnc_server *server)
{
	if (server->socket)
		zmq_close(server->socket);
	server->socket = NULL;
	server->is_bound = false;
}

static int open_socket(struct cnc_server *server, struct enrg_error *err)
{
	server->socket = zmq_socket(server->params.context, ZMQ_ROUTER);
	if (!server->socket)
		return enrg_error_set(err, -zmq_errno(), "a ROUTER can't be made: %s", zmq_strerror(zmq_errno()));
	int rc = frames_set_limits(server->socket, CNC_FRAME_BYTES_MAX);
	if (!rc)
		rc = frames_set_int(server->socket, ZMQ_ROUTER_MANDATORY, 1);
	/* Who connects again is not locked out by its old connection; names are kept by the registry. */
	if (!rc)
		rc = frames_set_int(server->socket, ZMQ_ROUTER_HANDOVER, 1);
	if (!rc)
		rc = set_keys(server);
	if (!rc)
		return 0;
	close_socket(server);
	return enrg_error_set(err, rc, "options of a ROUTER: %s", zmq_strerror(-rc));
}

static void say_bound(struct cnc_server *server)
{
	const struct cnc_options *options = server->params.options;

	log_line(ENRG_INFO, "command and control: listening on %s%s", server->endpoint,
		options->curve_secret_key ? ", for machines with a key of cnc.curve_allowed_keys" : "");
	if (options->curve_secret_key || server->is_announced)
		return;
	server->is_announced = true;
	if (options->insecure)
		log_line(ENRG_WARNING,
			"command and control: cnc.insecure = true: whoever reaches port %u may start any program as "
			"this "
			"user; `enrgdaq cnc-keys` makes keys that end this",
			(unsigned)port_of(server));
	else
		log_line(ENRG_INFO, "command and control: no keys: other machines may register, send heartbeats and "
				    "logs; to command and "
				    "be commanded they need keys (`enrgdaq cnc-keys`), or cnc.insecure = true");
}

static int try_bind(struct cnc_server *server, struct enrg_error *err)
{
	int rc = frames_format_endpoint(
		server->params.options->server_host, port_of(server), true, server->endpoint, err);

	if (rc)
		return rc;
	if (frames_set_int(server->socket, ZMQ_IPV6, strchr(server->endpoint, '[') != NULL))
		return enrg_error_set(err, -zmq_errno(), "%s: %s", server->endpoint, zmq_strerror(zmq_errno()));
	if (!zmq_bind(server->socket, server->endpoint))
		return 0;
	int code = zmq_errno();
	return enrg_error_set(err, -code, "can't listen on %s: %s%s", server->endpoint, zmq_strerror(code),
		code == EADDRINUSE ? ": another program listens there; stop it, or choose another cnc.server_port"
				   : "; cnc.server_host of a server is an address of this machine");
}

static void bind_port(struct cnc_server *server, uint64_t now_ns)
{
	struct enrg_error err = {0};

	if (server->is_bound || now_ns < server->try_ns)
		return;
	server->try_ns = now_ns + RETRY_NS;
	if (!server->socket)
		port_watch_shrink(&server->watch); /* what was closed is free by now */
	if ((!server->socket && open_socket(server, &err)) || try_bind(server, &err)) {
		if (!server->is_said)
			log_line(ENRG_ERROR,
				"command and control: %s. No other machine is seen until then; data taking goes on, it "
				"is tried again every second",
				err.text);
		server->is_said = true;
		return;
	}
	server->is_bound = true;
	server->is_said = false;
	say_bound(server);
}

/* ZeroMQ closes single connections for nobody: all are closed, and clients come again. */
static void close_port(struct cnc_server *server, const char *why, uint64_t now_ns)
{
	unsigned kept;

	if (may_say(server, NOTICE_CLOSED, "", now_ns, &kept))
		log_line(ENRG_ERROR,
			"command and control: %s: all connections to port %u are closed, clients connect again within "
			"seconds",
			why, (unsigned)port_of(server));
	close_socket(server);
	server->try_ns = now_ns + RETRY_NS;
}

static void watch_port(struct cnc_server *server, uint64_t now_ns)
{
	/* What has grown may not be of this port, and stay: a closed one opens again, and that is its new measure. */
	if (!server->is_bound)
		return;
	switch (port_watch_look(&server->watch, port_of(server), now_ns)) {
	case PORT_QUIET:
		break;
	case PORT_FULL:
		log_line(ENRG_WARNING,
			"command and control: %u connections to port %u are there: no new ones are taken until some "
			"end",
			PORT_CONNECTIONS_MAX, (unsigned)port_of(server));
		break;
	case PORT_CROWDED:
		close_port(server, "too many machines connect and say nothing", now_ns);
		break;
	case PORT_SWOLLEN:
		close_port(server, "a machine fills the memory with a message that does not end", now_ns);
		break;
	}
	server->gate.is_full = port_watch_is_full(&server->watch);
}

/* --- messages --- */

static void say_taken(struct cnc_server *server, const struct cnc_peer *peer, const char *owner, uint64_t now_ns)
{
	unsigned kept;

	if (may_say(server, NOTICE_NAME, peer->address, now_ns, &kept))
		log_line(ENRG_WARNING,
			"command and control: a machine at %s calls itself \"%s\", which is the name of %s: it is "
			"not heard; give each its own info.supervisor_id",
			peer->address, peer->name, owner);
}

/* Whether it may go on: it is registered, or needs not to be. */
static bool register_peer(struct cnc_server *server, const struct cnc_peer *peer, const char *key,
	const struct cnc_message *message, uint64_t now_ns)
{
	char owner[REGISTRY_OWNER_BYTES] = "this system itself";
	unsigned kept;

	if (!peer->name[0])
		return true;
	if (!strcmp(peer->name, server->params.own_id)) {
		say_taken(server, peer, owner, now_ns);
		return false;
	}
	switch (registry_see(server->params.registry,
		&(struct registry_sight){.name = peer->name,
			.owner = *key ? key : peer->address,
			.is_loopback = frames_is_loopback(peer->address),
			.info = json_object_get(message->json, "supervisor_info"),
			.now_ns = now_ns},
		owner)) {
	case REGISTRY_KNOWN:
		return true;
	case REGISTRY_NEW:
		if (may_say(server, NOTICE_NEW, peer->name, now_ns, &kept))
			log_line(ENRG_INFO, "command and control: \"%s\" has registered from %s", peer->name,
				peer->address);
		return true;
	case REGISTRY_TAKEN:
		/* Each would take the connection of the other away, again and again. */
		gate_block(&server->gate, peer->address, now_ns);
		say_taken(server, peer, owner, now_ns);
		return false;
	case REGISTRY_FULL:
		if (may_say(server, NOTICE_FULL, "", now_ns, &kept))
			log_line(ENRG_WARNING,
				"command and control: \"%s\" at %s is not registered: %u clients are, the most there "
				"may be",
				peer->name, peer->address, REGISTRY_CLIENTS_MAX);
		return false;
	case REGISTRY_NO_MEMORY:
		return false;
	}
	return false;
}

static void hear(struct cnc_server *server, const struct cnc_peer *peer, struct cnc_message *message)
{
	if (cnc_type_is_request(message->type))
		server->params.on_request(server->params.user, peer, message);
	else if (message->type == CNC_LOG && peer->name[0])
		registry_add_log(server->params.registry, peer->name, json_incref(message->json));
	else
		requests_answer(server->params.requests, peer->name, message);
}

static void say_bad(struct cnc_server *server, const struct cnc_peer *peer, const char *what, uint64_t now_ns)
{
	unsigned kept;

	if (may_say(server, NOTICE_BAD, peer->address, now_ns, &kept))
		log_line(ENRG_WARNING,
			"command and control: a message of %s%s%s was thrown away: %s (%u more of that machine since "
			"the last "
			"such line)",
			peer->address, *peer->name ? ", " : "", peer->name, what, kept);
}

/* A client calls itself the same in both places. */
static bool is_consistent(const struct cnc_peer *peer, const struct cnc_message *message)
{
	const json_t *info = json_object_get(message->json, "supervisor_info");
	const char *id = json_string_value(json_object_get(info, "supervisor_id"));

	return message->type != CNC_HEARTBEAT || (id && !strcmp(id, peer->name));
}

static void on_body(
	struct cnc_server *server, const struct cnc_peer *peer, const char *key, zmq_msg_t *body, uint64_t now_ns)
{
	struct cnc_message message;
	struct enrg_error err = {0};

	if (cnc_message_parse(zmq_msg_data(body), zmq_msg_size(body), &message, &err)) {
		say_bad(server, peer, err.text, now_ns);
		return;
	}
	if (!is_consistent(peer, &message))
		say_bad(server, peer, "a heartbeat whose supervisor_id is not the ZeroMQ identity of its sender",
			now_ns);
	else if (register_peer(server, peer, key, &message, now_ns))
		hear(server, peer, &message);
	cnc_message_fini(&message);
}

static void on_frames(struct cnc_server *server, struct frames *frames, uint64_t now_ns)
{
	const struct cnc_options *options = server->params.options;
	char name[256] = "", key[GATE_KEY_BYTES], address[64];
	zmq_msg_t *identity = &frames->items[0], *last = &frames->items[frames->count - 1];
	uint64_t connection = gate_connection(last, key);
	unsigned kept;

	text_copy(address, sizeof(address), frames_address(last));
	if (cnc_name_is_good(zmq_msg_data(identity), zmq_msg_size(identity)))
		memcpy(name, zmq_msg_data(identity), zmq_msg_size(identity));
	struct cnc_peer peer = {.identity = zmq_msg_data(identity),
		.identity_bytes = zmq_msg_size(identity),
		.name = name,
		.address = address,
		.may_command = *key || options->insecure};
	if (!peers_count(&server->peers, connection, now_ns, (uint32_t)options->messages_per_second_max)) {
		if (may_say(server, NOTICE_FAST, address, now_ns, &kept))
			log_line(ENRG_WARNING,
				"command and control: %s%s%s sends more than %lld messages a second "
				"(cnc.messages_per_second_max): the rest is thrown away",
				address, *name ? ", " : "", name, (long long)options->messages_per_second_max);
	} else if (frames->count != 2 || frames->is_longer) {
		say_bad(server, &peer, "it has not just one frame", now_ns);
	} else {
		on_body(server, &peer, key, last, now_ns);
	}
}

bool cnc_server_turn(struct cnc_server *server, uint64_t now_ns)
{
	struct frames frames;
	unsigned heard = 0;

	bind_port(server, now_ns);
	watch_port(server, now_ns);
	gate_turn(&server->gate, now_ns);
	while (server->socket && heard < TURN_MESSAGES && frames_recv(server->socket, &frames) > 0) {
		on_frames(server, &frames, now_ns);
		frames_fini(&frames);
		heard++;
	}
	return heard == TURN_MESSAGES;
}

int cnc_server_send(struct cnc_server *server, const void *identity, size_t identity_bytes, const json_t *json,
	struct enrg_error *err)
{
	struct wire_writer writer;
	int rc = cnc_message_format(json, &writer, err);

	if (!rc)
		rc = frames_send(server->socket, identity, identity_bytes, true);
	if (!rc)
		rc = frames_send(server->socket, writer.bytes, writer.count, false);
	wire_writer_fini(&writer);
	return rc;
}

/* --- life --- */

int cnc_server_open(const struct cnc_server_params *params, struct cnc_server **ret_server, struct enrg_error *err)
{
	struct cnc_server *server = calloc(1, sizeof(*server));

	if (!server)
		return enrg_error_set(err, -ENOMEM, "no memory for a server of command and control");
	server->params = *params;
	server->gate.has_keys = params->options->curve_secret_key;
	server->gate.allowed = &params->options->curve_allowed_keys;
	server->gate.notices = params->notices;
	int rc = gate_open(&server->gate, params->context, err);
	if (!rc)
		rc = open_socket(server, err);
	if (rc) {
		cnc_server_close(server);
		return rc;
	}
	port_watch_shrink(&server->watch);
	*ret_server = server;
	return 0;
}

void cnc_server_close(struct cnc_server *server)
{
	if (!server)
		return;
	close_socket(server);
	gate_close(&server->gate);
	free(server);
}

unsigned cnc_server_items(struct cnc_server *server, zmq_pollitem_t *ret_items)
{
	ret_items[0] = (zmq_pollitem_t){.socket = server->gate.socket, .events = ZMQ_POLLIN};
	ret_items[1] = (zmq_pollitem_t){.socket = server->socket, .events = ZMQ_POLLIN};
	return server->socket ? 2 : 1;
}

/* client.c: one DEALER, made anew when it has not been connected for some seconds: ZeroMQ gives up where a server
 * refused it or does not speak its language. */
#include "web/cnc/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/outage.h"

#define BEAT_NS       1000000000ull
#define ANEW_NS       15000000000ull /* without a connection */
#define REFUSED_NS    2000000000ull  /* after which ZeroMQ does not try again */
#define ABSENT_NS     3000000000ull  /* then it is said that it does not answer */
#define RECONNECT_MS  200
#define TURN_MESSAGES 200
#define LOGS_MAX      100u /* lines fetched at a time, and at the start */
#define SEND_QUEUE    256

struct cnc_client {
	struct cnc_client_params params;
	void *socket, *monitor;
	char endpoint[FRAMES_ENDPOINT_MAX];
	bool is_connected, was_connected, is_refused;
	uint64_t beat_ns, alive_ns; /* connected, or opened, last */
	uint64_t look_ns, begin_ns;
	struct outage outage; /* of the server */
	const char *why;      /* it is away; NULL: nobody has said */
	unsigned opened;
	uint64_t log_position;
	json_t *lines; /* fetched and not sent; NULL */
	size_t line;
};

/* --- the socket --- */

static int set_keys(struct cnc_client *client)
{
	const struct cnc_options *options = client->params.options;

	if (!options->curve_server_key || !options->curve_secret_key)
		return 0;
	if (zmq_setsockopt(client->socket, ZMQ_CURVE_SERVERKEY, options->curve_server_key, 41) ||
		zmq_setsockopt(client->socket, ZMQ_CURVE_PUBLICKEY, options->curve_public_key, 41) ||
		zmq_setsockopt(client->socket, ZMQ_CURVE_SECRETKEY, options->curve_secret_key, 41))
		return -zmq_errno();
	return 0;
}

static int set_options(struct cnc_client *client)
{
	const char *id = client->params.own_id;
	const struct {
		int option, value;
	} rows[] = {{ZMQ_SNDHWM, SEND_QUEUE}, {ZMQ_IMMEDIATE, 1}, {ZMQ_RECONNECT_IVL, RECONNECT_MS},
		{ZMQ_IPV6, strchr(client->endpoint, '[') != NULL}};
	int rc = frames_set_limits(client->socket, CNC_FRAME_BYTES_MAX);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !rc; i++)
		rc = frames_set_int(client->socket, rows[i].option, rows[i].value);
	if (!rc && zmq_setsockopt(client->socket, ZMQ_ROUTING_ID, id, strlen(id)))
		rc = -zmq_errno();
	return rc ? rc : set_keys(client);
}

static int watch(struct cnc_client *client)
{
	char address[64];

	snprintf(address, sizeof(address), "inproc://cnc-client-%u", ++client->opened);
	if (zmq_socket_monitor(client->socket, address,
		    ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
			    ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL))
		return -zmq_errno();
	client->monitor = zmq_socket(client->params.context, ZMQ_PAIR);
	if (!client->monitor || zmq_connect(client->monitor, address))
		return -zmq_errno();
	return frames_set_int(client->monitor, ZMQ_LINGER, 0);
}

static void close_socket(struct cnc_client *client)
{
	if (client->monitor)
		zmq_close(client->monitor);
	if (client->socket)
		zmq_close(client->socket);
	client->monitor = client->socket = NULL;
	client->is_connected = false;
}

static int open_socket(struct cnc_client *client, struct enrg_error *err)
{
	const struct cnc_options *options = client->params.options;
	int rc = frames_format_endpoint(
		options->server_host, (uint16_t)options->server_port, false, client->endpoint, err);

	if (rc)
		return rc;
	client->socket = zmq_socket(client->params.context, ZMQ_DEALER);
	rc = client->socket ? set_options(client) : -zmq_errno();
	if (!rc)
		rc = watch(client);
	if (!rc && zmq_connect(client->socket, client->endpoint))
		rc = -zmq_errno();
	if (!rc)
		return 0;
	close_socket(client);
	return enrg_error_set(err, rc, "%s: %s", client->endpoint, zmq_strerror(-rc));
}

/* Of a server that sends what is none. */
static void say_bad(struct cnc_client *client, const char *what, uint64_t now_ns)
{
	unsigned kept;

	if (notice_take(client->params.notices, NOTICE_BAD, "server", now_ns, &kept))
		log_line(ENRG_WARNING, "command and control: a message of the server %s was thrown away: %s",
			client->endpoint, what);
}

/* A number that differs where the reason does: texts of this file. */
static int code_of(const char *why)
{
	return (int)((uintptr_t)why & 0x7fffffff);
}

/* A folder that names no server has [cnc] for REST alone, most often: then nothing is wrong. */
static void tell_away(const struct cnc_client *client)
{
	const char *host = client->params.options->server_host;

	if (host || client->params.options->curve_server_key)
		log_line(ENRG_WARNING,
			"command and control: server %s: %s. This system is not seen there meanwhile; data taking "
			"goes "
			"on, it is tried again for ever",
			*client->endpoint || !host ? client->endpoint : host, client->why);
	else
		log_line(ENRG_INFO,
			"command and control: no server on this machine (%s: %s). Nothing is wrong where this system "
			"is "
			"the only one; else set cnc.server_host to its server's address, or cnc.is_server = true here",
			client->endpoint, client->why);
}

/* Once a second, and when something has happened. */
static void look(struct cnc_client *client, uint64_t now_ns)
{
	uint64_t span_ns;
	char span[40];

	if (client->is_connected) {
		if (outage_end(&client->outage, now_ns, &span_ns)) {
			clock_format_span(span_ns, span, sizeof(span));
			log_line(ENRG_INFO, "command and control: connected to the server %s, after %s",
				client->endpoint, span);
		}
		return;
	}
	if (!client->why && now_ns - client->begin_ns < ABSENT_NS)
		return;
	if (!client->why)
		client->why = "it does not answer";
	if (outage_note(&client->outage, code_of(client->why), now_ns) != OUTAGE_QUIET)
		tell_away(client);
}

static void away(struct cnc_client *client, const char *why, uint64_t now_ns)
{
	client->why = why;
	look(client, now_ns);
}

static void open_anew(struct cnc_client *client, uint64_t now_ns)
{
	struct enrg_error err = {0};

	uint64_t span_ns = client->is_refused ? REFUSED_NS : client->socket ? ANEW_NS : BEAT_NS;
	if (client->is_connected || (client->alive_ns && now_ns - client->alive_ns < span_ns))
		return;
	close_socket(client);
	client->is_refused = false;
	client->alive_ns = now_ns;
	if (open_socket(client, &err))
		away(client, "its name can't be resolved, or there is no socket for it", now_ns);
}

/* --- what the monitor tells --- */

static const char not_allowed[] =
	"it has refused the key of this system: add cnc.curve_public_key to cnc.curve_allowed_keys there";
static const char other_keys[] = "it has other keys (compare cnc.curve_server_key with cnc.curve_public_key there), or "
				 "none, or is no server of command and control";
static const char says_nothing[] =
	"it ends the connection before a word is said: it wants keys (`enrgdaq cnc-keys`, docs/cnc.md), takes no more "
	"connections now, or is no server of command and control";
static const char wants_keys[] =
	"it wants keys (`enrgdaq cnc-keys`, docs/cnc.md), or is no server of command and control";

static void on_event(struct cnc_client *client, unsigned event, uint64_t now_ns)
{
	bool has_keys = client->params.options->curve_server_key;

	switch (event) {
	case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
		client->is_connected = true;
		client->beat_ns = 0;
		client->why = NULL;
		if (!client->was_connected && !client->outage.since_ns)
			log_line(ENRG_INFO, "command and control: connected to the server %s", client->endpoint);
		client->was_connected = true;
		look(client, now_ns);
		break;
	case ZMQ_EVENT_DISCONNECTED:
		client->alive_ns = now_ns;
		if (client->is_connected) {
			client->is_connected = false;
			away(client, "the connection is lost", now_ns);
		}
		break;
	case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
		client->is_refused = true;
		away(client, has_keys ? not_allowed : wants_keys, now_ns);
		break;
	case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
		client->is_refused = true;
		away(client, has_keys ? other_keys : wants_keys, now_ns);
		break;
	case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
		away(client, says_nothing, now_ns);
		break;
	default:
		break;
	}
}

static void hear_monitor(struct cnc_client *client, uint64_t now_ns)
{
	struct frames frames;

	while (client->monitor && frames_recv(client->monitor, &frames) > 0) {
		uint16_t event = 0;
		if (zmq_msg_size(&frames.items[0]) >= sizeof(event))
			memcpy(&event, zmq_msg_data(&frames.items[0]), sizeof(event));
		frames_fini(&frames);
		on_event(client, event, now_ns);
	}
}

/* --- what the server says --- */

static void on_frames(struct cnc_client *client, struct frames *frames, uint64_t now_ns)
{
	const struct cnc_options *options = client->params.options;
	struct cnc_message message;
	struct enrg_error err = {0};
	zmq_msg_t *body = &frames->items[0];
	const char *address = frames_address(body);

	if (frames->count != 1 || frames->is_longer)
		say_bad(client, "it has not just one frame", now_ns);
	else if (cnc_message_parse(zmq_msg_data(body), zmq_msg_size(body), &message, &err))
		say_bad(client, err.text, now_ns);
	else {
		bool may_command = options->curve_server_key || options->insecure || frames_is_loopback(address);
		if (cnc_type_is_request(message.type))
			client->params.on_request(client->params.user, address, may_command, &message);
		cnc_message_fini(&message);
	}
}

/* --- what it is told --- */

int cnc_client_send(struct cnc_client *client, const json_t *json, struct enrg_error *err)
{
	struct wire_writer writer;
	int rc = cnc_message_format(json, &writer, err);

	if (!rc)
		rc = client->is_connected ? frames_send(client->socket, writer.bytes, writer.count, false) : -EAGAIN;
	wire_writer_fini(&writer);
	return rc;
}

static void beat(struct cnc_client *client, uint64_t now_ns)
{
	if (!client->is_connected || now_ns - client->beat_ns < BEAT_NS)
		return;
	json_t *json = json_pack(
		"{s:s, s:o}", "type", cnc_type_name(CNC_HEARTBEAT), "supervisor_info", node_info(client->params.node));
	cnc_client_send(client, json, NULL);
	json_decref(json);
	client->beat_ns = now_ns;
	if (!client->lines)
		client->lines = node_logs(client->params.node, &client->log_position, LOGS_MAX);
}

static bool is_wanted(const struct cnc_client *client, const json_t *line)
{
	const char *text = json_string_value(json_object_get(line, "level"));
	enum enrg_level level = ENRG_INFO;

	return !text || log_parse_level(text, &level) || (int)level >= client->params.options->verbosity;
}

static int send_line(struct cnc_client *client, json_t *line)
{
	if (!is_wanted(client, line))
		return 0;
	json_t *json = json_copy(line);
	json_object_set_new(json, "type", json_string(cnc_type_name(CNC_LOG)));
	int rc = cnc_client_send(client, json, NULL);
	json_decref(json);
	return rc;
}

static void send_lines(struct cnc_client *client)
{
	while (client->lines && client->line < json_array_size(client->lines)) {
		if (send_line(client, json_array_get(client->lines, client->line)) == -EAGAIN)
			return;
		client->line++;
	}
	json_decref(client->lines);
	client->lines = NULL;
	client->line = 0;
}

bool cnc_client_turn(struct cnc_client *client, uint64_t now_ns)
{
	struct frames frames;
	unsigned heard = 0;

	open_anew(client, now_ns);
	hear_monitor(client, now_ns);
	if (now_ns - client->look_ns >= BEAT_NS) {
		client->look_ns = now_ns;
		look(client, now_ns);
	}
	while (client->socket && heard < TURN_MESSAGES && frames_recv(client->socket, &frames) > 0) {
		on_frames(client, &frames, now_ns);
		frames_fini(&frames);
		heard++;
	}
	beat(client, now_ns);
	send_lines(client);
	return heard == TURN_MESSAGES;
}

/* --- life --- */

int cnc_client_open(const struct cnc_client_params *params, struct cnc_client **ret_client, struct enrg_error *err)
{
	struct cnc_client *client = calloc(1, sizeof(*client));

	if (!client)
		return enrg_error_set(err, -ENOMEM, "no memory for a client of command and control");
	client->params = *params;
	client->begin_ns = clock_mono_ns();
	*ret_client = client;
	return 0;
}

void cnc_client_close(struct cnc_client *client)
{
	if (!client)
		return;
	close_socket(client);
	json_decref(client->lines);
	free(client);
}

unsigned cnc_client_items(struct cnc_client *client, zmq_pollitem_t *ret_items)
{
	if (!client->socket)
		return 0;
	ret_items[0] = (zmq_pollitem_t){.socket = client->socket, .events = ZMQ_POLLIN};
	ret_items[1] = (zmq_pollitem_t){.socket = client->monitor, .events = ZMQ_POLLIN};
	return CNC_CLIENT_ITEMS;
}

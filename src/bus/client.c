/* client.c: a process's end of the bus. Belongs to one thread of a job, the supervisor or the web service.
 *
 * The publishing socket is an XPUB: unlike PUB it shows the subscriptions that arrive, so that create can wait until
 * the broker's first one is there. What is sent from then on reaches everybody who had subscribed. */
#include "bus/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "bus/socket.h"

#define CLIENT_WATERMARK   10000
#define CLIENT_LINGER_MS   100
#define CLIENT_GREETING_MS 200
/* Pause between attempts to reach a broker that is not there: grows to the second number. */
#define CLIENT_RECONNECT_MS     200
#define CLIENT_RECONNECT_MAX_MS 2000

#define WISHES_MAX 64u

struct bus_client {
	void *context;
	void *publisher;  /* XPUB */
	void *subscriber; /* SUB */
	char supervisor[256], job[256], job_type[128];
	uint64_t malformed;
	uint64_t sent_bytes;
	/* Beginnings of topics that somebody reads, as the broker has told them. */
	struct wish {
		char text[TOPIC_BYTES_MAX];
		size_t bytes;
	} * wishes;
	size_t wish_count, wish_room;
	bool is_all_wanted; /* there were more, or no memory for them */
};

static bool make_room(struct bus_client *client)
{
	size_t room = client->wish_room ? 2 * client->wish_room : 4;

	if (client->wish_count < client->wish_room)
		return true;
	struct wish *wishes = room <= WISHES_MAX ? realloc(client->wishes, room * sizeof(*wishes)) : NULL;
	if (!wishes)
		return false;
	client->wishes = wishes;
	client->wish_room = room;
	return true;
}

/* `message`: 1 or 0, then the beginning of topics. */
static void note_wish(struct bus_client *client, const uint8_t *message, size_t bytes)
{
	size_t at = 0;

	if (!bytes || bytes > TOPIC_BYTES_MAX + 1 || client->is_all_wanted)
		return;
	while (at < client->wish_count &&
		(client->wishes[at].bytes != bytes - 1 || memcmp(client->wishes[at].text, message + 1, bytes - 1) != 0))
		at++;
	if (!message[0]) {
		if (at < client->wish_count)
			client->wishes[at] = client->wishes[--client->wish_count];
		return;
	}
	if (at < client->wish_count)
		return;
	if (!make_room(client)) {
		client->is_all_wanted = true;
		return;
	}
	memcpy(client->wishes[at].text, message + 1, bytes - 1);
	client->wishes[client->wish_count++].bytes = bytes - 1;
}

/* ZeroMQ hands subscriptions to the owner of an XPUB: left alone they would pile up. */
static void take_subscriptions(struct bus_client *client)
{
	struct socket_message message;
	int rc;

	while ((rc = socket_recv(client->publisher, 1, &message)) == 1 || rc == ENRG_E_PROTOCOL) {
		if (rc != 1)
			continue;
		note_wish(client, zmq_msg_data(&message.frames[0]), zmq_msg_size(&message.frames[0]));
		socket_message_fini(&message);
	}
}

bool bus_client_is_wanted(struct bus_client *client, const char *topic)
{
	size_t bytes = strlen(topic);

	take_subscriptions(client);
	for (size_t i = 0; i < client->wish_count; i++)
		if (client->wishes[i].bytes <= bytes && !memcmp(client->wishes[i].text, topic, client->wishes[i].bytes))
			return true;
	return client->is_all_wanted;
}

static int connect_socket(void *socket, int64_t bytes_max, const char *url, struct enrg_error *err)
{
	int rc = socket_check_url(url, err);

	if (rc)
		return rc;
	if (zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &bytes_max, sizeof(bytes_max)) ||
		socket_set_int(socket, ZMQ_LINGER, CLIENT_LINGER_MS) ||
		socket_set_int(socket, ZMQ_SNDHWM, CLIENT_WATERMARK) ||
		socket_set_int(socket, ZMQ_RCVHWM, CLIENT_WATERMARK) ||
		socket_set_int(socket, ZMQ_RECONNECT_IVL, CLIENT_RECONNECT_MS) ||
		socket_set_int(socket, ZMQ_RECONNECT_IVL_MAX, CLIENT_RECONNECT_MAX_MS))
		return socket_fail(err, "set up", url);
	return zmq_connect(socket, url) ? socket_fail(err, "connect", url) : 0;
}

static int copy_name(char *ret_name, size_t name_bytes, const char *name, struct enrg_error *err)
{
	if (!name)
		name = "";
	if (strlen(name) >= name_bytes)
		return enrg_error_set(
			err, ENRG_E_CONFIG, "the name %.40s… has more than %zu bytes", name, name_bytes - 1);
	memcpy(ret_name, name, strlen(name) + 1);
	return 0;
}

static int open_client(struct bus_client *client, const struct bus_client_params *params, struct enrg_error *err)
{
	int rc = copy_name(client->supervisor, sizeof(client->supervisor), params->supervisor, err);

	if (!rc)
		rc = copy_name(client->job, sizeof(client->job), params->job, err);
	if (!rc)
		rc = copy_name(client->job_type, sizeof(client->job_type), params->job_type, err);
	if (rc)
		return rc;
	client->context = zmq_ctx_new();
	if (!client->context)
		return enrg_error_set(err, -ENOMEM, "no ZeroMQ context");
	client->publisher = zmq_socket(client->context, ZMQ_XPUB);
	client->subscriber = zmq_socket(client->context, ZMQ_SUB);
	if (!client->publisher || !client->subscriber)
		return socket_fail(err, "open", params->publish_url);
	rc = connect_socket(client->publisher, TOPIC_BYTES_MAX + 32, params->publish_url, err);
	if (!rc)
		rc = connect_socket(client->subscriber, ENVELOPE_BYTES_MAX, params->subscribe_url, err);
	return rc;
}

int bus_client_create(const struct bus_client_params *params, struct bus_client **ret_client, struct enrg_error *err)
{
	struct bus_client *client = calloc(1, sizeof(*client));

	if (!client)
		return enrg_error_set(err, -ENOMEM, "no memory for the bus");
	int rc = open_client(client, params, err);
	if (rc) {
		enrg_error_add(err, rc, "message bus");
		bus_client_destroy(client);
		return rc;
	}
	/* Without a broker go on: ZeroMQ connects when there is one. */
	zmq_pollitem_t item = {.socket = client->publisher, .events = ZMQ_POLLIN};
	zmq_poll(&item, 1, CLIENT_GREETING_MS);
	take_subscriptions(client);
	*ret_client = client;
	return 0;
}

void bus_client_destroy(struct bus_client *client)
{
	if (!client)
		return;
	if (client->publisher)
		zmq_close(client->publisher);
	if (client->subscriber)
		zmq_close(client->subscriber);
	if (client->context)
		zmq_ctx_term(client->context);
	free(client->wishes);
	free(client);
}

int bus_client_subscribe(struct bus_client *client, const char *topic_prefix, struct enrg_error *err)
{
	size_t count = strlen(topic_prefix);

	if (count > TOPIC_BYTES_MAX)
		return enrg_error_set(
			err, ENRG_E_PROTOCOL, "a topic of %zu bytes (at most %u)", count, TOPIC_BYTES_MAX);
	if (zmq_setsockopt(client->subscriber, ZMQ_SUBSCRIBE, topic_prefix, count))
		return socket_fail(err, "subscribe to", topic_prefix);
	return 0;
}

int bus_client_send(
	struct bus_client *client, const char *topic, const char *kind, json_t *body, struct enrg_error *err)
{
	struct envelope envelope = {.pid = getpid(), .body = body};
	size_t topic_bytes = strlen(topic), count;
	void *bytes;

	if (topic_bytes > TOPIC_BYTES_MAX)
		return enrg_error_set(
			err, ENRG_E_PROTOCOL, "a topic of %zu bytes (at most %u)", topic_bytes, TOPIC_BYTES_MAX);
	if (strlen(kind) >= sizeof(envelope.kind))
		return enrg_error_set(err, ENRG_E_PROTOCOL, "the kind %.40s… is too long", kind);
	if (!bus_client_is_wanted(client, topic))
		return 0;
	strcpy(envelope.kind, kind);
	strcpy(envelope.supervisor, client->supervisor);
	strcpy(envelope.job, client->job);
	strcpy(envelope.job_type, client->job_type);
	int rc = envelope_format(&envelope, &bytes, &count, err);
	if (rc)
		return rc;
	rc = socket_send_bytes(client->publisher, topic, topic_bytes, true);
	if (!rc)
		rc = socket_send_bytes(client->publisher, bytes, count, false);
	free(bytes);
	client->sent_bytes += rc ? 0 : topic_bytes + count;
	return rc ? enrg_error_set(err, rc, "send %s: %s", topic, zmq_strerror(-rc)) : 0;
}

static int open_message(struct bus_client *client, struct socket_message *message, char *ret_topic, size_t topic_bytes,
	struct envelope *ret_envelope, struct enrg_error *err)
{
	size_t count = zmq_msg_size(&message->frames[0]);
	const char *topic = zmq_msg_data(&message->frames[0]);
	int rc = 0;

	if (message->count != 2 || count > TOPIC_BYTES_MAX || count >= topic_bytes || memchr(topic, 0, count))
		rc = enrg_error_set(err, ENRG_E_PROTOCOL, "a message without a usable topic and an envelope");
	if (!rc)
		rc = envelope_parse(
			zmq_msg_data(&message->frames[1]), zmq_msg_size(&message->frames[1]), ret_envelope, err);
	if (rc) {
		client->malformed++;
		return rc;
	}
	memcpy(ret_topic, topic, count);
	ret_topic[count] = 0;
	return 1;
}

int bus_client_recv(struct bus_client *client, int timeout_ms, char *ret_topic, size_t topic_bytes,
	struct envelope *ret_envelope, struct enrg_error *err)
{
	struct socket_message message;
	int rc = socket_recv(client->subscriber, 2, &message);

	if (!rc && timeout_ms) {
		zmq_pollitem_t item = {.socket = client->subscriber, .events = ZMQ_POLLIN};
		if (zmq_poll(&item, 1, timeout_ms) <= 0)
			return 0; /* also a signal: the caller looks at its flags */
		rc = socket_recv(client->subscriber, 2, &message);
	}
	if (!rc)
		return 0;
	if (rc < 0) {
		client->malformed++;
		return enrg_error_set(err, ENRG_E_PROTOCOL, "a message of more than two frames");
	}
	rc = open_message(client, &message, ret_topic, topic_bytes, ret_envelope, err);
	socket_message_fini(&message);
	return rc;
}

int bus_client_descriptor(struct bus_client *client)
{
	int descriptor = -1;
	size_t count = sizeof(descriptor);

	zmq_getsockopt(client->subscriber, ZMQ_FD, &descriptor, &count);
	return descriptor;
}

int bus_client_wishes_descriptor(struct bus_client *client)
{
	int descriptor = -1;
	size_t count = sizeof(descriptor);

	zmq_getsockopt(client->publisher, ZMQ_FD, &descriptor, &count);
	return descriptor;
}

uint64_t bus_client_sent_bytes(const struct bus_client *client)
{
	return client->sent_bytes;
}

uint64_t bus_client_malformed(const struct bus_client *client)
{
	return client->malformed;
}

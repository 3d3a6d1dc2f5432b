/* broker.c: forwards what clients publish to those who subscribed. Runs in the supervisor, on a thread of its own that
 * sleeps until something comes.
 *
 * It never looks into an envelope. What it refuses is what could hurt itself: messages of other than two frames, topics
 * and subscriptions longer than TOPIC_BYTES_MAX, frames larger than ENVELOPE_BYTES_MAX. */
#include "bus/bus.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bus/interest.h"
#include "bus/socket.h"

/* Messages that wait for a subscriber that does not read; beyond them it misses some. */
#define BROKER_WATERMARK 10000
#define CONTROL_URL      "inproc://control"
/* To which nobody publishes: gives each client a first subscription, by which it knows that the broker hears it. */
#define GREETING_TOPIC "bus.greeting"

struct broker {
	void *context;
	void *publishers;  /* XSUB */
	void *subscribers; /* XPUB */
	void *control_far, *control_near;
	pthread_t thread;
	bool has_thread;
	_Atomic uint64_t refused;
	struct interest interest; /* of the thread */
};

static void refuse(struct broker *broker)
{
	atomic_fetch_add_explicit(&broker->refused, 1, memory_order_relaxed);
}

/* Messages of publishers to subscribers; a bounded number in one go, so that both directions advance. */
static void forward_messages(struct broker *broker)
{
	for (unsigned i = 0; i < 256; i++) {
		struct socket_message message;
		int rc = socket_recv(broker->publishers, 2, &message);
		if (!rc)
			return;
		if (rc < 0) {
			refuse(broker);
		} else if (message.count != 2 || zmq_msg_size(&message.frames[0]) > TOPIC_BYTES_MAX) {
			refuse(broker);
			socket_message_fini(&message);
		} else {
			socket_send(broker->subscribers, &message);
		}
	}
}

static void forward_subscriptions(struct broker *broker)
{
	for (unsigned i = 0; i < 256; i++) {
		struct socket_message message;
		int rc = socket_recv(broker->subscribers, 1, &message);
		if (!rc)
			return;
		if (rc < 0) {
			refuse(broker);
			continue;
		}
		size_t count = zmq_msg_size(&message.frames[0]);
		const uint8_t *bytes = zmq_msg_data(&message.frames[0]);
		if (!count || count > TOPIC_BYTES_MAX + 1 || bytes[0] > 1)
			refuse(broker);
		else if ((count = interest_note(&broker->interest, bytes, count)))
			socket_send_bytes(broker->publishers, bytes, count, false);
		socket_message_fini(&message);
	}
}

/* "" is the end; else two addresses, as sockets belong to this thread alone. false: it is the end. */
static bool obey(struct broker *broker)
{
	struct socket_message message;
	int rc = socket_recv(broker->control_far, 2, &message), code = 0;

	if (rc <= 0)
		return true;
	if (message.count == 2) {
		code = socket_bind(broker->publishers, zmq_msg_data(&message.frames[0]), NULL);
		if (!code)
			code = socket_bind(broker->subscribers, zmq_msg_data(&message.frames[1]), NULL);
		zmq_send(broker->control_far, &code, sizeof(code), 0);
	}
	rc = message.count == 2;
	socket_message_fini(&message);
	return rc;
}

static void *broker_main(void *opaque)
{
	struct broker *broker = opaque;
	zmq_pollitem_t items[] = {
		{.socket = broker->control_far, .events = ZMQ_POLLIN},
		{.socket = broker->publishers, .events = ZMQ_POLLIN},
		{.socket = broker->subscribers, .events = ZMQ_POLLIN},
	};

	for (;;) {
		if (zmq_poll(items, 3, -1) < 0) {
			if (zmq_errno() == EINTR)
				continue;
			return NULL; /* the context is gone */
		}
		if (items[0].revents && !obey(broker))
			return NULL;
		if (items[1].revents)
			forward_messages(broker);
		if (items[2].revents)
			forward_subscriptions(broker);
	}
}

static int bind_socket(void *socket, int size_max, const char *url, struct enrg_error *err)
{
	int64_t bytes_max = size_max;
	int rc = socket_check_url(url, err);

	if (rc)
		return rc;
	/* A peer that sends more is disconnected by ZeroMQ before anything is allocated. */
	if (zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &bytes_max, sizeof(bytes_max)) ||
		socket_set_int(socket, ZMQ_LINGER, 0) || socket_set_int(socket, ZMQ_SNDHWM, BROKER_WATERMARK) ||
		socket_set_int(socket, ZMQ_RCVHWM, BROKER_WATERMARK))
		return socket_fail(err, "set up", url);
	return socket_bind(socket, url, err);
}

static int open_sockets(
	struct broker *broker, const char *publish_url, const char *subscribe_url, struct enrg_error *err)
{
	broker->context = zmq_ctx_new();
	if (!broker->context)
		return enrg_error_set(err, -ENOMEM, "no ZeroMQ context");
	broker->publishers = zmq_socket(broker->context, ZMQ_XSUB);
	broker->subscribers = zmq_socket(broker->context, ZMQ_XPUB);
	broker->control_far = zmq_socket(broker->context, ZMQ_PAIR);
	broker->control_near = zmq_socket(broker->context, ZMQ_PAIR);
	if (!broker->publishers || !broker->subscribers || !broker->control_far || !broker->control_near ||
		zmq_bind(broker->control_far, CONTROL_URL) || zmq_connect(broker->control_near, CONTROL_URL))
		return socket_fail(err, "open", CONTROL_URL);

	int rc = bind_socket(broker->publishers, (int)ENVELOPE_BYTES_MAX, publish_url, err);
	/* Nothing but subscriptions comes in here: a byte, or a command's name, before the topic. */
	if (!rc)
		rc = bind_socket(broker->subscribers, (int)TOPIC_BYTES_MAX + 32, subscribe_url, err);
	if (!rc && zmq_send(broker->publishers, "\1" GREETING_TOPIC, sizeof(GREETING_TOPIC), 0) < 0)
		rc = socket_fail(err, "greet at", publish_url);
	return rc;
}

static int start_thread(struct broker *broker, struct enrg_error *err)
{
	sigset_t all, before;

	/* Signals are the supervisor's main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&broker->thread, NULL, broker_main, broker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return enrg_error_set(err, -rc, "no thread for the broker");
	broker->has_thread = true;
	return 0;
}

int broker_start(const char *publish_url, const char *subscribe_url, struct broker **ret_broker, struct enrg_error *err)
{
	struct broker *broker = calloc(1, sizeof(*broker));

	if (!broker)
		return enrg_error_set(err, -ENOMEM, "no memory for the broker");
	int rc = open_sockets(broker, publish_url, subscribe_url, err);
	if (!rc)
		rc = start_thread(broker, err);
	if (rc) {
		enrg_error_add(err, rc, "message broker");
		broker_stop(broker);
		return rc;
	}
	*ret_broker = broker;
	return 0;
}

int broker_bind_again(struct broker *broker, const char *publish_url, const char *subscribe_url, struct enrg_error *err)
{
	int rc = 0;

	/* With the end of each text, as the other side takes them for strings. */
	if (zmq_send(broker->control_near, publish_url, strlen(publish_url) + 1, ZMQ_SNDMORE) < 0 ||
		zmq_send(broker->control_near, subscribe_url, strlen(subscribe_url) + 1, 0) < 0 ||
		zmq_recv(broker->control_near, &rc, sizeof(rc), 0) != (int)sizeof(rc))
		return socket_fail(err, "bind again", publish_url);
	if (!rc)
		return 0;
	return enrg_error_set(err, rc, "bind again %s: %s", publish_url, enrg_error_name(rc));
}

void broker_stop(struct broker *broker)
{
	if (!broker)
		return;
	if (broker->has_thread) {
		zmq_send(broker->control_near, "", 0, 0);
		pthread_join(broker->thread, NULL);
	}
	void *sockets[] = {broker->control_near, broker->control_far, broker->publishers, broker->subscribers};
	for (unsigned i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++)
		if (sockets[i])
			zmq_close(sockets[i]);
	if (broker->context)
		zmq_ctx_term(broker->context);
	free(broker);
}

uint64_t broker_refused(const struct broker *broker)
{
	return atomic_load_explicit(&broker->refused, memory_order_relaxed);
}

/* rival_zmq.c: ZeroMQ PUSH and PULL over ipc://, as a program of its own would use it. Prepared by the caller, ends
 * used by its children. */
#include "benchmark/rival.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "base/crc32c.h"

/* Messages that may wait: at most so many bytes of them, at least two. ZeroMQ's own 1,000 are 8 GB of large ones. */
#define WAITING_BYTES (UINT64_C(16) << 20)
#define WAITING_MAX   1000u

struct bus {
	const struct rival_params *params;
	char url[96];
};

struct bus_end {
	const struct rival_params *params;
	void *context, *socket;
	zmq_msg_t message;
};

static int prepare(const struct rival_params *params, void **ret_self, struct enrg_error *err)
{
	struct bus *self = calloc(1, sizeof(*self));

	if (!self)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	self->params = params;
	snprintf(self->url, sizeof(self->url), "ipc:///dev/shm/enrgdaq-bench-%d.zmq", (int)getpid());
	*ret_self = self;
	return 0;
}

static void end(void *context)
{
	struct bus *self = context;

	unlink(self->url + strlen("ipc://"));
	free(self);
}

static void close_end(void *context)
{
	struct bus_end *self = context;

	if (self->socket)
		zmq_close(self->socket);
	if (self->context)
		zmq_ctx_term(self->context); /* waits until all is sent */
	free(self);
}

static int open_end(const struct bus *bus, int kind, void **ret_end)
{
	struct bus_end *self = calloc(1, sizeof(*self));
	uint64_t fits = WAITING_BYTES / bus->params->payload_bytes;
	int waiting = (int)(fits < 2 ? 2 : fits > WAITING_MAX ? WAITING_MAX : fits);

	if (!self)
		return -ENOMEM;
	self->params = bus->params;
	self->context = zmq_ctx_new();
	self->socket = self->context ? zmq_socket(self->context, kind) : NULL;
	if (!self->socket) {
		close_end(self);
		return -ENOMEM;
	}
	zmq_setsockopt(self->socket, ZMQ_SNDHWM, &waiting, sizeof(waiting));
	zmq_setsockopt(self->socket, ZMQ_RCVHWM, &waiting, sizeof(waiting));
	int rc = kind == ZMQ_PULL ? zmq_bind(self->socket, bus->url) : zmq_connect(self->socket, bus->url);
	if (rc < 0) {
		rc = -errno;
		close_end(self);
		return rc;
	}
	*ret_end = self;
	return 0;
}

static int open_producer(void *context, unsigned producer, void **ret_end)
{
	(void)producer;
	return open_end(context, ZMQ_PUSH, ret_end);
}

static int open_consumer(void *context, void **ret_end)
{
	int rc = open_end(context, ZMQ_PULL, ret_end);

	if (rc == 0)
		zmq_msg_init(&((struct bus_end *)*ret_end)->message);
	return rc;
}

static int send_message(void *context, const struct rival_header *header, const uint8_t *payload)
{
	struct bus_end *self = context;
	struct rival_header sent = *header;
	zmq_msg_t message;

	if (zmq_msg_init_size(&message, sizeof(sent) + self->params->payload_bytes) < 0)
		return -ENOMEM;
	sent.crc = crc32c(0, payload, self->params->payload_bytes);
	memcpy(zmq_msg_data(&message), &sent, sizeof(sent));
	memcpy((uint8_t *)zmq_msg_data(&message) + sizeof(sent), payload, self->params->payload_bytes);
	while (zmq_msg_send(&message, self->socket, 0) < 0) {
		int rc = -errno;
		if (rc == -EINTR)
			continue;
		zmq_msg_close(&message);
		return rc;
	}
	return 0;
}

static int receive(void *context, struct rival_header *ret_header, const uint8_t **ret_payload, bool *ret_is_checked)
{
	struct bus_end *self = context;

	while (zmq_msg_recv(&self->message, self->socket, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (zmq_msg_size(&self->message) != sizeof(*ret_header) + self->params->payload_bytes)
		return ENRG_E_CORRUPT;
	memcpy(ret_header, zmq_msg_data(&self->message), sizeof(*ret_header));
	*ret_payload = (const uint8_t *)zmq_msg_data(&self->message) + sizeof(*ret_header);
	*ret_is_checked = false;
	return 0;
}

static void release(void *context)
{
	(void)context; /* the next receive reuses the message */
}

static void close_consumer(void *context)
{
	struct bus_end *self = context;

	zmq_msg_close(&self->message);
	close_end(self);
}

const struct rival rival_zmq = {
	.name = "ZeroMQ ipc",
	.prepare = prepare,
	.end = end,
	.open_producer = open_producer,
	.send = send_message,
	.close_producer = close_end,
	.open_consumer = open_consumer,
	.receive = receive,
	.release = release,
	.close_consumer = close_consumer,
};

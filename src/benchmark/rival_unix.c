/* rival_unix.c: a bare UNIX stream socket a producer. Prepared by the caller, ends used by its children. */
#include "benchmark/rival.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/crc32c.h"

struct sockets {
	const struct rival_params *params;
	int pairs[RIVAL_PRODUCERS_MAX][2]; /* producer's end, consumer's end */
	/* the consumer's own */
	uint8_t *payload;
	struct pollfd polls[RIVAL_PRODUCERS_MAX];
	unsigned next; /* who is looked at first: in turn */
};

struct sending {
	int socket;
	uint64_t payload_bytes;
};

static int prepare(const struct rival_params *params, void **ret_self, struct enrg_error *err)
{
	struct sockets *self = calloc(1, sizeof(*self));

	if (!self)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	self->params = params;
	for (unsigned i = 0; i < params->producers; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->pairs[i]) == 0)
			continue;
		int rc = -errno;
		while (i-- > 0) {
			close(self->pairs[i][0]);
			close(self->pairs[i][1]);
		}
		free(self);
		return enrg_error_set(err, rc, "no pair of sockets: %s", enrg_error_name(rc));
	}
	*ret_self = self;
	return 0;
}

static void end(void *context)
{
	struct sockets *self = context;

	for (unsigned i = 0; i < self->params->producers; i++) {
		close(self->pairs[i][0]);
		close(self->pairs[i][1]);
	}
	free(self);
}

static int open_producer(void *context, unsigned producer, void **ret_end)
{
	const struct sockets *self = context;
	struct sending *sending = malloc(sizeof(*sending));

	if (!sending)
		return -ENOMEM;
	*sending = (struct sending){self->pairs[producer][0], self->params->payload_bytes};
	*ret_end = sending;
	return 0;
}

static int send_message(void *context, const struct rival_header *header, const uint8_t *payload)
{
	const struct sending *sending = context;
	struct rival_header sent = *header;
	struct iovec parts[2] = {{&sent, sizeof(sent)}, {(void *)(uintptr_t)payload, sending->payload_bytes}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	sent.crc = crc32c(0, payload, sending->payload_bytes);
	while (message.msg_iovlen) {
		ssize_t written = sendmsg(sending->socket, &message, MSG_NOSIGNAL);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		while (message.msg_iovlen && (size_t)written >= message.msg_iov->iov_len) {
			written -= (ssize_t)message.msg_iov->iov_len;
			message.msg_iov++;
			message.msg_iovlen--;
		}
		if (message.msg_iovlen) {
			message.msg_iov->iov_base = (uint8_t *)message.msg_iov->iov_base + written;
			message.msg_iov->iov_len -= (size_t)written;
		}
	}
	return 0;
}

static int open_consumer(void *context, void **ret_end)
{
	struct sockets *self = context;

	self->payload = malloc(self->params->payload_bytes);
	for (unsigned i = 0; i < self->params->producers; i++)
		self->polls[i] = (struct pollfd){.fd = self->pairs[i][1], .events = POLLIN};
	*ret_end = self;
	return self->payload ? 0 : -ENOMEM;
}

static int receive_all(int socket, void *bytes, size_t count)
{
	for (size_t done = 0; done < count;) {
		ssize_t got = recv(socket, (uint8_t *)bytes + done, count - done, MSG_WAITALL);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EPIPE;
		done += (size_t)got;
	}
	return 0;
}

static int find_ready(struct sockets *self, int *ret_socket)
{
	unsigned count = self->params->producers;

	if (count == 1) {
		*ret_socket = self->polls[0].fd;
		return 0;
	}
	for (;;) {
		if (poll(self->polls, count, -1) < 0 && errno != EINTR)
			return -errno;
		for (unsigned i = 0; i < count; i++) {
			unsigned at = (self->next + i) % count;
			if (self->polls[at].revents & POLLIN) {
				self->next = at + 1;
				*ret_socket = self->polls[at].fd;
				return 0;
			}
		}
	}
}

static int receive(void *context, struct rival_header *ret_header, const uint8_t **ret_payload, bool *ret_is_checked)
{
	struct sockets *self = context;
	int socket = -1, rc = find_ready(self, &socket);

	if (rc == 0)
		rc = receive_all(socket, ret_header, sizeof(*ret_header));
	if (rc == 0)
		rc = receive_all(socket, self->payload, self->params->payload_bytes);
	*ret_payload = self->payload;
	*ret_is_checked = false;
	return rc;
}

static void release(void *context)
{
	(void)context;
}

static void close_consumer(void *context)
{
	struct sockets *self = context;

	free(self->payload);
}

const struct rival rival_unix = {
	.name = "UNIX socket",
	.prepare = prepare,
	.end = end,
	.open_producer = open_producer,
	.send = send_message,
	.close_producer = free,
	.open_consumer = open_consumer,
	.receive = receive,
	.release = release,
	.close_consumer = close_consumer,
};

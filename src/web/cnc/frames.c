/* frames.c: see the header. */
#include "web/cnc/frames.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

/* A connection whose name a newer one took stays open, unheard, until its pings are over: less than REGISTRY_FREE_NS,
 * so that a client that was pushed aside is back before its name is free. */
#define PING_MS      1500
#define DEAD_MS      5000
#define HANDSHAKE_MS 5000
#define QUEUE        16 /* messages, of one peer and in one direction */

int frames_recv(void *socket, struct frames *ret_frames)
{
	bool more = true;

	*ret_frames = (struct frames){0};
	while (more) {
		zmq_msg_t frame;
		zmq_msg_init(&frame);
		if (zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) < 0) {
			int rc = zmq_errno();
			zmq_msg_close(&frame);
			frames_fini(ret_frames);
			return rc == EAGAIN || rc == EINTR ? 0 : -rc;
		}
		more = zmq_msg_more(&frame);
		if (ret_frames->count == FRAMES_MAX) {
			ret_frames->is_longer = true;
			zmq_msg_close(&frame);
			continue;
		}
		zmq_msg_init(&ret_frames->items[ret_frames->count]);
		zmq_msg_move(&ret_frames->items[ret_frames->count++], &frame);
		zmq_msg_close(&frame);
	}
	return 1;
}

void frames_fini(struct frames *frames)
{
	for (unsigned i = 0; i < frames->count; i++)
		zmq_msg_close(&frames->items[i]);
	frames->count = 0;
}

int frames_send(void *socket, const void *bytes, size_t count, bool more)
{
	return zmq_send(socket, bytes, count, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) < 0 ? -zmq_errno() : 0;
}

int frames_set_int(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof(value)) ? -zmq_errno() : 0;
}

int frames_set_limits(void *socket, size_t frame_bytes_max)
{
	const struct {
		int option, value;
	} rows[] = {
		{ZMQ_LINGER, 0},
		{ZMQ_SNDHWM, QUEUE},
		{ZMQ_RCVHWM, QUEUE},
		{ZMQ_HEARTBEAT_IVL, PING_MS},
		{ZMQ_HEARTBEAT_TIMEOUT, DEAD_MS},
		{ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
		{ZMQ_TCP_KEEPALIVE, 1},
	};
	int64_t bytes = (int64_t)frame_bytes_max;
	int rc = zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &bytes, sizeof(bytes)) ? -zmq_errno() : 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !rc; i++)
		rc = frames_set_int(socket, rows[i].option, rows[i].value);
	return rc;
}

static void format(const char *host, uint16_t port, char ret_endpoint[FRAMES_ENDPOINT_MAX])
{
	bool is_six = strchr(host, ':');

	snprintf(ret_endpoint, FRAMES_ENDPOINT_MAX, is_six ? "tcp://[%.250s]:%u" : "tcp://%.250s:%u", host, port);
}

int frames_format_endpoint(const char *host, uint16_t port, bool is_listening, char ret_endpoint[FRAMES_ENDPOINT_MAX],
	struct enrg_error *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	char address[NI_MAXHOST];

	if (is_listening && (!host || !*host || !strcmp(host, "*"))) {
		format("*", port, ret_endpoint);
		return 0;
	}
	if (!host || !*host)
		host = "localhost";
	/* So that it does not depend on how names are resolved. */
	if (!strcmp(host, "localhost")) {
		format("127.0.0.1", port, ret_endpoint);
		return 0;
	}
	int rc = getaddrinfo(host, NULL, &hints, &found);
	if (!rc)
		rc = getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof(address), NULL, 0, NI_NUMERICHOST);
	if (found)
		freeaddrinfo(found);
	if (rc)
		return enrg_error_set(
			err, ENRG_E_CONFIG, "cnc.server_host \"%s\" can't be resolved: %s", host, gai_strerror(rc));
	format(address, port, ret_endpoint);
	return 0;
}

const char *frames_address(zmq_msg_t *frame)
{
	const char *address = zmq_msg_gets(frame, "Peer-Address");

	return address ? address : "";
}

bool frames_is_loopback(const char *address)
{
	if (!strncmp(address, "::ffff:", 7))
		address += 7;
	return !strncmp(address, "127.", 4) || !strcmp(address, "::1");
}

#ifdef __SANITIZE_THREAD__
/* As in bus/socket.c, which programs of this room do not link: libzmq and the libsodium below it are not built with the
 * sanitizer. */
__attribute__((visibility("default"), weak)) const char *__tsan_default_suppressions(void);

const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:libzmq.so\nrace:libzmq.so\ncalled_from_lib:libsodium.so\nrace:libsodium.so\n";
}
#endif

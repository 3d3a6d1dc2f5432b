/* socket.c: what broker, client and link share. */
#include "bus/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

int socket_fail(struct enrg_error *err, const char *what, const char *url)
{
	int rc = zmq_errno();

	/* ZeroMQ's own numbers begin at 156384712; callers compare with the system's. */
	return enrg_error_set(err, rc > 0 && rc < 4096 ? -rc : -EPROTO, "%s %s: %s", what, url, zmq_strerror(rc));
}

int socket_check_url(const char *url, struct enrg_error *err)
{
	size_t path_max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

	if (!url || !*url)
		return enrg_error_set(
			err, ENRG_E_CONFIG, "an address is missing: ipc://PATH or tcp://HOST:PORT was expected");
	if (!strncmp(url, "tcp://", 6))
		return 0;
	if (strncmp(url, "ipc://", 6))
		return enrg_error_set(err, ENRG_E_CONFIG, "%s: ipc://PATH or tcp://HOST:PORT was expected", url);
	size_t path_bytes = strlen(url + 6);
	if (!path_bytes || path_bytes > path_max)
		return enrg_error_set(err, ENRG_E_CONFIG,
			"%s: a socket's path has 1 to %zu bytes, this one %zu: use a shorter runtime folder or "
			"supervisor_id",
			url, path_max, path_bytes);
	return 0;
}

int socket_bind(void *socket, const char *url, struct enrg_error *err)
{
	if (zmq_bind(socket, url))
		return socket_fail(err, "bind", url);
	/* Until here the folder, which is closed to others, keeps them out. */
	if (!strncmp(url, "ipc://", 6) && chmod(url + 6, 0600))
		return enrg_error_set(err, -errno, "%s: can't be closed to other users: %s", url, strerror(errno));
	return 0;
}

int socket_set_int(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof(value));
}

void socket_message_fini(struct socket_message *message)
{
	for (unsigned i = 0; i < message->count; i++)
		zmq_msg_close(&message->frames[i]);
	message->count = 0;
}

static int drop_rest(void *socket, zmq_msg_t *frame)
{
	while (zmq_msg_more(frame))
		if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0)
			break;
	zmq_msg_close(frame);
	return ENRG_E_PROTOCOL;
}

int socket_recv(void *socket, unsigned frames_max, struct socket_message *ret_message)
{
	bool more = true;

	ret_message->count = 0;
	while (more) {
		zmq_msg_t frame;
		zmq_msg_init(&frame);
		if (zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) < 0) {
			int rc = zmq_errno();
			zmq_msg_close(&frame);
			socket_message_fini(ret_message);
			return rc == EAGAIN || rc == EINTR ? 0 : -rc;
		}
		if (ret_message->count == frames_max) {
			socket_message_fini(ret_message);
			return drop_rest(socket, &frame);
		}
		more = zmq_msg_more(&frame);
		zmq_msg_init(&ret_message->frames[ret_message->count]);
		zmq_msg_move(&ret_message->frames[ret_message->count++], &frame);
		zmq_msg_close(&frame);
	}
	return 1;
}

int socket_send(void *socket, struct socket_message *message)
{
	int rc = 0;

	for (unsigned i = 0; i < message->count && !rc; i++) {
		int flags = ZMQ_DONTWAIT | (i + 1 < message->count ? ZMQ_SNDMORE : 0);
		if (zmq_msg_send(&message->frames[i], socket, flags) < 0)
			rc = -zmq_errno();
	}
	socket_message_fini(message);
	return rc;
}

int socket_send_bytes(void *socket, const void *bytes, size_t count, bool more)
{
	return zmq_send(socket, bytes, count, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) < 0 ? -zmq_errno() : 0;
}

#ifdef __SANITIZE_THREAD__
/* libzmq is not built with the sanitizer, which therefore can't see how it hands a message from thread to thread. Asked
 * for by the sanitizer's run time; here, since every program with a socket links this file. */
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);

const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:libzmq.so\nrace:libzmq.so\n";
}
#endif

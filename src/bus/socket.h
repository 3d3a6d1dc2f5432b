/* socket.h: what broker, client and link share: opening sockets with honest errors, and messages of a bounded number of
 * frames. Library code; sockets belong to one thread. */
#ifndef BUS_SOCKET_H
#define BUS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <zmq.h>

#include "enrgdaq/error.h"

#define SOCKET_FRAMES_MAX 5u /* identity, topic, envelope, payload, schema */

/* "Cannot assign requested address", for ZeroMQ's own numbers too; the code is negative. */
int socket_fail(struct enrg_error *err, const char *what, const char *url);
/* ipc:// with a path that the kernel takes (107 bytes), or tcp://; ENRG_E_CONFIG says what is wrong. */
int socket_check_url(const char *url, struct enrg_error *err);
/* zmq_bind. An ipc:// socket takes connections of this user alone, whatever the umask. */
int socket_bind(void *socket, const char *url, struct enrg_error *err);
int socket_set_int(void *socket, int option, int value);

struct socket_message {
	zmq_msg_t frames[SOCKET_FRAMES_MAX];
	unsigned count;
};

void socket_message_fini(struct socket_message *message);
/* Takes one whole message without waiting. 1: there is one; 0: none; ENRG_E_PROTOCOL: more than frames_max frames, all
 * taken and thrown away. */
int socket_recv(void *socket, unsigned frames_max, struct socket_message *ret_message);
/* Sends and empties the message. 0; -EAGAIN: it was not taken, and is gone. */
int socket_send(void *socket, struct socket_message *message);

/* Sends one frame that is copied. `more`: others follow. 0 or -errno. */
int socket_send_bytes(void *socket, const void *bytes, size_t count, bool more);

#endif

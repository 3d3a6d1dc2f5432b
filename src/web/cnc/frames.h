/* frames.h: sockets of ZeroMQ as server and client of CNC use them: options, addresses, messages of a bounded number of
 * frames. A socket belongs to the thread of CNC. Process: enrgdaq-web. */
#ifndef WEB_CNC_FRAMES_H
#define WEB_CNC_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

#include "enrgdaq/error.h"

#define FRAMES_MAX          8u
#define FRAMES_ENDPOINT_MAX 300u

struct frames {
	zmq_msg_t items[FRAMES_MAX];
	unsigned count; /* kept; of more, the first FRAMES_MAX */
	bool is_longer;
};

/* A whole message without waiting. 1: there is one; 0: none; -errno. */
int frames_recv(void *socket, struct frames *ret_frames);
void frames_fini(struct frames *frames);
/* A frame that is copied. 0 or -errno; never waits. */
int frames_send(void *socket, const void *bytes, size_t count, bool more);

/* What both sides have: no lingering, frames of a bounded size, dead peers found by pings of ZMTP. 0 or -errno. */
int frames_set_limits(void *socket, size_t frame_bytes_max);
int frames_set_int(void *socket, int option, int value);
/* "tcp://HOST:PORT": of a name, the first address that it has; for listening NULL and "*" are all addresses. */
int frames_format_endpoint(const char *host, uint16_t port, bool is_listening, char ret_endpoint[FRAMES_ENDPOINT_MAX],
	struct enrg_error *err);
/* Address of whoever sent that frame; "" where it is not known. */
const char *frames_address(zmq_msg_t *frame);
bool frames_is_loopback(const char *address);

#endif

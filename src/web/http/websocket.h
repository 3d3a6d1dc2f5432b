/* websocket.h: a connection that has become a WebSocket: messages out of frames and back, pings, closing. Bytes in,
 * bytes out; no sockets. Main thread. */
#ifndef WEB_HTTP_WEBSOCKET_H
#define WEB_HTTP_WEBSOCKET_H

#include "web/http/frame.h"
#include "web/http/post.h"
#include "web/http/server.h"

enum { WEBSOCKET_MESSAGE_MAX = 65536, WEBSOCKET_MESSAGES_PER_SECOND = 500 };

struct websocket {
	uint64_t id;
	struct post *post;
	const struct http_params *params; /* callbacks */
	uint64_t ping_ns;                 /* between pings, and how long a pong may take */

	struct frame frame;
	unsigned char *message;
	size_t message_bytes, message_capacity;
	bool is_in_message, is_binary;
	unsigned char control[FRAME_CONTROL_MAX];
	uint64_t second; /* that messages are counted in */
	uint32_t messages;

	struct post_message sending; /* bytes NULL: none */
	size_t sent;
	unsigned char pong[FRAME_CONTROL_MAX];
	uint8_t pong_bytes;
	bool owes_pong, owes_ping;
	uint64_t next_ping_ns, pong_due_ns; /* pong_due_ns 0: none is due */

	uint16_t close_code; /* 0: open */
	char close_reason[POST_REASON_BYTES];
	bool is_close_sent, is_close_received;
	bool is_broken;        /* by what the peer sent: nothing is read any more */
	uint64_t close_due_ns; /* the peer's answer to our close */
};

/* -ENOMEM. It is a box of `post` from here on. */
int websocket_create(uint64_t id, struct post *post, const struct http_params *params, uint64_t ping_ns,
	struct websocket **ret_websocket);
void websocket_destroy(struct websocket *websocket); /* takes NULL; no callback */
/* What came from the peer; calls on_socket_message. */
void websocket_receive(struct websocket *websocket, const void *bytes, size_t count, uint64_t now_ns);
/* The next bytes to send, at most `capacity` (above FRAME_CONTROL_MAX + FRAME_HEAD_MAX). 0: there are none. */
size_t websocket_fill(struct websocket *websocket, unsigned char *ret_bytes, size_t capacity, uint64_t now_ns);
bool websocket_has_output(struct websocket *websocket);
/* Nothing more comes or goes: the connection can be closed. Also says when pings are due. */
bool websocket_is_over(struct websocket *websocket, uint64_t now_ns);

#endif

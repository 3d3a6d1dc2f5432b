/* frame.h: the heads of WebSocket frames (RFC 6455) as bytes from outside. No sockets. Any thread. */
#ifndef WEB_HTTP_FRAME_H
#define WEB_HTTP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_kind {
	FRAME_CONTINUATION = 0,
	FRAME_TEXT = 1,
	FRAME_BINARY = 2,
	FRAME_CLOSE = 8,
	FRAME_PING = 9,
	FRAME_PONG = 10
};

enum { FRAME_HEAD_MAX = 14, FRAME_CONTROL_MAX = 125 };

enum frame_close { /* what a socket is closed with */
	FRAME_CLOSE_NORMAL = 1000,
	FRAME_CLOSE_GONE = 1001,
	FRAME_CLOSE_PROTOCOL = 1002,
	FRAME_CLOSE_NO_CODE = 1005, /* never sent */
	FRAME_CLOSE_TEXT = 1007,
	FRAME_CLOSE_BIG = 1009,
	FRAME_CLOSE_LATER = 1013
};

/* A frame that a client sends, while it arrives. Zeroed before each. */
struct frame {
	unsigned char head[FRAME_HEAD_MAX];
	uint8_t head_bytes;
	bool is_open; /* its head is there */
	bool is_last;
	enum frame_kind kind;
	uint64_t bytes, taken; /* of its payload */
	unsigned char mask[4];
};

/* Takes what belongs to the head; returns how many bytes that were. *ret_close: 0, or what the connection is closed
 * with: no mask, a reserved bit or kind, a control frame in pieces or above 125 bytes, a length that is written longer
 * than need be, or (1009) above `bytes_max`. */
size_t frame_take_head(struct frame *frame, const void *bytes, size_t count, uint64_t bytes_max, uint16_t *ret_close);
/* Takes what belongs to the payload, unmasked, into ret_bytes; returns how many bytes. */
size_t frame_take_payload(struct frame *frame, const void *bytes, size_t count, unsigned char *ret_bytes);
/* Of a server's frame, which has no mask: at most 10 bytes. */
size_t frame_format_head(enum frame_kind kind, uint64_t bytes, unsigned char ret_head[FRAME_HEAD_MAX]);
/* Of the payload of a close frame: its code (1005: it has none); 0: it is wrong. */
uint16_t frame_parse_close(const void *payload, size_t count);
bool frame_is_utf8(const void *text, size_t count);

#endif

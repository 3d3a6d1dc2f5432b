/* websocket_fuzz.c: any bytes as what a WebSocket client sends, in pieces whose size the first byte says: all that the
 * server does with them but the write to the socket. Runs in a fuzzer or over its corpus. */
#include <stdlib.h>
#include <string.h>

#include "web/http/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static struct post post;
static struct websocket *websocket;

static void check(bool is_right)
{
	if (!is_right)
		abort();
}

static void on_message(void *context, uint64_t socket, const void *bytes, size_t count, bool is_binary)
{
	(void)context;
	check(socket == websocket->id && count <= WEBSOCKET_MESSAGE_MAX);
	check(is_binary || frame_is_utf8(bytes, count));
	check(!websocket->close_code);
	post_send(&post, socket, web_bytes_create(bytes, count), is_binary);
}

/* What the server answers is frames that are whole, without masks. */
static void take_output(uint64_t now_ns)
{
	static unsigned char output[4096];
	uint64_t left = 0; /* of a frame that goes on */
	size_t got;

	while ((got = websocket_fill(websocket, output, sizeof(output), now_ns))) {
		size_t at = 0;
		check(got <= sizeof(output));
		if (!left) {
			check((output[0] & 0x80) && !(output[1] & 0x80));
			left = output[1];
			at = 2;
			if (left == 126)
				left = (uint64_t)output[2] << 8 | output[3], at = 4;
			else if (left == 127)
				left = (uint64_t)output[6] << 24 | (uint64_t)output[7] << 16 |
				       (uint64_t)output[8] << 8 | output[9],
				at = 10;
		}
		check(got - at <= left);
		left -= got - at;
	}
	check(!left);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static const struct http_params params = {.on_socket_message = on_message};
	uint64_t now_ns = 1000000000;
	size_t step = count ? 1 + bytes[0] : 1;

	if (post_init(&post, 1) || websocket_create(POST_SLOTS, &post, &params, now_ns, &websocket))
		abort();
	for (size_t at = 1; at < count; at += step) {
		websocket_receive(websocket, bytes + at, count - at < step ? count - at : step, now_ns);
		if (step % 3)
			take_output(now_ns);
		now_ns += 1000000 * step;
		websocket_is_over(websocket, now_ns);
	}
	take_output(now_ns);
	websocket_destroy(websocket);
	post_fini(&post);
	return 0;
}

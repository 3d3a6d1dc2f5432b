#include "web/http/websocket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum { CLOSE_POLICY = 1008 };
#define CLOSE_PATIENCE_NS UINT64_C(1000000000)
#define SECOND_NS         UINT64_C(1000000000)

int websocket_create(uint64_t id, struct post *post, const struct http_params *params, uint64_t ping_ns,
	struct websocket **ret_websocket)
{
	struct websocket *websocket = calloc(1, sizeof(*websocket));

	if (!websocket)
		return -ENOMEM;
	*websocket = (struct websocket){.id = id, .post = post, .params = params, .ping_ns = ping_ns};
	websocket->next_ping_ns = clock_mono_ns() + ping_ns;
	post_open(post, id);
	*ret_websocket = websocket;
	return 0;
}

void websocket_destroy(struct websocket *websocket)
{
	if (!websocket)
		return;
	post_shut(websocket->post, websocket->id);
	web_bytes_release(websocket->sending.bytes);
	free(websocket->message);
	free(websocket);
}

static void close_with(struct websocket *websocket, uint16_t code, const char *reason)
{
	if (websocket->close_code)
		return;
	websocket->close_code = code;
	text_copy(websocket->close_reason, sizeof(websocket->close_reason), reason);
}

/* What follows can't be read. */
static void break_with(struct websocket *websocket, uint16_t code, const char *reason)
{
	close_with(websocket, code, reason);
	websocket->is_broken = true;
}

static bool reserve(struct websocket *websocket, size_t bytes)
{
	if (bytes <= websocket->message_capacity)
		return true;
	size_t capacity = bytes < 1024 ? 1024 : bytes > WEBSOCKET_MESSAGE_MAX / 2 ? WEBSOCKET_MESSAGE_MAX : 2 * bytes;
	unsigned char *message = realloc(websocket->message, capacity);
	if (!message)
		return false;
	websocket->message = message;
	websocket->message_capacity = capacity;
	return true;
}

/* The head of a frame is there: may it come now? */
static void begin_frame(struct websocket *websocket)
{
	const struct frame *frame = &websocket->frame;

	if (frame->kind >= FRAME_CLOSE)
		return;
	if ((frame->kind == FRAME_CONTINUATION) != websocket->is_in_message) {
		break_with(websocket, FRAME_CLOSE_PROTOCOL, "a message began within another, or continued none");
		return;
	}
	if (frame->kind != FRAME_CONTINUATION) {
		websocket->is_binary = frame->kind == FRAME_BINARY;
		websocket->message_bytes = 0;
		websocket->is_in_message = true;
	}
	if (!reserve(websocket, websocket->message_bytes + (size_t)frame->bytes))
		break_with(websocket, FRAME_CLOSE_LATER, "no memory");
}

static bool is_too_fast(struct websocket *websocket, uint64_t now_ns)
{
	if (websocket->second != now_ns / SECOND_NS) {
		websocket->second = now_ns / SECOND_NS;
		websocket->messages = 0;
	}
	return websocket->messages++ >= WEBSOCKET_MESSAGES_PER_SECOND;
}

static void end_message(struct websocket *websocket, uint64_t now_ns)
{
	websocket->is_in_message = false;
	if (websocket->close_code) /* from here on nobody reads messages */
		return;
	if (!websocket->is_binary && !frame_is_utf8(websocket->message, websocket->message_bytes))
		break_with(websocket, FRAME_CLOSE_TEXT, "a text message is not UTF-8");
	else if (is_too_fast(websocket, now_ns))
		break_with(websocket, CLOSE_POLICY, "too many messages a second");
	else if (websocket->params->on_socket_message)
		websocket->params->on_socket_message(websocket->params->context, websocket->id, websocket->message,
			websocket->message_bytes, websocket->is_binary);
}

static void end_close(struct websocket *websocket)
{
	size_t bytes = (size_t)websocket->frame.bytes;
	uint16_t code = frame_parse_close(websocket->control, bytes);

	websocket->is_close_received = true;
	/* the same is sent back, unless ours was there first */
	if (code == FRAME_CLOSE_NO_CODE)
		close_with(websocket, FRAME_CLOSE_NORMAL, "");
	else
		close_with(websocket, code ? code : FRAME_CLOSE_PROTOCOL, "");
}

static void end_frame(struct websocket *websocket, uint64_t now_ns)
{
	enum frame_kind kind = websocket->frame.kind;

	if (kind == FRAME_CLOSE) {
		end_close(websocket);
	} else if (kind == FRAME_PING) { /* only the newest is owed */
		websocket->owes_pong = true;
		websocket->pong_bytes = (uint8_t)websocket->frame.bytes;
		memcpy(websocket->pong, websocket->control, websocket->pong_bytes);
	} else if (kind == FRAME_PONG) {
		websocket->pong_due_ns = 0;
	} else if (websocket->frame.is_last) {
		end_message(websocket, now_ns);
	}
	websocket->frame = (struct frame){0};
}

static size_t take_payload(struct websocket *websocket, const unsigned char *bytes, size_t count)
{
	struct frame *frame = &websocket->frame;

	if (frame->kind >= FRAME_CLOSE)
		return frame_take_payload(frame, bytes, count, websocket->control + frame->taken);
	size_t taken = frame_take_payload(frame, bytes, count, websocket->message + websocket->message_bytes);
	websocket->message_bytes += taken;
	return taken;
}

void websocket_receive(struct websocket *websocket, const void *bytes, size_t count, uint64_t now_ns)
{
	const unsigned char *from = bytes;

	while (count && !websocket->is_close_received && !websocket->is_broken) {
		struct frame *frame = &websocket->frame;
		size_t taken;
		if (!frame->is_open) {
			uint64_t left =
				WEBSOCKET_MESSAGE_MAX - (websocket->is_in_message ? websocket->message_bytes : 0);
			uint16_t code = 0;
			taken = frame_take_head(frame, from, count, left, &code);
			if (code)
				break_with(websocket, code,
					code == FRAME_CLOSE_BIG ? "a message is longer than 64 KiB" : "");
			else if (frame->is_open)
				begin_frame(websocket);
		} else {
			taken = take_payload(websocket, from, count);
		}
		from += taken;
		count -= taken;
		if (!websocket->is_broken && frame->is_open && frame->taken == frame->bytes)
			end_frame(websocket, now_ns);
	}
}

static size_t fill_control(enum frame_kind kind, const void *payload, size_t count, unsigned char *ret_bytes)
{
	size_t head = frame_format_head(kind, count, ret_bytes);

	if (count)
		memcpy(ret_bytes + head, payload, count);
	return head + count;
}

static size_t fill_close(struct websocket *websocket, unsigned char *ret_bytes, uint64_t now_ns)
{
	unsigned char payload[2 + POST_REASON_BYTES];
	size_t reason = strlen(websocket->close_reason);

	payload[0] = (unsigned char)(websocket->close_code >> 8);
	payload[1] = (unsigned char)websocket->close_code;
	memcpy(payload + 2, websocket->close_reason, reason);
	websocket->is_close_sent = true;
	websocket->close_due_ns = now_ns + CLOSE_PATIENCE_NS;
	return fill_control(FRAME_CLOSE, payload, 2 + reason, ret_bytes);
}

static size_t fill_message(struct websocket *websocket, unsigned char *ret_bytes, size_t capacity)
{
	struct web_bytes *bytes = websocket->sending.bytes;
	size_t head = 0;

	if (!websocket->sent)
		head = frame_format_head(
			websocket->sending.is_binary ? FRAME_BINARY : FRAME_TEXT, bytes->count, ret_bytes);
	size_t count = bytes->count - websocket->sent;
	if (count > capacity - head)
		count = capacity - head;
	memcpy(ret_bytes + head, bytes->data + websocket->sent, count);
	websocket->sent += count;
	if (websocket->sent == bytes->count) {
		web_bytes_release(bytes);
		websocket->sending.bytes = NULL;
	}
	return head + count;
}

size_t websocket_fill(struct websocket *websocket, unsigned char *ret_bytes, size_t capacity, uint64_t now_ns)
{
	if (websocket->is_close_sent)
		return 0;
	if (websocket->sending.bytes) /* nothing goes between the parts of a message */
		return fill_message(websocket, ret_bytes, capacity);
	if (!websocket->close_code) {
		uint16_t code = post_take_close(websocket->post, websocket->id, websocket->close_reason);
		/* what waits goes first, unless it waits because nobody takes it */
		if (code && (code == FRAME_CLOSE_LATER || !post_waiting(websocket->post, websocket->id)))
			websocket->close_code = code;
	}
	if (websocket->close_code)
		return fill_close(websocket, ret_bytes, now_ns);
	if (websocket->owes_pong) {
		websocket->owes_pong = false;
		return fill_control(FRAME_PONG, websocket->pong, websocket->pong_bytes, ret_bytes);
	}
	if (websocket->owes_ping) {
		websocket->owes_ping = false;
		return fill_control(FRAME_PING, NULL, 0, ret_bytes);
	}
	websocket->sent = 0;
	if (!post_take(websocket->post, websocket->id, &websocket->sending))
		return 0;
	return fill_message(websocket, ret_bytes, capacity);
}

bool websocket_has_output(struct websocket *websocket)
{
	if (websocket->is_close_sent)
		return false;
	return websocket->sending.bytes || websocket->close_code || websocket->owes_pong || websocket->owes_ping ||
	       post_has_work(websocket->post, websocket->id);
}

bool websocket_is_over(struct websocket *websocket, uint64_t now_ns)
{
	if (websocket->is_close_sent && (websocket->is_close_received || now_ns > websocket->close_due_ns))
		return true;
	if (websocket->pong_due_ns && now_ns > websocket->pong_due_ns)
		return true;
	if (now_ns > websocket->next_ping_ns && !websocket->pong_due_ns) {
		websocket->next_ping_ns = now_ns + websocket->ping_ns;
		websocket->pong_due_ns = now_ns + websocket->ping_ns;
		websocket->owes_ping = true;
	}
	return false;
}

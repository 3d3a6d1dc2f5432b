#include "web/http/frame.h"

#include <endian.h>
#include <string.h>

#include "base/text.h"

enum { BIT_LAST = 0x80, BITS_RESERVED = 0x70, BITS_KIND = 0x0F, BIT_MASK = 0x80, BITS_LENGTH = 0x7F };

static size_t head_size(const struct frame *frame)
{
	unsigned length = frame->head_bytes < 2 ? 0 : frame->head[1] & BITS_LENGTH;

	return 2 + (length == 126 ? 2u : length == 127 ? 8u : 0u) + 4;
}

static uint16_t check_kind(const struct frame *frame)
{
	bool is_control = frame->kind >= FRAME_CLOSE;

	if ((frame->head[0] & BITS_RESERVED) || !(frame->head[1] & BIT_MASK))
		return FRAME_CLOSE_PROTOCOL;
	if (frame->kind > FRAME_PONG || (frame->kind > FRAME_BINARY && !is_control))
		return FRAME_CLOSE_PROTOCOL;
	if (is_control && (!frame->is_last || (frame->head[1] & BITS_LENGTH) > FRAME_CONTROL_MAX))
		return FRAME_CLOSE_PROTOCOL;
	return 0;
}

static uint16_t open_frame(struct frame *frame, uint64_t bytes_max)
{
	unsigned length = frame->head[1] & BITS_LENGTH;
	uint16_t two;
	uint64_t eight;

	frame->bytes = length;
	if (length == 126) {
		memcpy(&two, frame->head + 2, 2);
		frame->bytes = be16toh(two);
		if (frame->bytes < 126)
			return FRAME_CLOSE_PROTOCOL;
	} else if (length == 127) {
		memcpy(&eight, frame->head + 2, 8);
		frame->bytes = be64toh(eight);
		if (frame->bytes <= UINT16_MAX || frame->bytes > INT64_MAX)
			return FRAME_CLOSE_PROTOCOL;
	}
	if (frame->bytes > bytes_max)
		return FRAME_CLOSE_BIG;
	memcpy(frame->mask, frame->head + head_size(frame) - 4, 4);
	frame->is_open = true;
	return 0;
}

size_t frame_take_head(struct frame *frame, const void *bytes, size_t count, uint64_t bytes_max, uint16_t *ret_close)
{
	size_t taken = 0;

	*ret_close = 0;
	while (taken < count && !frame->is_open && !*ret_close && frame->head_bytes < FRAME_HEAD_MAX) {
		frame->head[frame->head_bytes++] = ((const unsigned char *)bytes)[taken++];
		if (frame->head_bytes == 2) {
			frame->is_last = frame->head[0] & BIT_LAST;
			frame->kind = (enum frame_kind)(frame->head[0] & BITS_KIND);
			*ret_close = check_kind(frame);
		} else if (frame->head_bytes > 2 && frame->head_bytes == head_size(frame)) {
			*ret_close = open_frame(frame, bytes_max);
		}
	}
	return taken;
}

size_t frame_take_payload(struct frame *frame, const void *bytes, size_t count, unsigned char *ret_bytes)
{
	const unsigned char *from = bytes;
	uint64_t left = frame->bytes - frame->taken;

	if (count > left)
		count = (size_t)left;
	for (size_t i = 0; i < count; i++)
		ret_bytes[i] = from[i] ^ frame->mask[(frame->taken + i) % 4];
	frame->taken += count;
	return count;
}

size_t frame_format_head(enum frame_kind kind, uint64_t bytes, unsigned char ret_head[FRAME_HEAD_MAX])
{
	uint16_t two = htobe16((uint16_t)bytes);
	uint64_t eight = htobe64(bytes);

	ret_head[0] = (unsigned char)(BIT_LAST | kind);
	if (bytes < 126) {
		ret_head[1] = (unsigned char)bytes;
		return 2;
	}
	if (bytes <= UINT16_MAX) {
		ret_head[1] = 126;
		memcpy(ret_head + 2, &two, 2);
		return 4;
	}
	ret_head[1] = 127;
	memcpy(ret_head + 2, &eight, 8);
	return 10;
}

uint16_t frame_parse_close(const void *payload, size_t count)
{
	const unsigned char *bytes = payload;

	if (!count)
		return FRAME_CLOSE_NO_CODE;
	if (count < 2 || !frame_is_utf8(bytes + 2, count - 2))
		return 0;
	uint16_t code = (uint16_t)(bytes[0] << 8 | bytes[1]);
	bool is_known = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
	return is_known || (code >= 3000 && code <= 4999) ? code : 0;
}

bool frame_is_utf8(const void *text, size_t count)
{
	for (const char *left = text; count;) {
		size_t bytes = text_character(left, count);
		if (!bytes)
			return false;
		left += bytes;
		count -= bytes;
	}
	return true;
}

/* request.c: see the header. Runs in the store's job process, on its main thread. */
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void request_fini(struct request *request)
{
	free(request->bytes);
	*request = (struct request){0};
}

void request_clear(struct request *request)
{
	request->count = 0;
	request->commands = 0;
	request->has_failed = false;
}

static char *reserve(struct request *request, size_t count)
{
	if (request->has_failed)
		return NULL;
	if (request->capacity - request->count < count) {
		size_t capacity = 2 * (request->count + count) + 4096;
		char *bytes = realloc(request->bytes, capacity);
		request->has_failed = !bytes;
		if (!bytes)
			return NULL;
		request->bytes = bytes;
		request->capacity = capacity;
	}
	return request->bytes + request->count;
}

static void add_head(struct request *request, char kind, uint64_t number)
{
	char digits[24], *out = reserve(request, sizeof(digits) + 3), *at = digits + sizeof(digits);

	if (!out)
		return;
	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	size_t count = (size_t)(digits + sizeof(digits) - at);
	*out++ = kind;
	memcpy(out, at, count);
	memcpy(out + count, "\r\n", 2);
	request->count += count + 3;
}

void request_begin(struct request *request, uint64_t arguments)
{
	add_head(request, '*', arguments);
	request->commands++;
}

void request_add(struct request *request, const void *bytes, size_t count)
{
	add_head(request, '$', count);
	char *out = reserve(request, count + 2);
	if (!out)
		return;
	if (count)
		memcpy(out, bytes, count);
	memcpy(out + count, "\r\n", 2);
	request->count += count + 2;
}

void request_add_text(struct request *request, const char *text)
{
	request_add(request, text, strlen(text));
}

void request_add_base64(struct request *request, const uint8_t *bytes, size_t count)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t length = (count + 2) / 3 * 4;

	add_head(request, '$', length);
	char *out = reserve(request, length + 2);
	if (!out)
		return;
	for (; count >= 3; bytes += 3, count -= 3) {
		*out++ = letters[bytes[0] >> 2];
		*out++ = letters[(bytes[0] & 3) << 4 | bytes[1] >> 4];
		*out++ = letters[(bytes[1] & 15) << 2 | bytes[2] >> 6];
		*out++ = letters[bytes[2] & 63];
	}
	if (count) {
		unsigned second = count > 1 ? bytes[1] : 0;
		*out++ = letters[bytes[0] >> 2];
		*out++ = letters[(bytes[0] & 3u) << 4 | second >> 4];
		*out++ = count > 1 ? letters[(second & 15) << 2] : '=';
		*out++ = '=';
	}
	memcpy(out, "\r\n", 2);
	request->count += length + 2;
}

void request_append(struct request *request, const struct request *other)
{
	char *out = reserve(request, other->count);

	request->has_failed |= other->has_failed;
	if (!out || !other->count)
		return;
	memcpy(out, other->bytes, other->count);
	request->count += other->count;
}

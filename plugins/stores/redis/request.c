/* request.c: see the header. Runs in the store's job process, on its main thread. */
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

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

void request_sent(struct request *request)
{
	request->count = 0;
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

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#if defined(__x86_64__)
/* Twenty-four bytes at a time, twelve in each half, of which sixteen are read. Each three become a 32-bit lane, its
 * four groups of six bits are moved to a byte each by two multiplications, and the difference to the letter is looked
 * up by range. */
__attribute__((target("avx2"))) static size_t encode_vectors(const uint8_t *bytes, size_t count, char *out)
{
	const __m256i order =
		_mm256_broadcastsi128_si256(_mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10));
	const __m256i steps = _mm256_broadcastsi128_si256(_mm_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52,
		'0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0));
	size_t done = 0;

	for (; count - done >= 28; done += 24, out += 32) {
		const __m128i *low = (const __m128i *)(const void *)(bytes + done);
		const __m128i *high = (const __m128i *)(const void *)(bytes + done + 12);
		__m256i in =
			_mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(low)), _mm_loadu_si128(high), 1);
		in = _mm256_shuffle_epi8(in, order);
		__m256i odd = _mm256_mulhi_epu16(
			_mm256_and_si256(in, _mm256_set1_epi32(0x0FC0FC00)), _mm256_set1_epi32(0x04000040));
		__m256i even = _mm256_mullo_epi16(
			_mm256_and_si256(in, _mm256_set1_epi32(0x003F03F0)), _mm256_set1_epi32(0x01000010));
		__m256i six = _mm256_or_si256(odd, even);
		/* 0 for 0 … 51, 1 to 12 above; then 13 for 0 … 25. */
		__m256i range = _mm256_subs_epu8(six, _mm256_set1_epi8(51));
		__m256i is_upper = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), six);
		range = _mm256_or_si256(range, _mm256_and_si256(is_upper, _mm256_set1_epi8(13)));
		_mm256_storeu_si256((__m256i *)(void *)out, _mm256_add_epi8(six, _mm256_shuffle_epi8(steps, range)));
	}
	return done;
}
#endif

void request_add_base64(struct request *request, const uint8_t *bytes, size_t count)
{
	size_t length = (count + 2) / 3 * 4;

	add_head(request, '$', length);
	char *out = reserve(request, length + 2);
	if (!out)
		return;
#if defined(__x86_64__)
	if (count >= 28 && __builtin_cpu_supports("avx2")) {
		size_t done = encode_vectors(bytes, count, out);
		bytes += done;
		count -= done;
		out += done / 3 * 4;
	}
#endif
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
	char *out = other->count ? reserve(request, other->count) : NULL; /* no bytes at all may be there yet */

	request->has_failed |= other->has_failed;
	if (!out)
		return;
	memcpy(out, other->bytes, other->count);
	request->count += other->count;
}

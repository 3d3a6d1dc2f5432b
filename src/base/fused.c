/* fused.c: copy and CRC-32C in the same registers, with 512-bit carry-less multiplication. Any process and thread.
 *
 * How the sum comes about: the message is a polynomial over GF(2), its CRC the remainder modulo P. A 128-bit lane that
 * lies 2048 bits ahead of another may be replaced by a lane of the same remainder at the other's place: its halves
 * times x^(2048+32) mod P and x^(2048-32) mod P (bit-reflected, hence the one bit shift in the constants). So 256 bytes
 * of accumulators walk through the message, and at the end they stand for all of it: their CRC is its CRC. */
#include "base/fused.h"

#include <string.h>

#include "base/crc32c.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define STEP_BYTES ((size_t)256)
#define LINE_BYTES ((size_t)64)
#define FOLD_LOW   0xdcb17aa4LL
#define FOLD_HIGH  0xb9e02b86LL

#define TARGET __attribute__((target("avx512f,pclmul,vpclmulqdq")))

bool fused_is_supported(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("vpclmulqdq");
}

TARGET static inline __m512i fold(__m512i lane, __m512i constants, __m512i next)
{
	__m512i low = _mm512_clmulepi64_epi128(lane, constants, 0x00);
	__m512i high = _mm512_clmulepi64_epi128(lane, constants, 0x11);

	return _mm512_ternarylogic_epi64(low, high, next, 0x96); /* the XOR of all three */
}

/* Carries one line from source to destination. `stream` is a constant where this is inlined. */
TARGET static inline __m512i carry(uint8_t *destination, const uint8_t *source, bool stream)
{
	__m512i line = _mm512_loadu_si512(source);

	if (stream)
		_mm512_stream_si512((void *)destination, line);
	else
		_mm512_store_si512(destination, line);
	return line;
}

/* Whole steps only; the destination stands on a line. Returns the CRC. */
TARGET static inline uint32_t copy_steps(uint8_t *to, const uint8_t *from, size_t count, uint32_t crc, bool stream)
{
	const __m512i constants =
		_mm512_set_epi64(FOLD_HIGH, FOLD_LOW, FOLD_HIGH, FOLD_LOW, FOLD_HIGH, FOLD_LOW, FOLD_HIGH, FOLD_LOW);
	__m512i start = _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)~crc));
	__m512i a = _mm512_xor_si512(carry(to, from, stream), start);
	__m512i b = carry(to + LINE_BYTES, from + LINE_BYTES, stream);
	__m512i c = carry(to + 2 * LINE_BYTES, from + 2 * LINE_BYTES, stream);
	__m512i d = carry(to + 3 * LINE_BYTES, from + 3 * LINE_BYTES, stream);
	uint8_t rest[STEP_BYTES];

	for (size_t at = STEP_BYTES; at < count; at += STEP_BYTES) {
		a = fold(a, constants, carry(to + at, from + at, stream));
		b = fold(b, constants, carry(to + at + LINE_BYTES, from + at + LINE_BYTES, stream));
		c = fold(c, constants, carry(to + at + 2 * LINE_BYTES, from + at + 2 * LINE_BYTES, stream));
		d = fold(d, constants, carry(to + at + 3 * LINE_BYTES, from + at + 3 * LINE_BYTES, stream));
	}
	_mm512_storeu_si512(rest, a);
	_mm512_storeu_si512(rest + LINE_BYTES, b);
	_mm512_storeu_si512(rest + 2 * LINE_BYTES, c);
	_mm512_storeu_si512(rest + 3 * LINE_BYTES, d);
	return crc32c(UINT32_MAX, rest, sizeof(rest)); /* all ones: the start went in with the first word */
}

TARGET static uint32_t copy_steps_cached(uint8_t *to, const uint8_t *from, size_t count, uint32_t crc)
{
	return copy_steps(to, from, count, crc, false);
}

TARGET static uint32_t copy_steps_streamed(uint8_t *to, const uint8_t *from, size_t count, uint32_t crc)
{
	_mm_sfence(); /* nor before the plain store that warns observers */
	crc = copy_steps(to, from, count, crc, true);
	_mm_sfence(); /* non-temporal stores may else be seen after the plain store that publishes them */
	return crc;
}

static uint32_t copy_ends(uint8_t *to, const uint8_t *from, size_t count, uint32_t crc)
{
	memcpy(to, from, count);
	return crc32c(crc, from, count);
}

uint32_t fused_copy_crc(void *destination, const void *source, size_t count, uint32_t crc, bool stream)
{
	uint8_t *to = destination;
	const uint8_t *from = source;
	size_t head = -(uintptr_t)to % LINE_BYTES;

	if (head > count)
		head = count;
	crc = copy_ends(to, from, head, crc);
	size_t steps = (count - head) / STEP_BYTES * STEP_BYTES;
	if (steps > 0 && stream)
		crc = copy_steps_streamed(to + head, from + head, steps, crc);
	else if (steps > 0)
		crc = copy_steps_cached(to + head, from + head, steps, crc);
	size_t done = head + steps;
	return copy_ends(to + done, from + done, count - done, crc);
}

#else

bool fused_is_supported(void)
{
	return false;
}

uint32_t fused_copy_crc(void *destination, const void *source, size_t count, uint32_t crc, bool stream)
{
	(void)stream;
	memcpy(destination, source, count);
	return crc32c(crc, source, count);
}

#endif

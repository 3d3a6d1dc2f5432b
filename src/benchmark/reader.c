/* reader.c: the sum of all words. */
#include "benchmark/reader.h"

#include <string.h>

#if defined(__x86_64__)
#include <emmintrin.h>

static __m128i load(const uint8_t *at)
{
	return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* A cache line a step, in four chains, so that no load waits for a sum. Intrinsics, since compilers make a fourth of
 * the speed of the plain loop, and the reader must not be what limits a link. */
static uint64_t sum_lines(const uint8_t *at, size_t count)
{
	__m128i a = _mm_setzero_si128(), b = a, c = a, d = a;
	uint64_t halves[2];

	for (; count >= 64; at += 64, count -= 64) {
		a = _mm_add_epi64(a, load(at));
		b = _mm_add_epi64(b, load(at + 16));
		c = _mm_add_epi64(c, load(at + 32));
		d = _mm_add_epi64(d, load(at + 48));
	}
	a = _mm_add_epi64(_mm_add_epi64(a, b), _mm_add_epi64(c, d));
	memcpy(halves, &a, sizeof(halves));
	return halves[0] + halves[1];
}

#else

static uint64_t sum_lines(const uint8_t *at, size_t count)
{
	uint64_t total = 0, word;

	for (; count >= 64; count -= 64)
		for (unsigned i = 0; i < 8; i++, at += 8) {
			memcpy(&word, at, sizeof(word));
			total += word;
		}
	return total;
}

#endif

uint64_t reader_sum(const void *bytes, size_t count)
{
	const uint8_t *at = (const uint8_t *)bytes + count / 64 * 64;
	uint64_t total = sum_lines(bytes, count);

	for (size_t tail = count % 64; tail > 0; tail--)
		total += *at++;
	return total;
}

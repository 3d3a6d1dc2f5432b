/* copy.c: the copy into a ring by one of three instructions. Any process and thread; the method is the process's. */
#include "base/copy.h"

#include <stdatomic.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/fused.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

#define METHODS 3
/* Below it the start-up of the other methods costs more than they gain. */
#define SMALL_BYTES ((size_t)64 << 10)
/* Summed, then copied out of the first cache: 4 KiB was the best of 2 KiB to 8 MiB. */
#define CHUNK_BYTES ((size_t)4 << 10)

static _Atomic int method_now = COPY_MEMCPY;

void copy_set_method(enum copy_method method)
{
	if ((unsigned)method < METHODS)
		atomic_store_explicit(&method_now, (int)method, memory_order_relaxed);
}

enum copy_method copy_method_now(void)
{
	return (enum copy_method)atomic_load_explicit(&method_now, memory_order_relaxed);
}

const char *copy_method_name(enum copy_method method)
{
	static const char *const names[METHODS] = {"memcpy", "rep movsb", "non-temporal"};

	return (unsigned)method < METHODS ? names[method] : "?";
}

#if defined(__x86_64__)

static void copy_rep_movsb(void *destination, const void *source, size_t count)
{
	__asm__ volatile("rep movsb" : "+D"(destination), "+S"(source), "+c"(count) : : "memory");
}

/* Whole cache lines past the caches, seen after all plain stores before them: a stream's `claimed` warns observers of
 * what is about to be overwritten. Without the closing fence: non-temporal stores may become visible after later plain
 * ones, so the caller fences once before it publishes. */
static void copy_non_temporal(uint8_t *destination, const uint8_t *source, size_t count)
{
	size_t head = (64 - ((uintptr_t)destination & 63)) & 63;

	_mm_sfence();
	if (head > count)
		head = count;
	memcpy(destination, source, head);
	destination += head;
	source += head;
	count -= head;
	for (; count >= 64; destination += 64, source += 64, count -= 64) {
		__m128i a = _mm_loadu_si128((const __m128i *)(const void *)source);
		__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(source + 16));
		__m128i c = _mm_loadu_si128((const __m128i *)(const void *)(source + 32));
		__m128i d = _mm_loadu_si128((const __m128i *)(const void *)(source + 48));
		_mm_stream_si128((__m128i *)(void *)destination, a);
		_mm_stream_si128((__m128i *)(void *)(destination + 16), b);
		_mm_stream_si128((__m128i *)(void *)(destination + 32), c);
		_mm_stream_si128((__m128i *)(void *)(destination + 48), d);
	}
	memcpy(destination, source, count);
}

static void copy_by(enum copy_method method, void *destination, const void *source, size_t count)
{
	if (method == COPY_REP_MOVSB)
		copy_rep_movsb(destination, source, count);
	else if (method == COPY_NON_TEMPORAL)
		copy_non_temporal(destination, source, count);
	else
		memcpy(destination, source, count);
}

static void copy_fence(enum copy_method method)
{
	if (method == COPY_NON_TEMPORAL)
		_mm_sfence();
}

#else

static void copy_by(enum copy_method method, void *destination, const void *source, size_t count)
{
	(void)method;
	memcpy(destination, source, count);
}

static void copy_fence(enum copy_method method)
{
	(void)method;
}

#endif

/* The sum is of the source: a copy that went wrong must not get a CRC that agrees with it. */
static uint32_t copy_in_chunks(enum copy_method method, uint8_t *to, const uint8_t *from, size_t count, uint32_t crc)
{
	while (count > 0) {
		size_t step = count < CHUNK_BYTES ? count : CHUNK_BYTES;
		crc = crc32c(crc, from, step);
		copy_by(method, to, from, step);
		to += step;
		from += step;
		count -= step;
	}
	copy_fence(method);
	return crc;
}

/* Of pieces so large that the start-up of the other methods is worth it. */
static enum copy_method method_for(size_t count)
{
	return count < SMALL_BYTES ? COPY_MEMCPY : copy_method_now();
}

void copy_bytes(void *destination, const void *source, size_t count)
{
	enum copy_method method = method_for(count);

	copy_by(method, destination, source, count);
	copy_fence(method);
}

uint32_t copy_bytes_crc(void *destination, const void *source, size_t count, uint32_t crc)
{
	enum copy_method method = method_for(count);

	if (method == COPY_REP_MOVSB || !fused_is_supported())
		return copy_in_chunks(method, destination, source, count, crc);
	return fused_copy_crc(destination, source, count, crc, method == COPY_NON_TEMPORAL);
}

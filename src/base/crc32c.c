/* crc32c.c: CRC-32C by carry-less multiplication (ISA-L) for batches, by single instructions for headers. Any process
 * and thread. */
#include "base/crc32c.h"

#include <isa-l/crc.h>
#include <limits.h>
#include <string.h>

/* ISA-L works on the bare register: no inversion before, none after. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t count)
{
	const unsigned char *at = bytes;
	const size_t step_max = 1u << 30; /* its length is an int */
	uint32_t state = ~crc;

	while (count > 0) {
		size_t step = count < step_max ? count : step_max;
		/* The parameter is not const in its header, but it only reads. */
		state = crc32_iscsi((unsigned char *)(uintptr_t)at, (int)step, state);
		at += step;
		count -= step;
	}
	return ~state;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t small_by_instruction(uint32_t crc, const uint8_t *at, size_t count)
{
	uint64_t state = ~crc;

	for (; count >= 8; at += 8, count -= 8) {
		uint64_t word;
		memcpy(&word, at, 8);
		state = _mm_crc32_u64(state, word);
	}
	for (; count > 0; at++, count--)
		state = _mm_crc32_u8((uint32_t)state, *at);
	return ~(uint32_t)state;
}

uint32_t crc32c_small(uint32_t crc, const void *bytes, size_t count)
{
	if (__builtin_cpu_supports("sse4.2"))
		return small_by_instruction(crc, bytes, count);
	return crc32c(crc, bytes, count);
}

#else

uint32_t crc32c_small(uint32_t crc, const void *bytes, size_t count)
{
	return crc32c(crc, bytes, count);
}

#endif

/* fused_test.c: bytes and sums against a bit by bit implementation, at any length and alignment. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/fused.h"

#define ROOM  ((size_t)20000)
#define GUARD 0xA5

static uint8_t source[ROOM], destination[ROOM];

static uint32_t bitwise(uint32_t crc, const uint8_t *bytes, size_t count)
{
	crc = ~crc;
	for (size_t i = 0; i < count; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? 0x82F63B78u : 0);
	}
	return ~crc;
}

static void check(size_t to, size_t from, size_t count)
{
	uint32_t start = (uint32_t)rand(), expected = bitwise(start, source + from, count);

	for (int stream = 0; stream < 2; stream++) {
		memset(destination, GUARD, sizeof(destination));
		assert_int_equal(fused_copy_crc(destination + to, source + from, count, start, stream), expected);
		assert_memory_equal(destination + to, source + from, count);
		for (size_t i = 0; i < ROOM; i++)
			if ((i < to || i >= to + count) && destination[i] != GUARD)
				fail_msg("byte %zu was written, outside of the copy", i);
	}
}

static void test_any_length_and_alignment(void **state)
{
	(void)state;
	if (!fused_is_supported())
		skip();
	for (size_t i = 0; i < ROOM; i++)
		source[i] = (uint8_t)rand();
	for (size_t count = 0; count < 700; count++)
		check((size_t)rand() % 130, (size_t)rand() % 130, count);
	for (int round = 0; round < 200; round++)
		check((size_t)rand() % 130, (size_t)rand() % 130, (size_t)rand() % (ROOM - 130));
	check(0, 0, ROOM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_length_and_alignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* copy_test.c: every method copies exactly the bytes asked for, at any length and alignment, and sums them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/copy.h"
#include "base/crc32c.h"

#define ROOM  ((size_t)400000)
#define GUARD 0xA5

static uint8_t *source, *destination;

static int set_up(void **state)
{
	(void)state;
	source = malloc(ROOM);
	destination = malloc(ROOM);
	if (!source || !destination)
		return -1;
	srand(5);
	for (size_t i = 0; i < ROOM; i++)
		source[i] = (uint8_t)rand();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(source);
	free(destination);
	return 0;
}

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

static void check_outside(size_t begin, size_t end)
{
	for (size_t i = begin; i < end; i++)
		if (destination[i] != GUARD)
			fail_msg("byte %zu was written, outside of the copy", i);
}

static void copy_and_compare(size_t to, size_t from, size_t count, int with_crc)
{
	size_t begin = to > 256 ? to - 256 : 0, end = to + count + 256 < ROOM ? to + count + 256 : ROOM;
	uint32_t start = (uint32_t)rand();

	memset(destination + begin, GUARD, end - begin);
	if (with_crc)
		assert_int_equal(copy_bytes_crc(destination + to, source + from, count, start),
			bitwise(start, source + from, count));
	else
		copy_bytes(destination + to, source + from, count);
	assert_memory_equal(destination + to, source + from, count);
	check_outside(begin, to);
	check_outside(to + count, end);
}

static void test_methods_copy_exactly(void **state)
{
	(void)state;
	for (int method = COPY_MEMCPY; method <= COPY_NON_TEMPORAL; method++) {
		copy_set_method((enum copy_method)method);
		assert_int_equal(copy_method_now(), method);
		for (int round = 0; round < 60; round++) {
			size_t to = (size_t)rand() % 300, from = (size_t)rand() % 300;
			size_t count = round % 2 ? (size_t)rand() % 1000 : 65536 + (size_t)rand() % 300000;
			copy_and_compare(to, from, count, 0);
			copy_and_compare(to, from, round % 10 ? count % 70000 : count, 1);
		}
		copy_and_compare(3, 5, 0, 0);
		copy_and_compare(3, 5, 65536, 0);
		copy_and_compare(3, 5, 65535, 1);
	}
}

static void test_names(void **state)
{
	(void)state;
	copy_set_method(COPY_NON_TEMPORAL);
	copy_set_method((enum copy_method)77); /* there is none: nothing changes */
	assert_string_equal(copy_method_name(copy_method_now()), "non-temporal");
	assert_string_equal(copy_method_name((enum copy_method)77), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_methods_copy_exactly),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

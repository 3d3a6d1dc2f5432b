/* crc32c_test.c: against the standard's value and a bit by bit implementation. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"

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

static void test_check_value(void **state)
{
	(void)state;
	assert_int_equal(crc32c(0, "123456789", 9), 0xE3069283u);
	assert_int_equal(crc32c_small(0, "123456789", 9), 0xE3069283u);
	assert_int_equal(bitwise(0, (const uint8_t *)"123456789", 9), 0xE3069283u);
	assert_int_equal(crc32c(0, "", 0), 0);
	assert_int_equal(crc32c_small(0x1234, "", 0), 0x1234);
}

static void test_any_length_and_alignment(void **state)
{
	static uint8_t bytes[9000];

	(void)state;
	srand(11);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)rand();
	for (int round = 0; round < 2000; round++) {
		size_t at = (size_t)rand() % 80;
		size_t count = (size_t)rand() % (round % 20 ? 300 : sizeof(bytes) - 80);
		uint32_t start = (uint32_t)rand();
		uint32_t expected = bitwise(start, bytes + at, count);
		assert_int_equal(crc32c(start, bytes + at, count), expected);
		assert_int_equal(crc32c_small(start, bytes + at, count), expected);
		size_t cut = count ? (size_t)rand() % count : 0;
		uint32_t first = crc32c(start, bytes + at, cut);
		assert_int_equal(crc32c(first, bytes + at + cut, count - cut), expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_value),
		cmocka_unit_test(test_any_length_and_alignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

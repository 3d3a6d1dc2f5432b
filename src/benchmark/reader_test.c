/* reader_test.c: every byte counts, at every length and alignment. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "benchmark/reader.h"

static uint64_t sum_plainly(const uint8_t *at, size_t count)
{
	uint64_t total = 0, word;
	size_t i = 0;

	for (; i + 8 <= count / 64 * 64; i += 8) {
		memcpy(&word, at + i, sizeof(word));
		total += word;
	}
	for (; i < count; i++)
		total += at[i];
	return total;
}

static void test_sum(void **state)
{
	static uint8_t bytes[3000];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)rand();
	for (int round = 0; round < 3000; round++) {
		size_t at = (size_t)rand() % 64, count = (size_t)rand() % (round % 2 ? 2900 : 200);
		assert_int_equal(reader_sum(bytes + at, count), sum_plainly(bytes + at, count));
	}
}

static void test_every_byte_is_read(void **state)
{
	static uint8_t bytes[333];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = 1;
		assert_int_not_equal(reader_sum(bytes, sizeof(bytes)), 0);
		bytes[i] = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_every_byte_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

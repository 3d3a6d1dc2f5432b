/* root_blocks_test.c: compressed blocks against the libraries' own decoders. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

#include "compress.h"

static const enum compress_method methods[] = {COMPRESS_ZLIB, COMPRESS_LZMA, COMPRESS_LZ4, COMPRESS_ZSTD};

static size_t get_le24(const uint8_t *at)
{
	return (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16;
}

static void decode_lzma(const uint8_t *from, size_t count, uint8_t *to, size_t room)
{
	uint64_t limit = UINT64_MAX;
	size_t in = 0, out = 0;

	assert_int_equal(lzma_stream_buffer_decode(&limit, 0, NULL, from, &in, count, to, &out, room), LZMA_OK);
	assert_int_equal(out, room);
}

static void decode_block(const uint8_t *block, uint8_t *to)
{
	size_t packed = get_le24(block + 3), raw = get_le24(block + 6);
	const uint8_t *from = block + 9;
	uLongf length = raw;

	if (memcmp(block, "ZL\x08", 3) == 0) {
		assert_int_equal(uncompress(to, &length, from, packed), Z_OK);
		assert_int_equal(length, raw);
	} else if (memcmp(block, "ZS\x01", 3) == 0) {
		assert_int_equal(ZSTD_decompress(to, raw, from, packed), raw);
	} else if (memcmp(block, "XZ\x00", 3) == 0) {
		decode_lzma(from, packed, to, raw);
	} else {
		assert_memory_equal(block, "L4\x01", 3);
		assert_int_equal(bytes_get_be64(from), XXH64(from + 8, packed - 8, 0));
		assert_int_equal(
			LZ4_decompress_safe((const char *)from + 8, (char *)to, (int)packed - 8, (int)raw), (int)raw);
	}
}

static void check_round_trip(const struct compress_setting *setting, const uint8_t *data, size_t count, bool is_packed)
{
	struct compressor compressor = {0};
	struct bytes out = {0};
	uint8_t *back = malloc(count + 1);
	size_t at = 3, done = 0;

	bytes_put(&out, "abc", 3); /* it is appended to what is there */
	assert_int_equal(compress_append(&compressor, setting, data, count, &out, NULL), 0);
	assert_memory_equal(out.data, "abc", 3);
	if (!is_packed) {
		assert_int_equal(out.count, 3 + count);
		assert_memory_equal(out.data + 3, data, count);
	} else {
		assert_true(out.count - 3 < count);
		while (at < out.count) {
			size_t raw = get_le24(out.data + at + 6);
			assert_true(done + raw <= count);
			decode_block(out.data + at, back + done);
			done += raw;
			at += 9 + get_le24(out.data + at + 3);
		}
		assert_int_equal(at, out.count);
		assert_int_equal(done, count);
		assert_memory_equal(back, data, count);
	}
	free(back);
	bytes_fini(&out);
	compressor_fini(&compressor);
}

static void all_methods_come_back(void **state)
{
	uint8_t data[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i / 7 % 50);
	for (size_t m = 0; m < 4; m++)
		for (int level = 1; level <= 22; level += 3)
			check_round_trip(&(struct compress_setting){methods[m], level}, data, sizeof(data), true);
	check_round_trip(&(struct compress_setting){COMPRESS_ZSTD, 0}, data, sizeof(data), false);
}

static void what_does_not_shrink_stays_raw(void **state)
{
	uint8_t data[4096];

	(void)state;
	srand(1);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(rand() >> 8);
	for (size_t m = 0; m < 4; m++) {
		check_round_trip(&(struct compress_setting){methods[m], 5}, data, sizeof(data), false);
		check_round_trip(&(struct compress_setting){methods[m], 5}, data, 1, false);
		check_round_trip(&(struct compress_setting){methods[m], 5}, data, 0, false);
	}
}

static void large_objects_are_cut_into_pieces(void **state)
{
	size_t count = 2 * (size_t)COMPRESS_PIECE_MAX + 5;
	uint8_t *data = malloc(count);

	(void)state;
	for (size_t i = 0; i < count; i++)
		data[i] = (uint8_t)(i / 1000);
	for (size_t m = 0; m < 4; m++)
		check_round_trip(&(struct compress_setting){methods[m], 1}, data, count, true);
	check_round_trip(&(struct compress_setting){COMPRESS_ZSTD, 1}, data, COMPRESS_PIECE_MAX, true);
	check_round_trip(&(struct compress_setting){COMPRESS_ZSTD, 1}, data, COMPRESS_PIECE_MAX + 1, true);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_methods_come_back),
		cmocka_unit_test(what_does_not_shrink_stays_raw),
		cmocka_unit_test(large_objects_are_cut_into_pieces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

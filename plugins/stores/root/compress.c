/* compress.c: see the header. Store process, main thread and its helper, each with a compressor of its own. */
#include "compress.h"

#include <errno.h>
#include <lz4.h>
#include <lz4hc.h>
#include <lzma.h>
#include <string.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

#define BLOCK_HEADER_BYTES 9u
#define LZ4_SUM_BYTES      8u
#define LZ4_HC_FROM_LEVEL  4

struct method_mark {
	char letters[2];
	uint8_t version;
};

static struct method_mark mark_of(enum compress_method method)
{
	switch (method) {
	case COMPRESS_ZLIB:
		return (struct method_mark){{'Z', 'L'}, 8};
	case COMPRESS_LZMA:
		return (struct method_mark){{'X', 'Z'}, 0};
	case COMPRESS_LZ4:
		return (struct method_mark){{'L', '4'}, 1};
	case COMPRESS_ZSTD:
		break;
	}
	return (struct method_mark){{'Z', 'S'}, 1};
}

uint32_t compress_code(const struct compress_setting *setting)
{
	if (setting->level <= 0)
		return 0;
	return (uint32_t)setting->method * 100 + (uint32_t)(setting->level < 9 ? setting->level : 9);
}

void compressor_fini(struct compressor *compressor)
{
	ZSTD_freeCCtx(compressor->zstd);
	compressor->zstd = NULL;
}

/* Each returns the length, or 0: it does not fit into `room`. */

static size_t by_zlib(int level, const uint8_t *from, size_t count, uint8_t *to, size_t room)
{
	uLongf length = room;

	return compress2(to, &length, from, count, level < 9 ? level : 9) == Z_OK ? length : 0;
}

/* Not in one call: that writes lengths into the block's header, which jsroot does not step over. */
static size_t by_lzma(int level, const uint8_t *from, size_t count, uint8_t *to, size_t room)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	size_t length = 0;

	if (lzma_easy_encoder(&stream, (uint32_t)(level < 9 ? level : 9), LZMA_CHECK_CRC32) != LZMA_OK)
		return 0;
	stream.next_in = from;
	stream.avail_in = count;
	stream.next_out = to;
	stream.avail_out = room;
	if (lzma_code(&stream, LZMA_FINISH) == LZMA_STREAM_END)
		length = room - stream.avail_out;
	lzma_end(&stream);
	return length;
}

/* The check sum stands before the bytes and counts as part of them. */
static size_t by_lz4(int level, const uint8_t *from, size_t count, uint8_t *to, size_t room)
{
	const char *source = (const char *)from;
	char *target = (char *)to + LZ4_SUM_BYTES;
	int length;

	if (room <= LZ4_SUM_BYTES)
		return 0;
	int left = (int)(room - LZ4_SUM_BYTES);
	if (level >= LZ4_HC_FROM_LEVEL)
		length = LZ4_compress_HC(source, target, (int)count, left, level < LZ4HC_CLEVEL_MAX ? level : 12);
	else
		length = LZ4_compress_default(source, target, (int)count, left);
	if (length <= 0)
		return 0;
	bytes_set_be64(to, XXH64(target, (size_t)length, 0));
	return LZ4_SUM_BYTES + (size_t)length;
}

static size_t by_zstd(
	struct compressor *compressor, int level, const uint8_t *from, size_t count, uint8_t *to, size_t room)
{
	if (!compressor->zstd)
		compressor->zstd = ZSTD_createCCtx();
	if (!compressor->zstd)
		return 0;
	size_t length = ZSTD_compressCCtx(
		compressor->zstd, to, room, from, count, level < ZSTD_maxCLevel() ? level : ZSTD_maxCLevel());
	return ZSTD_isError(length) ? 0 : length;
}

static size_t by_method(struct compressor *compressor, const struct compress_setting *setting, const uint8_t *from,
	size_t count, uint8_t *to, size_t room)
{
	switch (setting->method) {
	case COMPRESS_ZLIB:
		return by_zlib(setting->level, from, count, to, room);
	case COMPRESS_LZMA:
		return by_lzma(setting->level, from, count, to, room);
	case COMPRESS_LZ4:
		return by_lz4(setting->level, from, count, to, room);
	case COMPRESS_ZSTD:
		break;
	}
	return by_zstd(compressor, setting->level, from, count, to, room);
}

static void put_le24(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
	at[2] = (uint8_t)(value >> 16);
}

/* The whole block in less than `room` bytes; its length, or 0. */
static size_t write_block(struct compressor *compressor, const struct compress_setting *setting, const uint8_t *from,
	size_t count, uint8_t *to, size_t room)
{
	struct method_mark mark = mark_of(setting->method);

	if (room <= BLOCK_HEADER_BYTES)
		return 0;
	room -= BLOCK_HEADER_BYTES;
	size_t length = by_method(compressor, setting, from, count, to + BLOCK_HEADER_BYTES,
		room < COMPRESS_PIECE_MAX ? room : COMPRESS_PIECE_MAX);
	if (length == 0)
		return 0;
	memcpy(to, mark.letters, 2);
	to[2] = mark.version;
	put_le24(to + 3, length);
	put_le24(to + 6, count);
	return BLOCK_HEADER_BYTES + length;
}

int compress_append(struct compressor *compressor, const struct compress_setting *setting, const uint8_t *data,
	size_t count, struct bytes *out, struct enrg_error *err)
{
	size_t start = out->count, done = 0;
	/* Pieces of one size: a short last one might not shrink, and all would be stored raw because of it. */
	size_t pieces = (count + COMPRESS_PIECE_MAX - 1) / COMPRESS_PIECE_MAX;
	uint8_t *to = bytes_reserve(out, count);

	if (!to)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	/* Below this no header is worth its bytes. */
	bool is_packed = setting->level > 0 && count > 2 * BLOCK_HEADER_BYTES;
	for (size_t i = 0; i < pieces && is_packed; i++) {
		size_t piece = (count - done) / (pieces - i);
		size_t used = out->count - start;
		size_t length = used + 1 < count ? write_block(compressor, setting, data + done, piece, to + used,
							   count - used - 1)
						 : 0;
		is_packed = length > 0;
		out->count += length;
		done += piece;
	}
	if (!is_packed) {
		out->count = start;
		bytes_put(out, data, count);
	}
	return 0;
}

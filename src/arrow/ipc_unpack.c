/* ipc_unpack.c: a record batch whose buffers were compressed one by one, made into the plain message that
 * ipc_decode_batch reads. In commands that read files; nothing in them is believed. */
#include <errno.h>
#include <stdlib.h>

#include "arrow/ipc_layout.h"

#define BODY_ALIGN     64u
#define BODY_BYTES_MAX (UINT64_C(4) << 30)
/* What a byte can become at most: with LZ4 each 255 repeated bytes cost one; of zstd a block of 4 bytes repeats one
 * byte 128 KiB times. So a few bytes that claim to be very many are seen before memory is asked for. */
#define LZ4_RATIO_MAX  255u
#define ZSTD_RATIO_MAX (32u << 10)
#define LENGTH_BYTES   8u /* in front of each buffer; -1: it is not compressed */

enum { COMPRESSION_CODEC };

struct packed {
	struct ipc_head head;
	struct fb_vector buffers;
	enum enrg_ipc_codec codec;
	const uint8_t *body;
	uint64_t body_bytes;
	uint32_t meta_bytes, base; /* base: where the flatbuffer begins */
};

struct buffer {
	uint64_t offset, bytes, raw_bytes;
	bool is_plain;
};

static int read_packed(const uint8_t *bytes, size_t count, struct packed *ret_packed, struct enrg_error *err)
{
	struct packed packed = {0};
	struct fb_table compression;
	size_t wanted;

	int rc = ipc_read_head(bytes, count, &packed.head, &wanted, err);
	if (rc < 0)
		return rc == -EAGAIN ? enrg_error_set(err, ENRG_E_CORRUPT, "a record batch is cut") : rc;
	struct fb_reader *reader = &packed.head.reader;
	if (packed.head.header_type != IPC_RECORD_BATCH ||
		!fb_read_table(reader, &packed.head.header, BATCH_COMPRESSION, &compression) ||
		!fb_read_vector(reader, &packed.head.header, BATCH_BUFFERS, IPC_BUFFER_BYTES, &packed.buffers))
		return enrg_error_set(err, ENRG_E_CORRUPT, "the record batch's metadata is damaged");
	uint64_t codec = fb_read_number(reader, &compression, COMPRESSION_CODEC, 1, 0);
	packed.meta_bytes = packed.head.meta_bytes;
	packed.body_bytes = packed.head.body_bytes;
	packed.body = bytes + packed.meta_bytes;
	packed.base = (uint32_t)(reader->bytes - bytes);
	if (packed.meta_bytes > count || packed.body_bytes > count - packed.meta_bytes)
		return enrg_error_set(err, ENRG_E_CORRUPT, "a record batch is cut");
	if (codec != ENRG_IPC_LZ4_FRAME && codec != ENRG_IPC_ZSTD)
		return enrg_error_set(err, -ENOTSUP, "an unknown compression (%llu)", (unsigned long long)codec);
	packed.codec = (enum enrg_ipc_codec)codec;
	*ret_packed = packed;
	return 0;
}

static uint32_t buffer_place(const struct packed *packed, uint32_t index)
{
	return packed->buffers.at + index * IPC_BUFFER_BYTES;
}

static int read_buffer(const struct packed *packed, uint32_t index, struct buffer *ret_buffer, struct enrg_error *err)
{
	const uint8_t *at = packed->head.reader.bytes + buffer_place(packed, index);
	struct buffer buffer = {.offset = fb_load_u64(at), .bytes = fb_load_u64(at + 8)};

	/* So the product with a ratio stays below 2^63 as well. */
	if (buffer.bytes > UINT64_C(1) << 47 || buffer.offset > packed->body_bytes ||
		buffer.bytes > packed->body_bytes - buffer.offset || (buffer.bytes > 0 && buffer.bytes < LENGTH_BYTES))
		return enrg_error_set(err, ENRG_E_CORRUPT, "buffer %u lies outside the body", index);
	if (buffer.bytes > 0) {
		buffer.raw_bytes = fb_load_u64(packed->body + buffer.offset);
		buffer.offset += LENGTH_BYTES;
		buffer.bytes -= LENGTH_BYTES;
		buffer.is_plain = buffer.raw_bytes == UINT64_MAX;
	}
	if (buffer.is_plain)
		buffer.raw_bytes = buffer.bytes;
	uint64_t most = buffer.bytes * (packed->codec == ENRG_IPC_ZSTD ? ZSTD_RATIO_MAX : LZ4_RATIO_MAX);
	if (!buffer.is_plain && buffer.raw_bytes > most)
		return enrg_error_set(err, ENRG_E_CORRUPT, "buffer %u claims to be of %llu bytes, and has %llu", index,
			(unsigned long long)buffer.raw_bytes, (unsigned long long)buffer.bytes);
	if (buffer.raw_bytes > BODY_BYTES_MAX)
		return enrg_error_set(err, ENRG_E_CORRUPT, "buffer %u claims to be of %llu bytes", index,
			(unsigned long long)buffer.raw_bytes);
	*ret_buffer = buffer;
	return 0;
}

static int measure(const struct packed *packed, uint64_t *ret_bytes, struct enrg_error *err)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < packed->buffers.count; i++) {
		struct buffer buffer = {0};
		int rc = read_buffer(packed, i, &buffer, err);
		if (rc < 0)
			return rc;
		total += (buffer.raw_bytes + BODY_ALIGN - 1) / BODY_ALIGN * BODY_ALIGN;
		if (total > BODY_BYTES_MAX)
			return enrg_error_set(err, ENRG_E_CORRUPT, "its body claims to be of more than 4 GiB");
	}
	*ret_bytes = total;
	return 0;
}

static int fill_body(const struct packed *packed, ipc_decompress_fn *decompress, uint8_t *meta, uint8_t *body,
	struct enrg_error *err)
{
	uint64_t at = 0;

	for (uint32_t i = 0; i < packed->buffers.count; i++) {
		uint8_t *entry = meta + packed->base + buffer_place(packed, i);
		struct buffer buffer = {0};
		int rc = read_buffer(packed, i, &buffer, err);
		if (rc == 0 && buffer.raw_bytes && buffer.is_plain)
			memcpy(body + at, packed->body + buffer.offset, buffer.bytes);
		else if (rc == 0 && buffer.raw_bytes)
			rc = decompress(packed->codec, packed->body + buffer.offset, buffer.bytes, body + at,
				buffer.raw_bytes, err);
		if (rc < 0)
			return rc;
		memcpy(entry, &at, sizeof(at));
		memcpy(entry + 8, &buffer.raw_bytes, sizeof(buffer.raw_bytes));
		at += (buffer.raw_bytes + BODY_ALIGN - 1) / BODY_ALIGN * BODY_ALIGN;
	}
	return 0;
}

int ipc_unpack(const void *bytes, size_t count, ipc_decompress_fn *decompress, void **ret_bytes, size_t *ret_count,
	struct enrg_error *err)
{
	struct packed packed;
	uint64_t body_bytes = 0;

	int rc = read_packed(bytes, count, &packed, err);
	if (rc == 0)
		rc = measure(&packed, &body_bytes, err);
	if (rc < 0)
		return rc;
	uint32_t length_at = fb_find_field(&packed.head.reader, &packed.head.message, MESSAGE_BODY_LENGTH, 8);
	if (!length_at)
		return enrg_error_set(err, ENRG_E_CORRUPT, "the record batch's metadata is damaged");
	uint8_t *plain = calloc(1, packed.meta_bytes + body_bytes + 1);
	if (!plain)
		return enrg_error_set(
			err, -ENOMEM, "no memory for a batch of %llu bytes", (unsigned long long)body_bytes);
	memcpy(plain, bytes, packed.meta_bytes);
	rc = fill_body(&packed, decompress, plain, plain + packed.meta_bytes, err);
	if (rc < 0) {
		free(plain);
		return rc;
	}
	memcpy(plain + packed.base + length_at, &body_bytes, sizeof(body_bytes));
	/* The field `compression` is gone. */
	memset(plain + packed.base + packed.head.header.vtable + 4 + 2 * BATCH_COMPRESSION, 0, 2);
	*ret_bytes = plain;
	*ret_count = packed.meta_bytes + body_bytes;
	return 0;
}

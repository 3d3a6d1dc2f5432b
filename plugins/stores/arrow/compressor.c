/* compressor.c: compresses the buffers of a batch. Runs in the store's job process, on its main thread. */
#include "compressor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#ifdef ENRG_HAS_LZ4
#include <lz4frame.h>
#endif

#define LENGTH_BYTES 8u
#define ZSTD_LEVEL   1 /* half of what the ring carries; higher levels win little on numbers */

struct compressor {
	enum compressor_kind kind;
	ZSTD_CCtx *zstd;
	struct enrg_ipc_buffer *from, *to;
	uint32_t capacity; /* of both */
	uint8_t *body;
	size_t body_capacity;
	void *meta;
};

int compressor_create(enum compressor_kind kind, struct compressor **ret_compressor, struct enrg_error *err)
{
	struct compressor *compressor = calloc(1, sizeof(*compressor));

	if (compressor && kind == COMPRESSOR_ZSTD)
		compressor->zstd = ZSTD_createCCtx();
	if (!compressor || (kind == COMPRESSOR_ZSTD && !compressor->zstd)) {
		compressor_destroy(compressor);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
#ifndef ENRG_HAS_LZ4
	if (kind == COMPRESSOR_LZ4) {
		compressor_destroy(compressor);
		return enrg_error_set(err, -ENOTSUP,
			"compression = \"lz4\": this program was built without liblz4 "
			"(package liblz4-dev); use \"zstd\"");
	}
#endif
	compressor->kind = kind;
	*ret_compressor = compressor;
	return 0;
}

void compressor_destroy(struct compressor *compressor)
{
	if (!compressor)
		return;
	ZSTD_freeCCtx(compressor->zstd);
	free(compressor->from);
	free(compressor->to);
	free(compressor->body);
	free(compressor->meta);
	free(compressor);
}

static size_t bound_of(const struct compressor *compressor, size_t count)
{
#ifdef ENRG_HAS_LZ4
	if (compressor->kind == COMPRESSOR_LZ4)
		return LZ4F_compressFrameBound(count, NULL);
#endif
	(void)compressor;
	return ZSTD_compressBound(count);
}

/* Bytes of the frame; 0: it failed. */
static size_t compress(struct compressor *compressor, void *to, size_t capacity, const void *from, size_t count)
{
	size_t result;

#ifdef ENRG_HAS_LZ4
	if (compressor->kind == COMPRESSOR_LZ4) {
		const LZ4F_preferences_t preferences = {.frameInfo = {.contentSize = count}};

		result = LZ4F_compressFrame(to, capacity, from, count, &preferences);
		return LZ4F_isError(result) ? 0 : result;
	}
#endif
	result = ZSTD_compressCCtx(compressor->zstd, to, capacity, from, count, ZSTD_LEVEL);
	return ZSTD_isError(result) ? 0 : result;
}

static int reserve_body(struct compressor *compressor, uint32_t count, struct enrg_error *err)
{
	size_t wanted = 0;

	for (uint32_t i = 0; i < count; i++)
		wanted += LENGTH_BYTES + bound_of(compressor, compressor->from[i].byte_count) + 8;
	if (wanted <= compressor->body_capacity)
		return 0;
	free(compressor->body);
	compressor->body = malloc(wanted);
	compressor->body_capacity = compressor->body ? wanted : 0;
	return compressor->body ? 0 : enrg_error_set(err, -ENOMEM, "no memory to compress a batch");
}

static int list_buffers(
	struct compressor *compressor, const struct enrg_batch *batch, uint32_t *ret_count, struct enrg_error *err)
{
	int rc = enrg_ipc_buffers(batch, compressor->from, compressor->capacity, ret_count, err);

	if (rc != -ENOBUFS)
		return rc;
	free(compressor->from);
	free(compressor->to);
	compressor->from = calloc(*ret_count, sizeof(*compressor->from));
	compressor->to = calloc(*ret_count, sizeof(*compressor->to));
	compressor->capacity = compressor->from && compressor->to ? *ret_count : 0;
	if (!compressor->capacity)
		return enrg_error_set(err, -ENOMEM, "no memory to compress a batch");
	return enrg_ipc_buffers(batch, compressor->from, compressor->capacity, ret_count, err);
}

/* One buffer behind the others; what does not become smaller stays as it is. Returns how many bytes it takes. */
static size_t put_buffer(struct compressor *compressor, uint8_t *to, const struct enrg_ipc_buffer *from)
{
	int64_t length = (int64_t)from->byte_count;
	size_t count;

	if (from->byte_count == 0)
		return 0;
	count = compress(
		compressor, to + LENGTH_BYTES, bound_of(compressor, from->byte_count), from->bytes, from->byte_count);
	if (count == 0 || count >= from->byte_count) {
		length = -1;
		count = from->byte_count;
		memcpy(to + LENGTH_BYTES, from->bytes, count);
	}
	memcpy(to, &length, sizeof(length));
	return LENGTH_BYTES + count;
}

int compressor_compress(struct compressor *compressor, const struct enrg_batch *batch,
	struct compressed_batch *ret_batch, struct enrg_error *err)
{
	struct enrg_ipc_compressed params = {
		.codec = compressor->kind == COMPRESSOR_LZ4 ? ENRG_IPC_LZ4_FRAME : ENRG_IPC_ZSTD};
	uint32_t count;
	int rc = list_buffers(compressor, batch, &count, err);
	size_t at = 0;

	if (rc == 0)
		rc = reserve_body(compressor, count, err);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < count; i++) {
		size_t used = put_buffer(compressor, compressor->body + at, &compressor->from[i]);
		size_t padded = (used + 7) & ~(size_t)7;

		compressor->to[i] = (struct enrg_ipc_buffer){compressor->body + at, used};
		memset(compressor->body + at + used, 0, padded - used);
		at += padded;
	}
	free(compressor->meta);
	compressor->meta = NULL;
	params.buffers = compressor->to;
	params.buffer_count = count;
	params.body = compressor->body;
	params.body_bytes = at;
	*ret_batch = (struct compressed_batch){.body = compressor->body, .body_bytes = at};
	rc = enrg_ipc_format_compressed(batch, &params, &compressor->meta, &ret_batch->meta_bytes, err);
	ret_batch->meta = compressor->meta;
	return rc;
}

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
#define ZSTD_LEVEL 1 /* half of what the ring carries; higher levels win little on numbers */

struct squeeze {
	enum squeeze_kind kind;
	ZSTD_CCtx *zstd;
	struct enrg_ipc_buffer *from, *to;
	uint32_t capacity; /* of both */
	uint8_t *body;
	size_t body_capacity;
	void *meta;
};

int squeeze_create(enum squeeze_kind kind, struct squeeze **ret_squeeze, struct enrg_error *err)
{
	struct squeeze *squeeze = calloc(1, sizeof(*squeeze));

	if (squeeze && kind == SQUEEZE_ZSTD)
		squeeze->zstd = ZSTD_createCCtx();
	if (!squeeze || (kind == SQUEEZE_ZSTD && !squeeze->zstd)) {
		squeeze_destroy(squeeze);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
#ifndef ENRG_HAS_LZ4
	if (kind == SQUEEZE_LZ4) {
		squeeze_destroy(squeeze);
		return enrg_error_set(err, -ENOTSUP, "compression = \"lz4\": this program was built without liblz4 "
			"(package liblz4-dev); use \"zstd\"");
	}
#endif
	squeeze->kind = kind;
	*ret_squeeze = squeeze;
	return 0;
}

void squeeze_destroy(struct squeeze *squeeze)
{
	if (!squeeze)
		return;
	ZSTD_freeCCtx(squeeze->zstd);
	free(squeeze->from);
	free(squeeze->to);
	free(squeeze->body);
	free(squeeze->meta);
	free(squeeze);
}

static size_t bound_of(const struct squeeze *squeeze, size_t count)
{
#ifdef ENRG_HAS_LZ4
	if (squeeze->kind == SQUEEZE_LZ4)
		return LZ4F_compressFrameBound(count, NULL);
#endif
	(void)squeeze;
	return ZSTD_compressBound(count);
}

/* Bytes of the frame; 0: it failed. */
static size_t compress(struct squeeze *squeeze, void *to, size_t capacity, const void *from, size_t count)
{
	size_t result;

#ifdef ENRG_HAS_LZ4
	if (squeeze->kind == SQUEEZE_LZ4) {
		const LZ4F_preferences_t preferences = { .frameInfo = { .contentSize = count } };

		result = LZ4F_compressFrame(to, capacity, from, count, &preferences);
		return LZ4F_isError(result) ? 0 : result;
	}
#endif
	result = ZSTD_compressCCtx(squeeze->zstd, to, capacity, from, count, ZSTD_LEVEL);
	return ZSTD_isError(result) ? 0 : result;
}

static int reserve_body(struct squeeze *squeeze, uint32_t count, struct enrg_error *err)
{
	size_t wanted = 0;

	for (uint32_t i = 0; i < count; i++)
		wanted += LENGTH_BYTES + bound_of(squeeze, squeeze->from[i].byte_count) + 8;
	if (wanted <= squeeze->body_capacity)
		return 0;
	free(squeeze->body);
	squeeze->body = malloc(wanted);
	squeeze->body_capacity = squeeze->body ? wanted : 0;
	return squeeze->body ? 0 : enrg_error_set(err, -ENOMEM, "no memory to compress a batch");
}

static int list_buffers(struct squeeze *squeeze, const struct enrg_batch *batch, uint32_t *ret_count,
	struct enrg_error *err)
{
	int rc = enrg_ipc_buffers(batch, squeeze->from, squeeze->capacity, ret_count, err);

	if (rc != -ENOBUFS)
		return rc;
	free(squeeze->from);
	free(squeeze->to);
	squeeze->from = calloc(*ret_count, sizeof(*squeeze->from));
	squeeze->to = calloc(*ret_count, sizeof(*squeeze->to));
	squeeze->capacity = squeeze->from && squeeze->to ? *ret_count : 0;
	if (!squeeze->capacity)
		return enrg_error_set(err, -ENOMEM, "no memory to compress a batch");
	return enrg_ipc_buffers(batch, squeeze->from, squeeze->capacity, ret_count, err);
}

/* One buffer behind the others; what does not become smaller stays as it is. Returns how many bytes it takes. */
static size_t put_buffer(struct squeeze *squeeze, uint8_t *to, const struct enrg_ipc_buffer *from)
{
	int64_t length = (int64_t)from->byte_count;
	size_t count;

	if (from->byte_count == 0)
		return 0;
	count = compress(squeeze, to + LENGTH_BYTES, bound_of(squeeze, from->byte_count), from->bytes, from->byte_count);
	if (count == 0 || count >= from->byte_count) {
		length = -1;
		count = from->byte_count;
		memcpy(to + LENGTH_BYTES, from->bytes, count);
	}
	memcpy(to, &length, sizeof(length));
	return LENGTH_BYTES + count;
}

int squeeze_batch(struct squeeze *squeeze, const struct enrg_batch *batch, struct squeezed *ret_squeezed,
	struct enrg_error *err)
{
	struct enrg_ipc_compressed params = {
		.codec = squeeze->kind == SQUEEZE_LZ4 ? ENRG_IPC_LZ4_FRAME : ENRG_IPC_ZSTD };
	uint32_t count;
	int rc = list_buffers(squeeze, batch, &count, err);
	size_t at = 0;

	if (rc == 0)
		rc = reserve_body(squeeze, count, err);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < count; i++) {
		size_t used = put_buffer(squeeze, squeeze->body + at, &squeeze->from[i]);
		size_t padded = (used + 7) & ~(size_t)7;

		squeeze->to[i] = (struct enrg_ipc_buffer){ squeeze->body + at, used };
		memset(squeeze->body + at + used, 0, padded - used);
		at += padded;
	}
	free(squeeze->meta);
	squeeze->meta = NULL;
	params.buffers = squeeze->to;
	params.buffer_count = count;
	params.body = squeeze->body;
	params.body_bytes = at;
	*ret_squeezed = (struct squeezed){ .body = squeeze->body, .body_bytes = at };
	rc = enrg_ipc_format_compressed(batch, &params, &squeeze->meta, &ret_squeezed->meta_bytes, err);
	ret_squeezed->meta = squeeze->meta;
	return rc;
}

/* decompress.c: see the header. */
#include "arrow/decompress.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>
#ifdef ENRG_HAS_LZ4
#include <lz4frame.h>
#define FRAME_FIRST_BYTES (1u << 20)
#endif

static int unpack_zstd(const void *packed, size_t packed_bytes, void *raw, size_t raw_bytes, struct enrg_error *err)
{
	size_t count = ZSTD_decompress(raw, raw_bytes, packed, packed_bytes);

	if (ZSTD_isError(count))
		return enrg_error_set(
			err, ENRG_E_CORRUPT, "a compressed buffer is damaged: %s", ZSTD_getErrorName(count));
	if (count != raw_bytes)
		return enrg_error_set(
			err, ENRG_E_CORRUPT, "a compressed buffer holds %zu bytes instead of %zu", count, raw_bytes);
	return 0;
}

#ifdef ENRG_HAS_LZ4
static int unpack_lz4(const void *packed, size_t packed_bytes, void *raw, size_t raw_bytes, struct enrg_error *err)
{
	LZ4F_dctx *context;
	size_t done = 0, used = 0, more = 1;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
		return enrg_error_set(err, -ENOMEM, "out of memory");
	while (used < packed_bytes && more && !LZ4F_isError(more)) {
		size_t out = raw_bytes - done, in = packed_bytes - used;
		more = LZ4F_decompress(context, (char *)raw + done, &out, (const char *)packed + used, &in, NULL);
		if (!out && !in)
			break;
		done += out;
		used += in;
	}
	LZ4F_freeDecompressionContext(context);
	if (more || done != raw_bytes)
		return enrg_error_set(err, ENRG_E_CORRUPT, "a compressed buffer is damaged");
	return 0;
}

static int grow_frame(struct decompress_memory *memory, struct enrg_error *err)
{
	size_t larger = memory->capacity ? 2 * memory->capacity : FRAME_FIRST_BYTES, most = memory->capacity_max;

	if (memory->capacity >= most)
		return enrg_error_set(
			err, -ENOTSUP, "an LZ4 frame holds more than %zu MB, which is no record of a dump", most >> 20);
	if (larger > most)
		larger = most;
	uint8_t *grown = realloc(memory->bytes, larger);
	if (!grown)
		return enrg_error_set(err, -ENOMEM, "no memory for %zu bytes", larger);
	memory->bytes = grown;
	memory->capacity = larger;
	return 0;
}

int decompress_frame(const void *packed, size_t packed_bytes, struct decompress_memory *memory, size_t *ret_bytes,
	struct enrg_error *err)
{
	LZ4F_dctx *context;
	size_t used = 0, done = 0, more = 1;
	int rc = 0;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
		return enrg_error_set(err, -ENOMEM, "out of memory");
	while (rc == 0 && more && !LZ4F_isError(more)) {
		if (done == memory->capacity) {
			rc = grow_frame(memory, err);
			continue;
		}
		size_t out = memory->capacity - done, in = packed_bytes - used;
		more = LZ4F_decompress(context, memory->bytes + done, &out, (const char *)packed + used, &in, NULL);
		if (!out && !in)
			break;
		done += out;
		used += in;
	}
	LZ4F_freeDecompressionContext(context);
	if (rc == 0 && (more || used != packed_bytes))
		return enrg_error_set(err, ENRG_E_CORRUPT, "the LZ4 frame is damaged%s%s",
			LZ4F_isError(more) ? ": " : "", LZ4F_isError(more) ? LZ4F_getErrorName(more) : "");
	*ret_bytes = done;
	return rc;
}
#else
int decompress_frame(const void *packed, size_t packed_bytes, struct decompress_memory *memory, size_t *ret_bytes,
	struct enrg_error *err)
{
	(void)packed;
	(void)packed_bytes;
	(void)memory;
	(void)ret_bytes;
	return enrg_error_set(err, -ENOTSUP, "it is compressed with LZ4, and this build lacks liblz4");
}
#endif

int decompress(enum enrg_ipc_codec codec, const void *packed, size_t packed_bytes, void *raw, size_t raw_bytes,
	struct enrg_error *err)
{
	if (codec == ENRG_IPC_ZSTD)
		return unpack_zstd(packed, packed_bytes, raw, raw_bytes, err);
#ifdef ENRG_HAS_LZ4
	return unpack_lz4(packed, packed_bytes, raw, raw_bytes, err);
#else
	return enrg_error_set(err, -ENOTSUP, "it is compressed with LZ4, and this build lacks liblz4");
#endif
}

/* decompress.c: see the header. In `enrgdaq cat` and `enrgdaq convert`. */
#include "cli/decompress.h"

#include <errno.h>
#include <zstd.h>
#ifdef ENRG_HAS_LZ4
#include <lz4frame.h>
#endif

static int unpack_zstd(const void *packed, size_t packed_bytes, void *raw, size_t raw_bytes, struct enrg_error *err)
{
	size_t count = ZSTD_decompress(raw, raw_bytes, packed, packed_bytes);

	if (ZSTD_isError(count))
		return enrg_error_set(err, ENRG_E_CORRUPT, "a compressed buffer is damaged: %s",
			ZSTD_getErrorName(count));
	if (count != raw_bytes)
		return enrg_error_set(err, ENRG_E_CORRUPT, "a compressed buffer holds %zu bytes instead of %zu", count,
			raw_bytes);
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
		more = LZ4F_decompress(
			context, (char *)raw + done, &out, (const char *)packed + used, &in, NULL);
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

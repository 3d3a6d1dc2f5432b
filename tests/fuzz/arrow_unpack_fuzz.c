/* arrow_unpack_fuzz.c: any bytes as a record batch message whose buffers are compressed. Memory is asked for only in
 * proportion to what is there. Runs in a fuzzer or over its corpus. */
#include <stdlib.h>
#include <string.h>

#include "arrow/ipc.h"
#include "base/crc32c.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#define RATIO_MAX (32u << 10) /* of zstd */

/* In place of a codec: the buffers lie where they should. */
static int fill(enum enrg_ipc_codec codec, const void *packed, size_t packed_bytes, void *raw, size_t raw_bytes,
	struct enrg_error *err)
{
	if (raw_bytes > (uint64_t)packed_bytes * RATIO_MAX)
		abort();
	(void)codec;
	memset(raw, (int)(crc32c(0, packed, packed_bytes) & 0xff), raw_bytes < 4096 ? raw_bytes : 4096);
	return raw_bytes % 7 ? 0 : enrg_error_set(err, ENRG_E_CORRUPT, "a compressed buffer is damaged");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	uint64_t *aligned = malloc(count + 8);
	void *plain = NULL;
	size_t plain_bytes = 0;

	if (!aligned)
		abort();
	memcpy(aligned, bytes, count);
	if (ipc_unpack(aligned, count, fill, &plain, &plain_bytes, NULL) == 0) {
		if (plain_bytes > count + (uint64_t)count * RATIO_MAX * 64)
			abort();
		free(plain);
	}
	free(aligned);
	return 0;
}

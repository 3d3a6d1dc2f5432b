/* decompress.h: the codecs of Arrow's record batches, for ipc_unpack, and of dumps. Any thread. */
#ifndef CLI_DECOMPRESS_H
#define CLI_DECOMPRESS_H

#include "arrow/ipc.h"

int decompress(enum enrg_ipc_codec codec, const void *packed, size_t packed_bytes, void *raw, size_t raw_bytes,
	struct enrg_error *err);

/* Unpacks one LZ4 frame into *raw, malloc'ed memory of *capacity bytes that grows as needed, up to `most`. */
int decompress_frame(const void *packed, size_t packed_bytes, uint8_t **raw, size_t *capacity, size_t most,
	size_t *ret_bytes, struct enrg_error *err);

#endif

/* decompress.h: the codecs of Arrow's record batches, for ipc_unpack, and of dumps. Any thread. */
#ifndef ARROW_DECOMPRESS_H
#define ARROW_DECOMPRESS_H

#include "arrow/ipc.h"

int decompress(enum enrg_ipc_codec codec, const void *packed, size_t packed_bytes, void *raw, size_t raw_bytes,
	struct enrg_error *err);

struct decompress_memory {
	uint8_t *bytes; /* malloc'ed, or NULL */
	size_t capacity, capacity_max;
};

/* Unpacks one LZ4 frame into memory that grows as needed. */
int decompress_frame(const void *packed, size_t packed_bytes, struct decompress_memory *memory, size_t *ret_bytes,
	struct enrg_error *err);

#endif

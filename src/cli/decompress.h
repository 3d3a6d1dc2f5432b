/* decompress.h: the codecs of Arrow's record batches, for ipc_unpack. Any thread. */
#ifndef CLI_DECOMPRESS_H
#define CLI_DECOMPRESS_H

#include "arrow/ipc.h"

int decompress(enum enrg_ipc_codec codec, const void *packed, size_t packed_bytes, void *raw, size_t raw_bytes,
	struct enrg_error *err);

#endif

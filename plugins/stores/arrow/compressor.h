/* compressor.h: record batches whose buffers are compressed one by one, as Arrow IPC defines it. Store process, main
 * thread.
 */
#ifndef ARROW_COMPRESSOR_H
#define ARROW_COMPRESSOR_H

#include "enrgdaq/store.h"

enum compressor_kind { COMPRESSOR_NONE, COMPRESSOR_ZSTD, COMPRESSOR_LZ4 };

struct compressor; /* a compressor and its memory */

/* -ENOTSUP: built without that library. */
int compressor_create(enum compressor_kind kind, struct compressor **ret_compressor, struct enrg_error *err);
void compressor_destroy(struct compressor *compressor);

struct compressed_batch {
	const void *meta; /* both valid until the next call */
	uint32_t meta_bytes;
	const void *body;
	uint64_t body_bytes;
};

int compressor_compress(struct compressor *compressor, const struct enrg_batch *batch,
	struct compressed_batch *ret_batch, struct enrg_error *err);

#endif

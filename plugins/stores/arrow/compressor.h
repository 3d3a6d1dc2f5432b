/* compressor.h: record batches whose buffers are compressed one by one, as Arrow IPC defines it. Store process, main thread.
 */
#ifndef ARROW_COMPRESSOR_H
#define ARROW_COMPRESSOR_H

#include "enrgdaq/store.h"

enum squeeze_kind { SQUEEZE_NONE, SQUEEZE_ZSTD, SQUEEZE_LZ4 };

struct squeeze; /* a compressor and its memory */

/* -ENOTSUP: built without that library. */
int squeeze_create(enum squeeze_kind kind, struct squeeze **ret_squeeze, struct enrg_error *err);
void squeeze_destroy(struct squeeze *squeeze);

struct squeezed {
	const void *meta; /* both valid until the next call */
	uint32_t meta_bytes;
	const void *body;
	uint64_t body_bytes;
};

int squeeze_batch(struct squeeze *squeeze, const struct enrg_batch *batch, struct squeezed *ret_squeezed,
	struct enrg_error *err);

#endif

/* bytes.h: a growing buffer. One thread. */
#ifndef HDF5_BYTES_H
#define HDF5_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	uint8_t *data;
	size_t count, capacity;
};

void bytes_fini(struct bytes *bytes);
/* Room for `more` bytes behind the last, which count from now on; NULL: out of memory. */
void *bytes_add(struct bytes *bytes, size_t more);

#endif

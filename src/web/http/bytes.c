#include <stdlib.h>
#include <string.h>

#include "web/http/message.h"

struct web_bytes *web_bytes_create(const void *data, size_t count)
{
	struct web_bytes *bytes = malloc(sizeof(*bytes) + count);

	if (!bytes)
		return NULL;
	atomic_init(&bytes->references, 1);
	bytes->etag[0] = '\0';
	bytes->count = count;
	if (count)
		memcpy(bytes->data, data, count);
	return bytes;
}

struct web_bytes *web_bytes_hold(struct web_bytes *bytes)
{
	atomic_fetch_add_explicit(&bytes->references, 1, memory_order_relaxed);
	return bytes;
}

void web_bytes_release(struct web_bytes *bytes)
{
	/* what others read of it happened before it is freed */
	if (bytes && atomic_fetch_sub_explicit(&bytes->references, 1, memory_order_acq_rel) == 1)
		free(bytes);
}

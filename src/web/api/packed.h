/* packed.h: bytes as gzip. Any thread. Process: enrgdaq-web. */
#ifndef WEB_API_PACKED_H
#define WEB_API_PACKED_H

#include "web/http/message.h"

/* One reference. NULL: out of memory, or more than 1 GiB. */
struct web_bytes *packed_create(const void *data, size_t count);

#endif

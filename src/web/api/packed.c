/* packed.c: see the header. */
#include "web/api/packed.h"

#include <isa-l/igzip_lib.h>
#include <stdlib.h>

#define BYTES_MAX (1u << 30)

struct web_bytes *packed_create(const void *data, size_t count)
{
	/* what does not get smaller is stored as it is, with some bytes a block */
	size_t room = count + count / 16 + 1024;
	unsigned char *out = count > BYTES_MAX ? NULL : malloc(room);
	struct isal_zstream *stream = out ? malloc(sizeof(*stream)) : NULL;
	struct web_bytes *bytes = NULL;

	if (stream) {
		isal_deflate_stateless_init(stream);
		stream->gzip_flag = IGZIP_GZIP;
		stream->end_of_stream = 1;
		stream->next_in = (uint8_t *)(uintptr_t)data;
		stream->avail_in = (uint32_t)count;
		stream->next_out = out;
		stream->avail_out = (uint32_t)room;
		if (isal_deflate_stateless(stream) == COMP_OK)
			bytes = web_bytes_create(out, stream->total_out);
	}
	free(stream);
	free(out);
	return bytes;
}

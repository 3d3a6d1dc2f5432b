/* bytes.c: doubles its memory. Runs in the store's job process, on its main thread. */
#include "bytes.h"

#include <stdlib.h>

void bytes_fini(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){0};
}

void *bytes_add(struct bytes *bytes, size_t more)
{
	size_t capacity = bytes->capacity ? bytes->capacity : 256;
	uint8_t *at;

	if (more > SIZE_MAX / 4 - bytes->count)
		return NULL;
	while (capacity < bytes->count + more)
		capacity *= 2;
	if (capacity > bytes->capacity) {
		at = realloc(bytes->data, capacity);
		if (!at)
			return NULL;
		bytes->data = at;
		bytes->capacity = capacity;
	}
	at = bytes->data + bytes->count;
	bytes->count += more;
	return at;
}

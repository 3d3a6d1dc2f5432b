/* text.c: doubles its memory. Runs in the store's job process, on its main thread. */
#include "text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void text_fini(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}

bool text_grow(struct text *text, size_t more)
{
	size_t capacity = text->capacity ? text->capacity : 4096;
	char *bytes;

	if (more > SIZE_MAX / 4 - text->count)
		return false;
	while (capacity < text->count + more)
		capacity *= 2;
	bytes = realloc(text->bytes, capacity);
	if (!bytes)
		return false;
	text->bytes = bytes;
	text->capacity = capacity;
	return true;
}

bool text_append(struct text *text, const void *bytes, size_t count)
{
	if (!text_reserve(text, count))
		return false;
	if (count > 0)
		memcpy(text->bytes + text->count, bytes, count);
	text->count += count;
	return true;
}

/* text.h: a growing buffer of bytes. One thread. */
#ifndef CSV_TEXT_H
#define CSV_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *bytes;
	size_t count, capacity;
};

void text_fini(struct text *text);
/* Makes room for `more` bytes behind `count`. false: out of memory, nothing changed. */
bool text_grow(struct text *text, size_t more);
bool text_append(struct text *text, const void *bytes, size_t count);

static inline bool text_reserve(struct text *text, size_t more)
{
	return text->capacity - text->count >= more || text_grow(text, more);
}

#endif

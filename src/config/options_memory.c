/* options_memory.c: what owns the strings and lists of filled structs. */
#include "config/options.h"

#include <stdlib.h>

struct chunk {
	struct chunk *next;
	_Alignas(max_align_t) unsigned char bytes[];
};

struct options_memory {
	struct chunk *first;
};

struct options_memory *options_memory_create(void)
{
	return calloc(1, sizeof(struct options_memory));
}

void options_memory_destroy(struct options_memory *memory)
{
	if (!memory)
		return;
	for (struct chunk *chunk = memory->first, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(memory);
}

void *options_memory_take(struct options_memory *memory, size_t bytes)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk) + bytes + 1); /* + 1: no pointer is equal to another */

	if (!chunk)
		return NULL;
	chunk->next = memory->first;
	memory->first = chunk;
	return chunk->bytes;
}

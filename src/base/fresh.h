/* fresh.h: memory that costs nothing until it is used. calloc clears what it takes from the top of the heap, so that a
 * buffer for rare cases would be resident in every process. */
#ifndef BASE_FRESH_H
#define BASE_FRESH_H

#include <stddef.h>

/* Zeroed pages; NULL: out of memory. */
void *fresh_create(size_t bytes);
/* NULL is nothing. */
void fresh_destroy(void *memory, size_t bytes);

#endif

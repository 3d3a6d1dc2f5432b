/* fresh.c: see the header. */
#include "base/fresh.h"

#include <sys/mman.h>

void *fresh_create(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void fresh_destroy(void *memory, size_t bytes)
{
	if (memory)
		munmap(memory, bytes);
}

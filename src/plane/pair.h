/* pair.h: two words of 64 bits in one register, by the compilers' vector extension: headers of small records are read
 * and written by pairs, which halves the loads and stores. Internal to plane/. Any thread. */
#ifndef PLANE_PAIR_H
#define PLANE_PAIR_H

#include <stdint.h>
#include <string.h>

#define PAIR __attribute__((vector_size(16)))

struct pair {
	uint64_t words PAIR;
};

/* The pair at bytes 16 × index of `memory`, which need not be aligned. */
static inline struct pair pair_load(const void *memory, unsigned index)
{
	struct pair pair;

	memcpy(&pair.words, (const uint8_t *)memory + 16u * index, sizeof(pair.words));
	return pair;
}

static inline void pair_store(void *memory, unsigned index, struct pair pair)
{
	memcpy((uint8_t *)memory + 16u * index, &pair.words, sizeof(pair.words));
}

static inline struct pair pair_make(uint64_t first, uint64_t second)
{
	return (struct pair){{first, second}};
}

static inline struct pair pair_add(struct pair one, struct pair other)
{
	return (struct pair){one.words + other.words};
}

#endif

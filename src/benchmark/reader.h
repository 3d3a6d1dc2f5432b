/* reader.h: reads every byte of a batch as fast as the memory gives it, the least that a consumer does. Any thread. */
#ifndef BENCHMARK_READER_H
#define BENCHMARK_READER_H

#include <stddef.h>
#include <stdint.h>

/* Sum of the 64-bit words (the tail as bytes). The caller uses the result, so that the reading can't be left out. */
uint64_t reader_sum(const void *bytes, size_t count);

#endif

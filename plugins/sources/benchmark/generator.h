/* generator.h: the benchmark's data: random doubles at the speed of memory. Plain memory in, plain memory out; also
 * compiled into `enrgdaq bench limits`, which measures it alone. One object belongs to one thread. */
#ifndef BENCHMARK_GENERATOR_H
#define BENCHMARK_GENERATOR_H

#include <stdint.h>

#define GENERATOR_LANES 8u

struct generator {
	uint64_t state[4][GENERATOR_LANES]; /* xoshiro256+, one independent sequence a lane */
	void (*fill)(struct generator *generator, double *timestamps, double *values, uint64_t rows, double timestamp);
};

/* The same seed gives the same values on every machine. */
void generator_init(struct generator *generator, uint64_t seed);

/* `timestamps` NULL: values only. Writes `rows` times `timestamp` and as many uniform random numbers in [0, 1) of 52
 * random bits. The addresses need no alignment beyond that of a double. A table may be filled in pieces, but only
 * pieces that are multiples of GENERATOR_LANES rows give the same numbers as one call would. */
void generator_fill(struct generator *generator, double *timestamps, double *values, uint64_t rows, double timestamp);

/* "avx512f", "avx2" or "default": the instructions in use. */
const char *generator_instructions(const struct generator *generator);

#endif

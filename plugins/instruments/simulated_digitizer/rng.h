/* rng.h: random numbers that are the same for the same seed, on every machine: xoshiro256** and what is drawn from it.
 * One thread a generator. */
#ifndef SIMULATED_DIGITIZER_RNG_H
#define SIMULATED_DIGITIZER_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state[4];
	double spare; /* the second one of a pair of normal numbers */
	bool has_spare;
};

/* Streams of one seed are independent of each other. */
void rng_init(struct rng *rng, uint64_t seed, uint64_t stream);

uint64_t rng_bits(struct rng *rng);
double rng_uniform(struct rng *rng); /* above 0, at most 1 */
double rng_exponential(struct rng *rng, double mean);
double rng_normal(struct rng *rng);
uint32_t rng_poisson(struct rng *rng, double mean);

#endif

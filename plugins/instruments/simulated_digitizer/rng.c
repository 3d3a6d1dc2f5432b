/* rng.c: see the header. */
#include "rng.h"

#include <math.h>

#define MANY 50.0 /* from here on a Poisson number is drawn as a normal one, which is off by less than it varies */

static uint64_t split_mix(uint64_t *state)
{
	uint64_t bits = *state += UINT64_C(0x9e3779b97f4a7c15);

	bits = (bits ^ bits >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	bits = (bits ^ bits >> 27) * UINT64_C(0x94d049bb133111eb);
	return bits ^ bits >> 31;
}

void rng_init(struct rng *rng, uint64_t seed, uint64_t stream)
{
	uint64_t state = seed;
	uint64_t mixed = split_mix(&state) ^ (stream * UINT64_C(0xd1342543de82ef95) + 1);

	for (int i = 0; i < 4; i++)
		rng->state[i] = split_mix(&mixed);
	rng->has_spare = false;
}

static uint64_t rotate(uint64_t bits, int by)
{
	return bits << by | bits >> (64 - by);
}

uint64_t rng_bits(struct rng *rng)
{
	uint64_t *s = rng->state, result = rotate(s[1] * 5, 7) * 9, shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate(s[3], 45);
	return result;
}

double rng_uniform(struct rng *rng)
{
	return (double)((rng_bits(rng) >> 11) + 1) * 0x1p-53;
}

double rng_exponential(struct rng *rng, double mean)
{
	return -mean * log(rng_uniform(rng));
}

double rng_normal(struct rng *rng)
{
	if (rng->has_spare) {
		rng->has_spare = false;
		return rng->spare;
	}
	double radius = sqrt(-2 * log(rng_uniform(rng))), angle = 2 * M_PI * rng_uniform(rng);
	rng->spare = radius * sin(angle);
	rng->has_spare = true;
	return radius * cos(angle);
}

uint32_t rng_poisson(struct rng *rng, double mean)
{
	uint32_t count = 0;

	if (mean >= MANY) {
		double drawn = mean + sqrt(mean) * rng_normal(rng);
		return drawn > 0 ? (uint32_t)(drawn + 0.5) : 0;
	}
	double limit = exp(-mean), product = rng_uniform(rng);
	while (product > limit) {
		count++;
		product *= rng_uniform(rng);
	}
	return count;
}

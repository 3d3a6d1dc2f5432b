/* dice.c: splitmix64 with rejection. Runs in the job process of DAQJobTest, on its main thread. */
#include "dice.h"

void dice_init(struct dice *dice, uint64_t seed, int64_t min, int64_t max)
{
	dice->state = seed;
	dice->min = min;
	dice->span = (uint64_t)max - (uint64_t)min;
}

static uint64_t next_bits(struct dice *dice)
{
	uint64_t z = (dice->state += 0x9E3779B97F4A7C15ull);

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
	return z ^ (z >> 31);
}

int64_t dice_throw(struct dice *dice)
{
	uint64_t mask = dice->span ? UINT64_MAX >> __builtin_clzll(dice->span) : 0;
	uint64_t bits;

	/* The mask is less than twice the span: two throws on average at the worst. */
	do
		bits = next_bits(dice) & mask;
	while (bits > dice->span);
	return (int64_t)((uint64_t)dice->min + bits);
}

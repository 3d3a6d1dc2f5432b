/* dice.h: random integers of a closed range, without bias. One object belongs to one thread. */
#ifndef TEST_DICE_H
#define TEST_DICE_H

#include <stdint.h>

struct dice {
	uint64_t state;
	uint64_t span; /* values in the range, less one */
	int64_t min;
};

/* min <= max; the whole range of int64_t is allowed. */
void dice_init(struct dice *dice, uint64_t seed, int64_t min, int64_t max);
int64_t dice_throw(struct dice *dice);

#endif

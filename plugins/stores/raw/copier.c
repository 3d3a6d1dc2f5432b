/* copier.c: the copy of large messages. Runs in the store's job process, on its main thread. */
#include "copier.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define TRY_EVERY 32u  /* pieces */
#define WEIGHT    0.25 /* of a new time */

static void copy_non_temporal(uint8_t *to, const uint8_t *from, uint64_t count)
{
#ifdef __SSE2__
	uint64_t head = -(uintptr_t)to % 64 < count ? -(uintptr_t)to % 64 : count;

	memcpy(to, from, head);
	for (to += head, from += head, count -= head; count >= 64; to += 64, from += 64, count -= 64) {
		__m128i quarters[4];

		memcpy(quarters, from, 64);
		for (int i = 0; i < 4; i++)
			_mm_stream_si128((__m128i *)(void *)to + i, quarters[i]);
	}
	_mm_sfence();
#endif
	memcpy(to, from, count);
}

enum copier_way copier_choose(const struct copier *copier)
{
	enum copier_way cheaper = copier->ns_per_byte[COPIER_NON_TEMPORAL] < copier->ns_per_byte[COPIER_PLAIN]
					  ? COPIER_NON_TEMPORAL
					  : COPIER_PLAIN;

	if (copier->pieces % TRY_EVERY < TRY_EVERY - 1)
		return cheaper;
	return cheaper == COPIER_PLAIN ? COPIER_NON_TEMPORAL : COPIER_PLAIN;
}

void copier_learn(struct copier *copier, enum copier_way way, double ns_per_byte)
{
	double *cost = &copier->ns_per_byte[way];

	copier->pieces++;
	*cost = *cost > 0 ? *cost * (1 - WEIGHT) + ns_per_byte * WEIGHT : ns_per_byte;
}

void copier_copy(enum copier_way way, uint8_t *to, const uint8_t *from, uint64_t count)
{
	if (way == COPIER_NON_TEMPORAL)
		copy_non_temporal(to, from, count);
	else
		memcpy(to, from, count);
}

/* copier.h: copies pieces of large messages on their way past the page cache, with the instructions that are cheapest
 * here and now: plain ones, or non-temporal ones that leave the caches alone. Which one it is depends on the processor
 * and on where the hypervisor puts its cores (docs/architecture.md), and what it costs shows in part only when the
 * device fetches the copy: so the caller measures copy and write together, for both ways, while they work. One thread.
 */
#ifndef RAW_COPIER_H
#define RAW_COPIER_H

#include <stdint.h>

enum copier_way { COPIER_PLAIN, COPIER_NON_TEMPORAL, COPIER_WAYS };

struct copier {
	double ns_per_byte[COPIER_WAYS]; /* CPU time of late; 0 = not tried yet */
	uint32_t pieces;
};

/* Which way the next piece goes: the cheaper one, and now and then the other, so that it is known what it costs now.
 * Zeroed memory is a new copier. */
enum copier_way copier_choose(const struct copier *copier);
void copier_learn(struct copier *copier, enum copier_way way, double ns_per_byte);
void copier_copy(enum copier_way way, uint8_t *to, const uint8_t *from, uint64_t count);

#endif

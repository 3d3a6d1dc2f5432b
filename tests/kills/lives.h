/* lives.h: what one instance of a store does in these tests: goes on where the last commit of any instance was, writes
 * the rounds that are left, each with a commit, and ends in order. In a child process. */
#ifndef KILLS_LIVES_H
#define KILLS_LIVES_H

#include <stdbool.h>
#include <stdint.h>

#include "harness.h"

#define LIVES_ROUNDS      4u
#define LIVES_WIDE_ROWS   4u /* a round, in two batches … */
#define LIVES_NARROW_ROWS 3u /* … and of a second table in one */

struct life {
	const struct store_kind *kind;
	const char *section_keys; /* beside those of the kind; NULL: none */
	const char *journal_path, *out_dir;
	uint32_t number; /* 0, 1, …: each is a day later than the one before */
	bool is_same_day;
	uint32_t store_at;         /* killed before this store instruction into the journal; 0: not counted */
	volatile uint32_t *stores; /* counts them */
};

extern const struct harness_table lives_wide, lives_narrow;

/* `context`: a const struct life. 0; 1, said on stderr. */
int lives_run(void *context);

#endif

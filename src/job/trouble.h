/* trouble.h: when a trouble that lasts is told: once, and again after 1, 10 and 60 minutes, then each hour. One that
 * ends and comes back within a minute is the same. Arithmetic only: no clock, no log. Store process, main thread. */
#ifndef JOB_TROUBLE_H
#define JOB_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

struct trouble {
	uint64_t since_ns; /* 0: there is none */
	uint64_t ended_ns; /* of the last one */
	uint64_t first_told_ns, told_ns;
	uint32_t told; /* how often */
	int code;
};

/* It is there (still, or again) and has this code. True: tell it now. */
bool trouble_note(struct trouble *trouble, int code, uint64_t now_ns);
/* It is over. True: it was told while it lasted, so its end is worth a word; *ret_since_ns is when it began. */
bool trouble_end(struct trouble *trouble, uint64_t now_ns, uint64_t *ret_since_ns);

#endif

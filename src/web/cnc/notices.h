/* notices.h: how often what peers do is said: a line of each kind about each of them, again after 10 s, a minute, ten
 * minutes, then each hour, and no more than twenty lines in ten seconds about all. Arithmetic only. On the thread of
 * CNC. Process: enrgdaq-web. */
#ifndef WEB_CNC_NOTICES_H
#define WEB_CNC_NOTICES_H

#include <stdbool.h>
#include <stdint.h>

#define NOTICES_MAX   64u
#define NOTICE_NS     10000000000ull
#define NOTICE_BUDGET 20u

enum notice {
	NOTICE_FAST,
	NOTICE_BAD,
	NOTICE_NAME,
	NOTICE_FULL,
	NOTICE_REFUSED,
	NOTICE_KEY,
	NOTICE_NEW,
	NOTICE_BUSY,
	NOTICE_CLOSED
};

struct notices {
	struct {
		enum notice kind;
		char who[48];
		uint64_t said_ns;    /* 0: free */
		unsigned kept, said; /* not said since; said since it was quiet for long */
	} items[NOTICES_MAX];
	uint64_t window_ns;
	unsigned said; /* since window_ns */
};

/* Say it now? ret_kept: how often it was not said since. */
bool notice_take(struct notices *notices, enum notice kind, const char *who, uint64_t now_ns, unsigned *ret_kept);

#endif

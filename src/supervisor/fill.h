/* fill.h: how fast the free space of a disk goes, by the minutes until now, and whether it is gone soon. Plain memory;
 * times are CLOCK_MONOTONIC. */
#ifndef SUPERVISOR_FILL_H
#define SUPERVISOR_FILL_H

#include <stdbool.h>
#include <stdint.h>

#define FILL_SHORT_S 3600.0 /* full within so long: it is short, … */
#define FILL_LONG_S  4500.0 /* … until there is so much again */

#define FILL_FULL 1000u /* one part in … free is none */
#define FILL_LOW  8u /* one that was short stays so while no more than one part in … is free, as stores keep a tenth */

#define FILL_MINUTES 5u

struct fill {
	uint64_t device;
	uint64_t free_bytes, minute_ns; /* at the begin of the present minute; 0 = never looked at */
	uint32_t minutes;               /* that are over */
	double rates[FILL_MINUTES];     /* of the last ones */
	double bytes_per_s;             /* the middle one of them: a file that is copied there in a minute is no rate */
	double full_s;                  /* until it is full; negative: not known, or it does not fill */
	bool is_full, is_short;         /* full is short, too */
};

void fill_look(struct fill *fill, uint64_t free_bytes, uint64_t total_bytes, uint64_t now_ns);

#endif

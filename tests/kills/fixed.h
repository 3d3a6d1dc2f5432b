/* fixed.h: time and random numbers that are the same in each run of a process, for all modules of this program: what
 * two instances leave then differs only by where they were killed. */
#ifndef KILLS_FIXED_H
#define KILLS_FIXED_H

#include <stdint.h>

/* Wall clock from now on; it stands. */
void fixed_set(uint64_t wall_ns);

#endif

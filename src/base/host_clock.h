/* host_clock.h: from what the kernel says of its clock to what enrgdaq/clock.h says. Pure. */
#ifndef BASE_HOST_CLOCK_H
#define BASE_HOST_CLOCK_H

#include <sys/timex.h>

#include "enrgdaq/clock.h"

/* `state`: what adjtimex returned. */
struct enrg_host_clock host_clock_from(const struct timex *timex, int state);

#endif

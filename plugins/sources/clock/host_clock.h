/* host_clock.h: what the kernel says of this machine's clock (adjtimex(2), which chrony, ntpd and systemd-timesyncd
 * tell how well they do). Any thread. */
#ifndef CLOCK_HOST_CLOCK_H
#define CLOCK_HOST_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/timex.h>

#include "enrgdaq/error.h"

struct host_clock {
	bool is_locked;         /* some service holds it to a reference */
	int64_t offset_ns;      /* that is still being slewed away: clock minus reference */
	int64_t uncertainty_ns; /* the largest error that the kernel reckons with; grows by 500 ns a ms without news */
	double frequency_ppm;   /* by which the oscillator is corrected */
};

/* `state`: what adjtimex returned. */
struct host_clock host_clock_from(const struct timex *timex, int state);
/* -errno. */
int host_clock_read(struct host_clock *ret_clock, struct enrg_error *err);

#endif

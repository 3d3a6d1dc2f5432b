/* clock.h: how well this machine's clock is held to a reference, for whoever writes times down. Any thread. */
#ifndef ENRGDAQ_CLOCK_H
#define ENRGDAQ_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct enrg_host_clock {
	size_t size;             /* sizeof(struct enrg_host_clock): what its author knew of it; set before the call */
	bool is_locked;          /* some service (chrony, ntpd, systemd-timesyncd, phc2sys) holds it to a reference */
	int64_t offset_ns;       /* that is still being slewed away: clock minus reference */
	int64_t uncertainty_ns;  /* the largest error that the kernel reckons with; grows by 500 ns a ms without news */
	double frequency_ppm;    /* by which the oscillator is corrected */
	int32_t tai_minus_utc_s; /* 0 = nobody told the kernel */
	int32_t leap;            /* of this UTC day: 1 a second comes in at its end, -1 one is left out, 0 none */
};

/* What the kernel knows (adjtimex(2)); asks nobody, sets nothing. -errno. */
ENRG_API int enrg_host_clock_read(struct enrg_host_clock *clock, struct enrg_error *err);

#ifdef __cplusplus
}
#endif

#endif

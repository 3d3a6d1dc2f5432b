/* host_clock.c: see the header. */
#include "host_clock.h"

#include <errno.h>
#include <string.h>

struct host_clock host_clock_from(const struct timex *timex, int state)
{
	/* adjtimex(2): offset in µs, or in ns with STA_NANO; maxerror in µs; freq in 2^-16 ppm. The offset is what is
	 * to be added to the clock. */
	return (struct host_clock){
		.is_locked = state != TIME_ERROR && !(timex->status & STA_UNSYNC),
		.offset_ns = -(int64_t)timex->offset * (timex->status & STA_NANO ? 1 : 1000),
		.uncertainty_ns = (int64_t)timex->maxerror * 1000,
		.frequency_ppm = (double)timex->freq / 65536.0,
	};
}

int host_clock_read(struct host_clock *ret_clock, struct enrg_error *err)
{
	struct timex timex = {.modes = 0};
	int state = adjtimex(&timex);

	if (state < 0)
		return enrg_error_set(err, -errno, "the kernel does not tell of its clock: %s", strerror(errno));
	*ret_clock = host_clock_from(&timex, state);
	return 0;
}

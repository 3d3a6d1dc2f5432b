/* host_clock.c: see the headers. Any process and thread. */
#include "base/host_clock.h"

#include <errno.h>
#include <string.h>

struct enrg_host_clock host_clock_from(const struct timex *timex, int state)
{
	/* adjtimex(2): offset in µs, or in ns with STA_NANO; maxerror in µs; freq in 2^-16 ppm. The offset is what is
	 * to be added to the clock. */
	return (struct enrg_host_clock){
		.size = sizeof(struct enrg_host_clock),
		.is_locked = state != TIME_ERROR && !(timex->status & STA_UNSYNC),
		.offset_ns = -(int64_t)timex->offset * (timex->status & STA_NANO ? 1 : 1000),
		.uncertainty_ns = (int64_t)timex->maxerror * 1000,
		.frequency_ppm = (double)timex->freq / 65536.0,
		.tai_minus_utc_s = timex->tai,
		.leap = timex->status & STA_INS   ? 1
			: timex->status & STA_DEL ? -1
						  : 0,
	};
}

int enrg_host_clock_read(struct enrg_host_clock *clock, struct enrg_error *err)
{
	struct timex timex = {.modes = 0};
	size_t bytes = clock->size < sizeof(*clock) ? clock->size : sizeof(*clock), size = clock->size;
	int state = adjtimex(&timex);

	if (state < 0)
		return enrg_error_set(err, -errno, "the kernel does not tell of its clock: %s", strerror(errno));
	const struct enrg_host_clock found = host_clock_from(&timex, state);
	memcpy(clock, &found, bytes);
	clock->size = size;
	return 0;
}

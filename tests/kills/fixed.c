/* fixed.c: see the header. These functions take the place of those of the C library, in the modules as well. */
#include "fixed.h"

#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S  1000000000ull
#define OVERRIDES __attribute__((visibility("default")))

static uint64_t wall_ns, random_number;

void fixed_set(uint64_t new_wall_ns)
{
	wall_ns = new_wall_ns;
	random_number = new_wall_ns;
}

OVERRIDES int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	if (!wall_ns || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
		return (int)syscall(SYS_clock_gettime, clock, ret_time);
	ret_time->tv_sec = (time_t)(wall_ns / NS_PER_S);
	ret_time->tv_nsec = (long)(wall_ns % NS_PER_S);
	return 0;
}

OVERRIDES time_t time(time_t *ret_time)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (ret_time)
		*ret_time = now.tv_sec;
	return now.tv_sec;
}

OVERRIDES int gettimeofday(struct timeval *restrict ret_time, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*ret_time = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
	return 0;
}

OVERRIDES ssize_t getrandom(void *buffer, size_t count, unsigned flags)
{
	uint8_t *to = buffer;

	if (!wall_ns)
		return syscall(SYS_getrandom, buffer, count, flags);
	for (size_t i = 0; i < count; i++) {
		random_number = random_number * 6364136223846793005ull + 1442695040888963407ull;
		to[i] = (uint8_t)(random_number >> 56);
	}
	return (ssize_t)count;
}

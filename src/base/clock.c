/* clock.c: time in ns, and times as humans write them. Any process and thread; keeps no state. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)

static uint64_t read_clock(clockid_t id)
{
	struct timespec now = {0};

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t clock_mono_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t clock_cpu_ns(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void clock_format_utc(uint64_t wall_ns, char *ret_text, size_t text_bytes)
{
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	unsigned milliseconds = (unsigned)(wall_ns % NS_PER_S / 1000000);
	struct tm parts = {0};

	gmtime_r(&seconds, &parts);
	snprintf(ret_text, text_bytes, "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", parts.tm_year + 1900, parts.tm_mon + 1,
		parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, milliseconds);
}

void clock_format_day(uint64_t wall_ns, char *ret_text, size_t text_bytes)
{
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	struct tm parts = {0};

	localtime_r(&seconds, &parts);
	snprintf(ret_text, text_bytes, "%04d-%02d-%02d", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

/* One decimal below ten ("4.2 s"), none from there on ("18 µs"), and none where it would be zero ("1 s"). */
static void format_unit(uint64_t span_ns, uint64_t unit_ns, const char *unit, char *ret_text, size_t text_bytes)
{
	uint64_t whole = (span_ns + unit_ns / 2) / unit_ns;
	uint64_t tenths = unit_ns == 1 ? whole * 10 : (span_ns + unit_ns / 20) / (unit_ns / 10);

	if (tenths < 100 && tenths % 10)
		snprintf(ret_text, text_bytes, "%u.%u %s", (unsigned)(tenths / 10), (unsigned)(tenths % 10), unit);
	else
		snprintf(ret_text, text_bytes, "%llu %s", (unsigned long long)(tenths < 100 ? tenths / 10 : whole),
			unit);
}

void clock_format_span(uint64_t span_ns, char *ret_text, size_t text_bytes)
{
	uint64_t seconds = span_ns / NS_PER_S + (span_ns % NS_PER_S >= NS_PER_S / 2);
	unsigned long long days = seconds / 86400, hours = seconds / 3600 % 24, minutes = seconds / 60 % 60;

	/* The limits lie half a step below the next unit: 999.7 µs is "1 ms", never "1000 µs". */
	if (span_ns < 1000)
		format_unit(span_ns, 1, "ns", ret_text, text_bytes);
	else if (span_ns < 999500)
		format_unit(span_ns, 1000, "µs", ret_text, text_bytes);
	else if (span_ns < 999500000)
		format_unit(span_ns, 1000000, "ms", ret_text, text_bytes);
	else if (seconds < 60)
		format_unit(span_ns, NS_PER_S, "s", ret_text, text_bytes);
	else if (seconds < 3600)
		snprintf(ret_text, text_bytes, "%llu min %llu s", minutes, (unsigned long long)seconds % 60);
	else if (seconds < 86400)
		snprintf(ret_text, text_bytes, "%llu h %llu min", hours, minutes);
	else
		snprintf(ret_text, text_bytes, "%llu d %llu h", days, hours);
}

void clock_format_local(uint64_t wall_ns, char ret_text[40])
{
	time_t seconds = (time_t)(wall_ns / 1000000000u);
	struct tm local;
	size_t used;

	ret_text[0] = '\0';
	if (!wall_ns || !localtime_r(&seconds, &local))
		return;
	used = strftime(ret_text, 32, "%Y-%m-%dT%H:%M:%S", &local);
	snprintf(ret_text + used, 40 - used, ".%06u", (unsigned)(wall_ns % 1000000000u / 1000u));
}

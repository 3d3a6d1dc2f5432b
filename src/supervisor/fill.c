/* fill.c: see the header. */
#include "supervisor/fill.h"

#include <stdlib.h>
#include <string.h>

#define MINUTE_NS   60000000000ull
#define MINUTES_MIN 2u

static int compare(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return first < second ? -1 : first > second;
}

/* Of two the smaller one. */
static double find_middle(const struct fill *fill)
{
	uint32_t count = fill->minutes < FILL_MINUTES ? fill->minutes : FILL_MINUTES;
	double sorted[FILL_MINUTES];

	if (!count)
		return 0;
	memcpy(sorted, fill->rates, sizeof(sorted));
	qsort(sorted, count, sizeof(sorted[0]), compare);
	return sorted[(count - 1) / 2];
}

static void end_minute(struct fill *fill, uint64_t free_bytes, uint64_t now_ns)
{
	uint64_t span_ns = now_ns - fill->minute_ns;

	if (fill->minute_ns)
		fill->rates[fill->minutes++ % FILL_MINUTES] =
			fill->free_bytes > free_bytes ? (double)(fill->free_bytes - free_bytes) * 1e9 / (double)span_ns
						      : 0;
	fill->bytes_per_s = find_middle(fill);
	fill->free_bytes = free_bytes;
	fill->minute_ns = now_ns;
}

void fill_look(struct fill *fill, uint64_t free_bytes, uint64_t total_bytes, uint64_t now_ns)
{
	if (!fill->minute_ns || now_ns - fill->minute_ns >= MINUTE_NS)
		end_minute(fill, free_bytes, now_ns);
	bool is_known = fill->minutes >= MINUTES_MIN && fill->bytes_per_s > 0;
	fill->full_s = is_known ? (double)free_bytes / fill->bytes_per_s : -1;
	fill->is_full = total_bytes && free_bytes <= total_bytes / FILL_FULL;
	bool is_soon = is_known && fill->full_s < (fill->is_short ? FILL_LONG_S : FILL_SHORT_S);
	/* nothing fills a disk any more that is full, or whose stores wait for room: that is no end */
	bool is_stuck = fill->is_short && !is_known && free_bytes <= total_bytes / FILL_LOW;
	fill->is_short = fill->is_full || is_soon || is_stuck;
}

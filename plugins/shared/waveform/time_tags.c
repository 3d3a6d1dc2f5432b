/* time_tags.c: see the header. */
#include "waveform/time_tags.h"

void time_tags_init(struct time_tags *tags, const struct time_tags_format *format)
{
	*tags = (struct time_tags){.format = *format};
}

uint64_t counter_unwrap(uint64_t last, uint64_t value, uint32_t bits)
{
	uint64_t mask = (UINT64_C(1) << bits) - 1;

	return last + ((value - last) & mask);
}

/* Without rounding, and without leaving 64 bits before the ticks do. */
static uint64_t to_ns(const struct time_tags_format *format, uint64_t ticks)
{
	uint64_t den = format->tick_ns_den;

	return ticks / den * format->tick_ns_num + ticks % den * format->tick_ns_num / den;
}

static uint64_t to_ticks(const struct time_tags_format *format, uint64_t ns)
{
	uint64_t num = format->tick_ns_num;

	return ns / num * format->tick_ns_den + ns % num * format->tick_ns_den / num;
}

uint64_t time_tags_unwrap(
	struct time_tags *tags, uint64_t tag, uint64_t since_ns, uint64_t until_ns, bool *ret_is_chosen)
{
	uint64_t period = UINT64_C(1) << tags->format.bits;
	uint64_t ticks = counter_unwrap(tags->ticks, tag, tags->format.bits);
	/* The last trigger came before it was read; this one when the board had been empty after that. */
	uint64_t pause = since_ns > tags->until_ns ? to_ticks(&tags->format, since_ns - tags->until_ns) : 0;
	uint64_t least = tags->ticks + pause;
	/* It came between these two moments. What is left of a period is for drift, half of it for either sign. */
	uint64_t window = until_ns > since_ns ? to_ticks(&tags->format, until_ns - since_ns) : 0;
	uint64_t tolerance = window < period / 2 ? (period - window) / 2 : period / 4;

	*ret_is_chosen = ticks + tolerance < least;
	if (*ret_is_chosen) {
		ticks += (least - tolerance - ticks + period - 1) / period * period;
		tags->chosen++;
	}
	tags->roll_overs += (ticks >> tags->format.bits) - (tags->ticks >> tags->format.bits);
	tags->ticks = ticks;
	tags->until_ns = until_ns;
	return to_ns(&tags->format, ticks);
}

/* time_tags.h: the trigger time tags of a digitizer, a counter of few bits that rolls over, as time that only grows.
 * Pure functions: the caller reads the clocks.
 *
 * Between two triggers that are nearer to each other than a period of the counter its difference says all. A longer
 * pause needs the host's clock. It does not say when a trigger was, only when it was read; but it says when the board
 * was last seen to be empty, and a trigger that is read later came later. So records that waited in the board's memory
 * while the host was held up are not moved, and a drift between both clocks counts over one pause only. */
#ifndef WAVEFORM_TIME_TAGS_H
#define WAVEFORM_TIME_TAGS_H

#include <stdbool.h>
#include <stdint.h>

struct time_tags_format {
	uint32_t bits;                     /* of the counter, 1 to 48; the others of a tag are ignored */
	uint32_t tick_ns_num, tick_ns_den; /* ns a tick, as a fraction: 8 / 1, 128 / 15 */
};

/* Of CAEN's boards of the first generation: rolls over every 17.18 s. */
#define TIME_TAGS_CAEN ((struct time_tags_format){.bits = 31, .tick_ns_num = 8, .tick_ns_den = 1})

struct time_tags {
	struct time_tags_format format;
	uint64_t ticks;      /* since the counter was reset, of the last tag */
	uint64_t until_ns;   /* when that was read */
	uint64_t roll_overs; /* so far */
	uint64_t chosen;     /* tags whose period the host's clock decided */
};

/* At the moment that resets the counter, which is the 0 of all times here. */
void time_tags_init(struct time_tags *tags, const struct time_tags_format *format);

/* ns since the reset. The tag was read now, at `until_ns` of the host's steady clock since the reset; the board was
 * seen empty last at `since_ns` (0: never). Sets *ret_is_chosen where the host's clock decided by how many periods it
 * is later: right while both clocks drift apart by less than half a period in that pause (a quarter where it was not
 * looked at the board for half a period). Tags come in their order. */
uint64_t time_tags_unwrap(
	struct time_tags *tags, uint64_t tag, uint64_t since_ns, uint64_t until_ns, bool *ret_is_chosen);

/* The next value of a counter of `bits` that counts up: the first one after `last` (or it) whose lower bits are those
 * of `value`. */
uint64_t counter_unwrap(uint64_t last, uint64_t value, uint32_t bits);

#endif

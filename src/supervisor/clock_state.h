/* clock_state.h: what this machine's clock was at a moment, for the record of a run and for status. Process:
 * supervisor. */
#ifndef SUPERVISOR_CLOCK_STATE_H
#define SUPERVISOR_CLOCK_STATE_H

#include <jansson.h>

#include "enrgdaq/clock.h"

struct clock_state {
	bool is_known;
	uint64_t wall_ns; /* when that was */
	struct enrg_host_clock clock;
};

struct clock_state clock_state_read(void);
/* New reference; null: not known. */
json_t *clock_state_format(const struct clock_state *state);
struct clock_state clock_state_parse(const json_t *json);
/* {"begin": …, "end": …}; new reference. */
json_t *clock_state_format_pair(const struct clock_state *begin, const struct clock_state *end);
/* "held to a reference within 1.2 ms", "NOT held to a reference", "not known". */
void clock_state_describe(const struct clock_state *state, char *ret_text, size_t text_bytes);

#endif

/* clock_state.c: see the header. Process: supervisor. */
#include "supervisor/clock_state.h"

#include <stdio.h>

#include "base/clock.h"

struct clock_state clock_state_read(void)
{
	struct clock_state state = {.wall_ns = clock_wall_ns(), .clock = {.size = sizeof(state.clock)}};

	state.is_known = enrg_host_clock_read(&state.clock, NULL) == 0;
	return state;
}

json_t *clock_state_format(const struct clock_state *state)
{
	const struct enrg_host_clock *clock = &state->clock;

	if (!state->is_known)
		return json_null();
	return json_pack("{s:s, s:I, s:b, s:I, s:I, s:f, s:i, s:i}", "clock", "host", "wall_ns",
		(json_int_t)state->wall_ns, "locked", clock->is_locked, "offset_ns", (json_int_t)clock->offset_ns,
		"uncertainty_ns", (json_int_t)clock->uncertainty_ns, "frequency_ppm", clock->frequency_ppm,
		"tai_minus_utc_s", (int)clock->tai_minus_utc_s, "leap_pending", (int)clock->leap);
}

static int64_t number(const json_t *json, const char *key)
{
	return json_integer_value(json_object_get(json, key));
}

struct clock_state clock_state_parse(const json_t *json)
{
	struct clock_state state = {.is_known = json_is_object(json)};

	state.wall_ns = (uint64_t)number(json, "wall_ns");
	state.clock = (struct enrg_host_clock){.size = sizeof(state.clock),
		.is_locked = json_is_true(json_object_get(json, "locked")),
		.offset_ns = number(json, "offset_ns"),
		.uncertainty_ns = number(json, "uncertainty_ns"),
		.frequency_ppm = json_number_value(json_object_get(json, "frequency_ppm")),
		.tai_minus_utc_s = (int32_t)number(json, "tai_minus_utc_s"),
		.leap = (int32_t)number(json, "leap_pending")};
	return state;
}

json_t *clock_state_format_pair(const struct clock_state *begin, const struct clock_state *end)
{
	return json_pack("{s:o, s:o}", "begin", clock_state_format(begin), "end", clock_state_format(end));
}

void clock_state_describe(const struct clock_state *state, char *ret_text, size_t text_bytes)
{
	if (!state->is_known)
		snprintf(ret_text, text_bytes, "not known");
	else if (!state->clock.is_locked)
		snprintf(ret_text, text_bytes, "NOT held to a reference");
	else
		snprintf(ret_text, text_bytes, "held to a reference within %.3g ms",
			(double)state->clock.uncertainty_ns / 1e6);
}

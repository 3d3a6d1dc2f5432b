/* trigger.c: see the header. */
#include "web/live/trigger.h"

#include <math.h>
#include <stdlib.h>

/* Where the straight line from sample `i` - 1 to `i` meets the level. */
static float meet(const float *values, uint32_t i, float level)
{
	float before = values[i - 1], step = values[i] - before;

	return (float)(i - 1) + (step > 0 || step < 0 ? (level - before) / step : 1.0f);
}

/* `sign` 1: rising; -1: falling, as the rise of what is turned over. */
static float cross_one_way(const float *values, uint32_t count, const struct trigger_level *level, float sign)
{
	float at = sign * level->level, armed_below = at - level->hysteresis;
	bool is_armed = false;

	for (uint32_t i = 0; i < count; i++) {
		float value = sign * values[i];

		if (is_armed && value >= at)
			return meet(values, i, level->level);
		is_armed |= value < at && value <= armed_below; /* never by a NAN */
	}
	return NAN;
}

float trigger_cross(const float *values, uint32_t count, const struct trigger_level *level)
{
	float up = NAN, down = NAN;

	if (level->slope != TRIGGER_FALLING)
		up = cross_one_way(values, count, level, 1);
	if (level->slope != TRIGGER_RISING)
		down = cross_one_way(values, count, level, -1);
	return fminf(up, down); /* the other one where one is NAN */
}

static int compare_positions(const void *a, const void *b)
{
	float left = *(const float *)a, right = *(const float *)b;

	if (isnan(left) || isnan(right))
		return (isnan(left) != 0) - (isnan(right) != 0);
	return (left > right) - (left < right);
}

float trigger_coincide(float *positions, uint32_t count, uint32_t needed, float within)
{
	qsort(positions, count, sizeof(*positions), compare_positions);
	for (uint32_t i = needed - 1; i < count && !isnan(positions[i]); i++)
		if (positions[i] - positions[i - (needed - 1)] <= within)
			return positions[i];
	return NAN;
}

static bool is_held_off(const struct trigger *trigger, const struct trigger_rules *rules, uint64_t event_ns)
{
	/* a clock that was set back, or a new run, is no reason to wait */
	return trigger->has_shown && event_ns >= trigger->shown_at_ns &&
	       event_ns - trigger->shown_at_ns < rules->hold_off_ns;
}

enum trigger_verdict trigger_judge(
	struct trigger *trigger, const struct trigger_rules *rules, bool has_passed, uint64_t event_ns, uint64_t now_ns)
{
	if (trigger->is_done || is_held_off(trigger, rules, event_ns))
		return TRIGGER_LEAVE;
	if (!has_passed &&
		(rules->mode != TRIGGER_AUTO || (trigger->shown_ns && now_ns - trigger->shown_ns < rules->auto_ns)))
		return TRIGGER_LEAVE;
	trigger->is_done = rules->mode == TRIGGER_SINGLE;
	trigger->shown_at_ns = event_ns;
	trigger->has_shown = true;
	trigger->shown_ns = now_ns;
	return has_passed ? TRIGGER_SHOW : TRIGGER_SHOW_FORCED;
}

void trigger_arm(struct trigger *trigger)
{
	trigger->is_done = false;
	trigger->has_shown = false;
}

/* pulse.c: see the header. */
#include "waveform/pulse.h"

#include <math.h>
#include <stdbool.h>

#include "waveform/clones.h"

static float height_at(const int16_t *samples, uint32_t index, float baseline, enum pulse_polarity polarity)
{
	float distance = (float)samples[index] - baseline;

	return polarity == PULSE_NEGATIVE ? -distance : distance;
}

/* From the highest sample back to the one below half of it, not before `first`. */
static float edge_time(
	const int16_t *samples, uint32_t first, uint32_t peak, float baseline, enum pulse_polarity polarity)
{
	float half = height_at(samples, peak, baseline, polarity) / 2;
	uint32_t at = peak;

	while (at > first && height_at(samples, at - 1, baseline, polarity) >= half)
		at--;
	if (at == first)
		return (float)first;
	float low = height_at(samples, at - 1, baseline, polarity), high = height_at(samples, at, baseline, polarity);
	return (float)(at - 1) + (half - low) / (high - low);
}

struct extremes {
	int64_t sum;
	int16_t min, max;
};

WAVEFORM_CLONES
static struct extremes find_extremes(const int16_t *samples, uint32_t count, uint32_t tenth)
{
	struct extremes found = {.min = INT16_MAX, .max = INT16_MIN};
	int16_t min = INT16_MAX, max = INT16_MIN;

	for (uint32_t i = 0; i < count; i++) {
		min = samples[i] < min ? samples[i] : min;
		max = samples[i] > max ? samples[i] : max;
	}
	for (uint32_t at = tenth; at < count; at += 16384) {
		uint32_t end = count - at < 16384 ? count : at + 16384;
		int32_t part = 0;
		for (uint32_t i = at; i < end; i++)
			part += samples[i];
		found.sum += part;
	}
	found.min = min;
	found.max = max;
	return found;
}

void pulse_measure(
	const int16_t *samples, uint32_t count, float baseline, enum pulse_polarity polarity, struct pulse *ret_pulse)
{
	uint32_t tenth = count < 10 ? 1 : count / 10, peak = 0;
	struct extremes found = find_extremes(samples, count, tenth);
	int16_t highest = polarity == PULSE_NEGATIVE ? found.min : found.max;
	double charge = (double)found.sum - (double)baseline * (count - tenth);

	while (samples[peak] != highest)
		peak++;
	float amplitude = height_at(samples, peak, baseline, polarity);
	*ret_pulse = (struct pulse){.amplitude = amplitude,
		.charge = (float)(polarity == PULSE_NEGATIVE ? -charge : charge),
		.time = amplitude > 0 ? edge_time(samples, 0, peak, baseline, polarity) : NAN};
}

/* A pulse that is being followed. */
struct trail {
	uint32_t first, peak; /* `first`: where its edge is looked for */
	uint32_t lowest_at;   /* behind the peak */
	float highest, lowest_since, charge;
};

static struct pulse end_trail(const int16_t *samples, const struct pulse_search *search, const struct trail *trail)
{
	return (struct pulse){.amplitude = trail->highest,
		.charge = trail->charge,
		.time = edge_time(samples, trail->first, trail->peak, search->baseline, search->polarity)};
}

static void begin_trail(struct trail *trail, uint32_t first, uint32_t at, float height)
{
	*trail = (struct trail){.first = first,
		.peak = at,
		.lowest_at = at,
		.highest = height,
		.lowest_since = height,
		.charge = height};
}

static void follow_trail(struct trail *trail, uint32_t at, float height)
{
	trail->charge += height;
	if (height > trail->highest) {
		trail->highest = trail->lowest_since = height;
		trail->peak = trail->lowest_at = at;
	} else if (height < trail->lowest_since) {
		trail->lowest_since = height;
		trail->lowest_at = at;
	}
}

uint32_t pulse_find(const int16_t *samples, uint32_t count, const struct pulse_search *search, struct pulse *ret_pulses,
	uint32_t pulses_max)
{
	struct trail trail = {0};
	bool is_in = false;
	uint32_t found = 0;

	for (uint32_t i = 0; i <= count; i++) {
		float height = i < count ? height_at(samples, i, search->baseline, search->polarity) : -INFINITY;
		bool is_end = is_in && height < search->threshold / 2;
		bool is_next = is_in && trail.lowest_since <= trail.highest / 2 &&
			       height > trail.lowest_since + search->threshold;
		if (is_end || is_next) {
			if (found < pulses_max)
				ret_pulses[found] = end_trail(samples, search, &trail);
			found++;
			is_in = false;
		}
		if (is_in)
			follow_trail(&trail, i, height);
		else if (height >= search->threshold) {
			begin_trail(&trail, is_next ? trail.lowest_at : 0, i, height);
			is_in = true;
		}
	}
	return found;
}

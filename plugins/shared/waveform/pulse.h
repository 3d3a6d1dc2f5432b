/* pulse.h: pulses in a record: how high, how much, when. For histograms and analyses; simple on purpose. Pure functions
 * on the caller's arrays. Times are counted in samples from the first one, with a fraction; heights and charges in
 * counts and counts × samples, positive for pulses of the asked polarity. */
#ifndef WAVEFORM_PULSE_H
#define WAVEFORM_PULSE_H

#include <stdint.h>

enum pulse_polarity { PULSE_NEGATIVE = -1, PULSE_POSITIVE = 1 };

struct pulse {
	float amplitude; /* its highest sample over the baseline */
	float charge;    /* sum over the baseline */
	float time;      /* where its leading edge passes half of the amplitude, between samples by a straight line */
};

/* The record as one pulse: its highest sample, the charge of all samples behind the first tenth (which is the
 * baseline), the edge ahead of the highest. The time is NAN where nothing is above the baseline. */
void pulse_measure(
	const int16_t *samples, uint32_t count, float baseline, enum pulse_polarity polarity, struct pulse *ret_pulse);

struct pulse_search {
	float baseline;
	enum pulse_polarity polarity;
	float threshold; /* a pulse begins where it is passed, and ends below half of it */
};

/* All pulses in the order of their times, at most `pulses_max`; their charge is that between begin and end. A sample
 * that rises by more than the threshold within a pulse that has fallen to half of its height begins the next one.
 * Returns how many there are, also where that is more. */
uint32_t pulse_find(const int16_t *samples, uint32_t count, const struct pulse_search *search, struct pulse *ret_pulses,
	uint32_t pulses_max);

#endif

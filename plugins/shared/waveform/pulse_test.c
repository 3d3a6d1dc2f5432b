/* pulse_test.c: pulses made by hand, of both polarities. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "waveform/pulse.h"

#define COUNT 100u

static void assert_near(float value, double expected)
{
	if (!(fabs((double)value - expected) < 1e-3))
		fail_msg("%g, not %g", (double)value, expected);
}

/* A baseline of 500, and triangles: up to `height` within 4 samples, down within 8. */
static void flat(int16_t *samples)
{
	for (uint32_t i = 0; i < COUNT; i++)
		samples[i] = 500;
}

static void add_triangle(int16_t *samples, uint32_t first, int height, int sign)
{
	for (int i = 1; i < 4; i++)
		samples[first + (uint32_t)i] = (int16_t)(samples[first + (uint32_t)i] + sign * height * i / 4);
	for (int i = 0; i < 8; i++)
		samples[first + 4 + (uint32_t)i] =
			(int16_t)(samples[first + 4 + (uint32_t)i] + sign * height * (8 - i) / 8);
}

static void measure_both(int sign, enum pulse_polarity polarity)
{
	int16_t samples[COUNT];
	struct pulse pulse;

	flat(samples);
	add_triangle(samples, 30, 160, sign);
	pulse_measure(samples, COUNT, 500, polarity, &pulse);
	assert_near(pulse.amplitude, 160);
	assert_near(pulse.charge, 40 + 80 + 120 + 160 + 140 + 120 + 100 + 80 + 60 + 40 + 20);
	assert_near(pulse.time, 32);                                                 /* half of it lies on a sample */
	pulse_measure(samples, COUNT, 500 - 20 * (float)polarity, polarity, &pulse); /* off by 20: 180 high */
	assert_near(pulse.amplitude, 180);
	assert_near(pulse.time, 31.75);
}

static void test_one_pulse(void **state)
{
	(void)state;
	measure_both(-1, PULSE_NEGATIVE);
	measure_both(1, PULSE_POSITIVE);
}

static void test_no_pulse(void **state)
{
	int16_t samples[COUNT], one = 500;
	struct pulse pulse;

	(void)state;
	flat(samples);
	pulse_measure(samples, COUNT, 500, PULSE_NEGATIVE, &pulse);
	assert_near(pulse.amplitude, 0);
	assert_near(pulse.charge, 0);
	assert_true(isnan(pulse.time));
	pulse_measure(&one, 1, 500, PULSE_NEGATIVE, &pulse);
	assert_near(pulse.charge, 0);
	const struct pulse_search search = {500, PULSE_NEGATIVE, 20};
	assert_int_equal(pulse_find(samples, COUNT, &search, &pulse, 1), 0);
}

static void test_several(void **state)
{
	const struct pulse_search search = {500, PULSE_NEGATIVE, 20};
	int16_t samples[COUNT];
	struct pulse pulses[4];

	(void)state;
	flat(samples);
	add_triangle(samples, 20, 160, -1);
	add_triangle(samples, 60, 80, -1);
	assert_int_equal(pulse_find(samples, COUNT, &search, pulses, 4), 2);
	assert_near(pulses[0].time, 22);
	assert_near(pulses[0].amplitude, 160);
	assert_near(pulses[1].time, 62);
	assert_near(pulses[1].amplitude, 80);
	assert_near(pulses[1].charge, 20 + 40 + 60 + 80 + 70 + 60 + 50 + 40 + 30 + 20 + 10);
	assert_int_equal(pulse_find(samples, COUNT, &search, pulses, 1), 2); /* more than there is room for */
}

/* The second one begins before the first one is over. */
static void test_pile_up(void **state)
{
	const struct pulse_search search = {500, PULSE_NEGATIVE, 20};
	int16_t samples[COUNT];
	struct pulse pulses[4];

	(void)state;
	flat(samples);
	add_triangle(samples, 20, 160, -1);
	add_triangle(samples, 28, 160, -1); /* 60, 40, 20 are left of the first */
	assert_int_equal(pulse_find(samples, COUNT, &search, pulses, 4), 2);
	assert_near(pulses[0].time, 22);
	assert_near(pulses[1].amplitude, 160);
	assert_near(pulses[1].time, 28); /* half of it is below what the first one left: where it began */
}

/* Cut off at the record's end. */
static void test_last_sample(void **state)
{
	const struct pulse_search search = {500, PULSE_NEGATIVE, 20};
	int16_t samples[COUNT];
	struct pulse pulses[2];

	(void)state;
	flat(samples);
	samples[COUNT - 1] = 400;
	assert_int_equal(pulse_find(samples, COUNT, &search, pulses, 2), 1);
	assert_near(pulses[0].time, 98.5);
	samples[0] = 300;
	assert_int_equal(pulse_find(samples, COUNT, &search, pulses, 2), 2);
	assert_near(pulses[0].time, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_pulse),
		cmocka_unit_test(test_no_pulse),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_pile_up),
		cmocka_unit_test(test_last_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* waveform_test.c: records made by hand, and the vectorised loops beside plain ones over lengths and heights at which
 * they take other ways. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "waveform/waveform.h"

#define LONGEST 40000u

static bool is_near(double value, double expected)
{
	return fabs(value - expected) < 1e-6;
}

/* 20 samples: the first tenth is 1000 and 1003; a pulse down to 800 and an overshoot of 40. */
static const int16_t by_hand[20] = {1000, 1003, 1001, 1000, 1002, 950, 850, 800, 860, 930, 980, 1001, 1041, 1030, 1010,
	1001, 1000, 1001, 1002, 1001};

static void test_record_by_hand(void **state)
{
	float mv_per_count = waveform_mv_per_count(1000, 10); /* an x751: 1 V on 10 bits */
	struct waveform_summary summary;

	(void)state;
	assert_int_equal(waveform_cut_counts(50, mv_per_count), 52); /* 51 counts are 49.8 mV */
	waveform_measure(by_hand, 20, 52, &summary);
	assert_true(is_near((double)summary.baseline, 1001.5));
	assert_int_equal(summary.baseline_counts, 1001);
	assert_int_equal(summary.min, 800);
	assert_int_equal(summary.max, 1041);
	assert_int_equal(summary.count, 20);
	assert_int_equal(summary.kept, 4); /* 850, 800, 860, 930; 950 is 51 below */
	assert_int_equal(summary.sum, -151 - 201 - 141 - 71);
	assert_int_equal(summary.sum_square, 151 * 151 + 201 * 201 + 141 * 141 + 71 * 71);
}

static void test_nothing_is_suppressed_by_0(void **state)
{
	struct waveform_summary summary;

	(void)state;
	assert_int_equal(waveform_cut_counts(0, 1), 0);
	waveform_measure(by_hand, 20, 0, &summary);
	assert_int_equal(summary.kept, 20);
	waveform_measure(by_hand, 20, WAVEFORM_COUNTS_MAX + 1, &summary);
	assert_int_equal(summary.kept, 0);
}

/* A record of one sample, of less than ten, and one that saturates at both ends. */
static void test_edges(void **state)
{
	int16_t flat[9] = {7, 7, 7, 7, 7, 7, 7, 7, 7}, full[64];
	struct waveform_summary summary;

	(void)state;
	waveform_measure(flat, 1, 1, &summary);
	assert_int_equal(summary.baseline_counts, 7);
	assert_int_equal(summary.kept, 0);
	waveform_measure(flat, 9, 0, &summary);
	assert_int_equal(summary.kept, 9);
	assert_int_equal(summary.sum_square, 0);
	for (int i = 0; i < 64; i++)
		full[i] = i < 6 ? 0 : WAVEFORM_COUNTS_MAX;
	waveform_measure(full, 64, 1, &summary);
	assert_int_equal(summary.kept, 58);
	assert_int_equal(summary.sum, 58 * WAVEFORM_COUNTS_MAX);
	assert_true(summary.sum_square == UINT64_C(58) * WAVEFORM_COUNTS_MAX * WAVEFORM_COUNTS_MAX);
}

/* What the header says, word for word. */
static void measure_plainly(const int16_t *samples, uint32_t count, int32_t cut, struct waveform_summary *ret_summary)
{
	uint32_t tenth = count < 10 ? 1 : count / 10;
	int64_t sum = 0;

	*ret_summary = (struct waveform_summary){.count = count, .min = INT16_MAX, .max = INT16_MIN};
	for (uint32_t i = 0; i < tenth; i++)
		sum += samples[i];
	ret_summary->baseline = (float)((double)sum / tenth);
	ret_summary->baseline_counts = (int16_t)(sum / tenth);
	for (uint32_t i = 0; i < count; i++) {
		int64_t distance = samples[i] - ret_summary->baseline_counts;
		ret_summary->min = samples[i] < ret_summary->min ? samples[i] : ret_summary->min;
		ret_summary->max = samples[i] > ret_summary->max ? samples[i] : ret_summary->max;
		if (llabs(distance) < cut)
			continue;
		ret_summary->kept++;
		ret_summary->sum += distance;
		ret_summary->sum_square += (uint64_t)(distance * distance);
	}
}

static void assert_same(const int16_t *samples, uint32_t count, int32_t cut)
{
	struct waveform_summary plain, fast;

	measure_plainly(samples, count, cut, &plain);
	waveform_measure(samples, count, cut, &fast);
	assert_true(fast.baseline >= plain.baseline && fast.baseline <= plain.baseline);
	assert_int_equal(fast.baseline_counts, plain.baseline_counts);
	assert_int_equal(fast.min, plain.min);
	assert_int_equal(fast.max, plain.max);
	assert_int_equal(fast.kept, plain.kept);
	assert_int_equal(fast.sum, plain.sum);
	assert_true(fast.sum_square == plain.sum_square);
}

/* Noise with pulses whose height decides into how many pieces a record is cut, and whether its squares fit. */
static void fill(int16_t *samples, uint32_t count, int height)
{
	for (uint32_t i = 0; i < count; i++) {
		int value = 16000 + rand() % 20 - (rand() % 7 == 0 ? rand() % (height + 1) : 0);
		samples[i] = (int16_t)(value < 0 ? 0 : value);
	}
}

static void test_loops_are_exact(void **state)
{
	static const int heights[] = {0, 100, 2000, 5700, 5800, 16000};
	static const uint32_t lengths[] = {1, 2, 9, 10, 11, 31, 63, 64, 65, 499, 500, 1000, 16383, 16385, LONGEST};
	static int16_t samples[LONGEST];

	(void)state;
	srand(1);
	for (size_t h = 0; h < sizeof(heights) / sizeof(heights[0]); h++)
		for (size_t l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++) {
			fill(samples, lengths[l], heights[h]);
			assert_same(samples, lengths[l], 0);
			assert_same(samples, lengths[l], 1);
			assert_same(samples, lengths[l], 60);
			assert_same(samples, lengths[l], 16000);
		}
	for (uint32_t i = 0; i < LONGEST; i++)
		samples[i] = i < LONGEST / 5 ? 0 : WAVEFORM_COUNTS_MAX;
	assert_same(samples, LONGEST, 0);
	assert_same(samples, LONGEST, 5);
}

static void test_values_are_cut_towards_0(void **state)
{
	static const int16_t samples[4] = {1000, 1003, 998, 500};
	int16_t values[4];

	(void)state;
	waveform_get_mv(samples, 4, 1001, waveform_mv_per_count(1000, 10), values);
	assert_int_equal(values[0], 0);    /* -0.98 */
	assert_int_equal(values[1], 1);    /* 1.95 */
	assert_int_equal(values[2], -2);   /* -2.93 */
	assert_int_equal(values[3], -489); /* -489.26 */
	waveform_get_mv(samples, 4, 0, waveform_mv_per_count(2000, 14), values);
	assert_int_equal(values[0], 122); /* 1000 x 2000 / 16384 */
}

/* The cut keeps exactly what has the threshold's value or more, for every board that there is. */
static void test_cut_agrees_with_values(void **state)
{
	static const double ranges[] = {500, 1000, 2000, 2250, 1234.5};

	(void)state;
	for (size_t r = 0; r < 5; r++)
		for (uint32_t bits = 8; bits <= WAVEFORM_BITS_MAX; bits++)
			for (int threshold = 1; threshold < 500; threshold += 7) {
				float mv_per_count = waveform_mv_per_count(ranges[r], bits);
				int32_t cut = waveform_cut_counts(threshold, mv_per_count);
				int16_t ends[2] = {(int16_t)(cut - 1), (int16_t)cut}, values[2];
				if (cut >= WAVEFORM_COUNTS_MAX)
					continue;
				waveform_get_mv(ends, 2, 0, mv_per_count, values);
				assert_true(values[0] < threshold && values[1] >= threshold);
			}
}

static void write_rows(
	int32_t cut, uint32_t sample_ps, uint32_t expected, uint64_t *time, uint16_t *index, int16_t *value)
{
	uint32_t event[21];
	uint8_t channel[21];
	const struct waveform_rows rows = {time, event, channel, index, value};
	const struct waveform_record record = {.samples = by_hand,
		.count = 20,
		.sample_ps = sample_ps,
		.real_ns = 5000,
		.event_counter = 77,
		.channel = 3};
	struct waveform_summary summary;

	memset(event, 0xff, sizeof(event));
	waveform_measure(by_hand, 20, cut, &summary);
	assert_int_equal(
		waveform_write_rows(&record, &summary, cut, waveform_mv_per_count(1000, 10), &rows, 1), expected);
	assert_int_equal(event[0], UINT32_MAX); /* row 0 is another record's */
	for (uint32_t i = 1; i <= expected; i++) {
		assert_int_equal(event[i], 77);
		assert_int_equal(channel[i], 3);
	}
}

static void test_rows(void **state)
{
	uint64_t time[21];
	uint16_t index[21];
	int16_t value[21];

	(void)state;
	write_rows(52, 1000, 4, time, index, value);
	assert_int_equal(index[1], 6);
	assert_int_equal(time[1], 5006);
	assert_int_equal(value[1], -147); /* -151 counts, -147.46 mV */
	assert_int_equal(index[4], 9);
	assert_int_equal(value[4], -69);
	write_rows(0, 2000, 20, time, index, value);
	assert_int_equal(index[20], 19);
	assert_int_equal(time[20], 5038);
	assert_int_equal(value[8], -196);
	write_rows(0, 500, 20, time, index, value); /* half a ns a sample */
	assert_int_equal(time[4], 5001);
	write_rows(WAVEFORM_COUNTS_MAX + 1, 1000, 0, time, index, value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record_by_hand),
		cmocka_unit_test(test_nothing_is_suppressed_by_0),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_loops_are_exact),
		cmocka_unit_test(test_values_are_cut_towards_0),
		cmocka_unit_test(test_cut_agrees_with_values),
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tank_board_test.c: what a board hands out of what is in the tank: pulses where the light is, saturation, tags that
 * roll over, dead time, a memory that fills up; and the same bytes for the same seed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "waveform/pulse.h"
#include "waveform/time_tags.h"
#include "waveform/waveform.h"

#define SAMPLES  500u
#define CHANNELS 4u

static struct board_params quiet(void)
{
	return (struct board_params){.tank = {.channels = CHANNELS,
					     .muon_rate_hz = 1000,
					     .lifetime_ns = 2197,
					     .muon_photoelectrons = 60,
					     .electron_photoelectrons = 20},
		.seed = 1,
		.samples = SAMPLES,
		.bits = 14,
		.post_percent = 80,
		.sample_ps = 2000,
		.range_mv = 2000,
		.single_mv = 4,
		.rise_ns = 2,
		.fall_ns = 8,
		.pickup_mhz = 13.56,
		.trigger_photoelectrons = 20,
		.dead_ns = 200,
		.memory_records = 1024};
}

static struct board *create(const struct board_params *params)
{
	struct board *board;

	assert_int_equal(board_create(params, 0, 0, &board, NULL), 0);
	return board;
}

/* The light of a muon: where, and how much, a photoelectron being single_mv high. */
static void test_pulse_is_where_the_light_is(void **state)
{
	const struct board_params params = quiet();
	struct board *board = create(&params);
	static struct board_record record;
	struct waveform_summary summary;
	int16_t samples[SAMPLES];
	struct pulse pulse;

	(void)state;
	/* of a photoelectron of 4 mV: 33 counts × the area of a shape of height 1, in samples */
	double peak = exp(-log(4) / 3) - exp(-4 * log(4) / 3), single = 4 * 16384 / 2000.0 * (8 - 2) / peak / 2;
	for (int i = 0; i < 50; i++) {
		assert_true(board_next(board, UINT64_MAX, &record));
		assert_int_equal(record.flashes[0].kind, TANK_MUON);
		double at = (double)(record.flashes[0].time_ps - record.first_ps) / 2000;
		assert_true(at >= 100 && at < 104); /* the trigger is known to 8 ns */
		for (uint32_t c = 0; c < CHANNELS; c++) {
			board_get_samples(board, &record, c, samples);
			waveform_measure(samples, SAMPLES, 0, &summary);
			pulse_measure(samples, SAMPLES, summary.baseline, PULSE_NEGATIVE, &pulse);
			double expected = record.flashes[0].by_channel[c] * single;
			assert_true(fabs((double)pulse.charge - expected) < 0.3 * expected + 50);
			assert_true((double)pulse.time > at - 3 && (double)pulse.time < at + 15);
		}
	}
	board_destroy(board);
}

static void test_noise_and_baseline(void **state)
{
	struct board_params params = quiet();
	static struct board_record record;
	int16_t samples[SAMPLES];
	double sum = 0, square = 0;

	(void)state;
	params.tank.muon_photoelectrons = 0;
	params.trigger_photoelectrons = 0;
	params.noise_mv = 2;
	struct board *board = create(&params);
	for (int i = 0; i < 20; i++) {
		assert_true(board_next(board, UINT64_MAX, &record));
		board_get_samples(board, &record, 0, samples);
		for (uint32_t k = 0; k < SAMPLES; k++) {
			sum += samples[k];
			square += (double)samples[k] * samples[k];
		}
	}
	double mean = sum / (20 * SAMPLES), sigma = sqrt(square / (20 * SAMPLES) - mean * mean);
	assert_true(mean > 0.88 * 16384 && mean < 0.92 * 16384);
	assert_true(fabs(sigma - 2 / 2000.0 * 16384) < 1);
	board_destroy(board);
}

static void test_saturation(void **state)
{
	struct board_params params = quiet();
	static struct board_record record;
	int16_t samples[SAMPLES];
	uint32_t zeros = 0;

	(void)state;
	params.tank.muon_photoelectrons = 10000;
	params.single_mv = 1000;
	struct board *board = create(&params);
	assert_true(board_next(board, UINT64_MAX, &record));
	board_get_samples(board, &record, 0, samples);
	for (uint32_t i = 0; i < SAMPLES; i++) {
		assert_true(samples[i] >= 0 && samples[i] < 16384);
		zeros += samples[i] == 0;
	}
	assert_true(zeros > 20);
	board_destroy(board);
}

/* The tags of half a minute, unwrapped as a driver does. */
static void test_tags_roll_over(void **state)
{
	struct board_params params = quiet();
	const struct time_tags_format format = TIME_TAGS_CAEN;
	static struct board_record record;
	struct time_tags tags;
	uint32_t counter = 0;
	bool is_chosen;

	(void)state;
	params.tank.muon_rate_hz = 50;
	struct board *board = create(&params);
	time_tags_init(&tags, &format);
	while (board_next(board, 40 * PS_PER_S, &record)) {
		assert_true(record.tag < UINT32_C(1) << 31);
		assert_int_equal(record.counter, counter++);
		assert_int_equal(time_tags_unwrap(&tags, record.tag, 0, 0, &is_chosen), record.trigger_ps / 1000);
	}
	assert_int_equal(tags.roll_overs, 2);
	board_destroy(board);
}

/* Electrons: within the record of their muon, in one of their own, or lost while the board is dead. */
static void test_decays(void **state)
{
	struct board_params params = quiet();
	static struct board_record record;
	uint32_t second = 0, own = 0, decays = 0;

	(void)state;
	params.tank.decay_fraction = 1;
	params.tank.muon_rate_hz = 100;
	struct board *board = create(&params);
	while (board_next(board, 20 * PS_PER_S, &record))
		for (uint32_t i = 0; i < record.flash_count; i++) {
			const struct tank_flash *flash = &record.flashes[i];
			double ns = (double)flash->delta_ps / 1000;
			decays += flash->kind == TANK_MUON;
			if (flash->kind != TANK_ELECTRON)
				continue;
			if (i > 0 && record.flashes[0].muon == flash->muon) {
				assert_true(ns < 800);
				second++;
			} else if (i == 0) {
				assert_true(ns > 800); /* 792 ns: what is left of a record behind the trigger's tick */
				own++;
			}
		}
	double all = decays, early = all * (1 - exp(-796 / 2197.0)), late = all * exp(-1000 / 2197.0);
	assert_true(fabs(second - early) < 5 * sqrt(early));
	assert_true(own > 0.8 * late && own < late); /* some are too faint */
	assert_true(board_dropped(board) > 0);
	board_destroy(board);
}

/* 4,016 bytes a record at 4 MB/s: a thousand records a second can be read, ten are kept. */
static void test_busy(void **state)
{
	struct board_params params = quiet();
	static struct board_record record;
	uint64_t records = 0;

	(void)state;
	params.tank.muon_rate_hz = 5000;
	params.memory_records = 10;
	params.readout_mb_per_s = 4.016;
	struct board *board = create(&params);
	while (board_next(board, 4 * PS_PER_S, &record)) {
		records++;
		assert_true(board_queue(board) <= 10);
	}
	assert_true(records > 3900 && records < 4020);
	assert_true(board_dropped(board) > 4 * 3900 && board_dropped(board) < 4 * 4100);
	board_destroy(board);
}

static void take(const struct board_params *params, uint64_t step_ps, int16_t *ret_samples, uint32_t records)
{
	struct board *board = create(params);
	static struct board_record record;
	uint64_t until_ps = 0;

	for (uint32_t i = 0; i < records;) {
		if (!board_next(board, until_ps, &record)) {
			until_ps += step_ps;
			continue;
		}
		for (uint32_t c = 0; c < CHANNELS; c++)
			board_get_samples(board, &record, c, ret_samples + (i * CHANNELS + c) * SAMPLES);
		i++;
	}
	board_destroy(board);
}

/* How often one looks changes nothing. */
static void test_seeds(void **state)
{
	struct board_params params = quiet();
	size_t bytes = 100 * CHANNELS * SAMPLES * sizeof(int16_t);
	int16_t *first = malloc(bytes), *second = malloc(bytes);

	(void)state;
	assert_true(first && second);
	params.noise_mv = params.wander_mv = params.pickup_mv = 0.5;
	params.afterpulse_probability = 0.02;
	params.dark_rate_hz = 1e5;
	params.tank.single_rate_hz = 100;
	params.tank.decay_fraction = 0.3;
	take(&params, PS_PER_S, first, 100);
	take(&params, 10000000, second, 100);
	assert_memory_equal(first, second, bytes);
	params.seed = 2;
	take(&params, PS_PER_S, second, 100);
	assert_memory_not_equal(first, second, bytes);
	free(first);
	free(second);
}

static void test_dark_and_afterpulses(void **state)
{
	struct board_params params = quiet();
	static struct board_record record;
	int16_t samples[SAMPLES];
	uint32_t dark = 0, after = 0;

	(void)state;
	params.dark_rate_hz = 1e6; /* one a record */
	params.afterpulse_probability = 0.05;
	struct board *board = create(&params);
	for (int i = 0; i < 100; i++) {
		assert_true(board_next(board, UINT64_MAX, &record));
		for (uint32_t c = 0; c < CHANNELS; c++) {
			board_get_samples(board, &record, c, samples);
			dark += record.dark[c].count;
			after += record.after[c].count;
			assert_true(record.after[c].count == 0 || record.after[c].first_ps > 400000);
		}
	}
	assert_true(dark > 320 && dark < 480);
	assert_true(after > 400 && after < 1200); /* 60 × 400 × 5 %, of which some lie behind the record */
	board_destroy(board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pulse_is_where_the_light_is),
		cmocka_unit_test(test_noise_and_baseline),
		cmocka_unit_test(test_saturation),
		cmocka_unit_test(test_tags_roll_over),
		cmocka_unit_test(test_decays),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_seeds),
		cmocka_unit_test(test_dark_and_afterpulses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

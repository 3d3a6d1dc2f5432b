/* board.c: see the header. Samples are made in whole numbers (1/256 of a count), which every machine adds up to the
 * same. */
#include "board.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "waveform/clones.h"

#define PHASES         16u    /* places of a pulse between two samples */
#define UNIT           256    /* of a count */
#define SHAPE_ONE      1024   /* the height of a pulse's shape */
#define NOISE_VALUES   16384u /* a power of 2, beside the longest record */
#define SINE_VALUES    1024u
#define SAMPLES_MAX    65536u
#define HITS_MAX       400u      /* drawn one by one of a flash and channel; more photoelectrons make them larger */
#define HEIGHT_MAX     1000000   /* × SHAPE_ONE fits into 31 bits */
#define DRAWN          4096u     /* photoelectrons that are drawn beforehand */
#define LIGHT_MAX      (1 << 30) /* far beyond saturation */
#define LIGHT_DECAY_NS 20.0      /* reflections in the tank */
#define TRANSIT_NS     1.5       /* spread of the photomultiplier's transit times */
#define SINGLE_WIDTH   0.35      /* of the charge of a photoelectron */
#define AFTER_FIRST_NS 200.0
#define AFTER_MEAN_NS  400.0
#define BASELINE       0.9 /* of the range: pulses are negative */

struct board {
	struct board_params params;
	struct tank tank;
	struct rng rng;
	uint64_t reset_ps, ready_ps, read_until_ps; /* ready: dead until then; read: the memory is empty then */
	uint64_t records, dropped;
	uint32_t queue;
	bool has_flash;
	struct tank_flash flash; /* the next one */
	struct tank_flash last;  /* its light may reach into the next record */
	uint32_t pre_samples, shape_samples;
	int32_t offset[TANK_CHANNELS_MAX]; /* baselines, UNIT */
	int32_t pickup_gain[TANK_CHANNELS_MAX];
	double wander_phase[TANK_CHANNELS_MAX], wander_period_s[TANK_CHANNELS_MAX];
	double counts_per_mv;
	int32_t sine[SINE_VALUES];
	int32_t *shapes; /* PHASES of shape_samples */
	int32_t *noise;  /* NOISE_VALUES + samples */
	int32_t *light, *pickup;
	/* Of photoelectrons: when they come after the flash, in phases, and how high, in sixteenths of a count. Drawn
	 * once: a record takes hundreds of them. */
	int32_t delays[DRAWN], heights[DRAWN];
};

/* --- making it --------------------------------------------------------------------------------------------------- */

static double shape_at(const struct board_params *params, double ns)
{
	return ns > 0 ? exp(-ns / params->fall_ns) - exp(-ns / params->rise_ns) : 0;
}

/* A rise and a fall, of height 1 at its highest. */
static void fill_shapes(struct board *board)
{
	const struct board_params *params = &board->params;
	double rise = params->rise_ns, fall = params->fall_ns, sample_ns = (double)params->sample_ps / 1000;
	double highest = shape_at(params, log(fall / rise) * rise * fall / (fall - rise));

	for (uint32_t phase = 0; phase < PHASES; phase++)
		for (uint32_t i = 0; i < board->shape_samples; i++) {
			double ns = (i + 1 - (double)phase / PHASES) * sample_ns;
			board->shapes[phase * board->shape_samples + i] =
				(int32_t)lround(SHAPE_ONE * shape_at(params, ns) / highest);
		}
}

static void fill_noise(struct board *board)
{
	double noise = board->params.noise_mv * board->counts_per_mv * UNIT;

	for (uint32_t i = 0; i < NOISE_VALUES; i++)
		board->noise[i] = (int32_t)lround(noise * rng_normal(&board->rng));
	for (uint32_t i = 0; i < board->params.samples; i++)
		board->noise[NOISE_VALUES + i] = board->noise[i % NOISE_VALUES];
}

static void fill_channels(struct board *board)
{
	double counts = (double)(1u << board->params.bits);
	double pickup = board->params.pickup_mv * board->counts_per_mv * UNIT;

	for (uint32_t i = 0; i < board->params.tank.channels; i++) {
		double offset = BASELINE + 0.02 * (rng_uniform(&board->rng) - 0.5);
		board->offset[i] = (int32_t)(offset * counts * UNIT);
		board->pickup_gain[i] = (int32_t)(256 * (0.5 + rng_uniform(&board->rng)));
		board->wander_phase[i] = 2 * M_PI * rng_uniform(&board->rng);
		board->wander_period_s[i] = 5 + 20 * rng_uniform(&board->rng);
	}
	for (uint32_t i = 0; i < SINE_VALUES; i++)
		board->sine[i] = (int32_t)lround(pickup * sin(2 * M_PI * i / SINE_VALUES));
}

static void fill_photoelectrons(struct board *board)
{
	double phases_per_ns = 1000.0 * PHASES / (double)board->params.sample_ps;
	double single = board->params.single_mv * board->counts_per_mv * 16;

	for (uint32_t i = 0; i < DRAWN; i++) {
		double delay_ns = rng_exponential(&board->rng, LIGHT_DECAY_NS) + TRANSIT_NS * rng_normal(&board->rng);
		double charge = fmax(0.05, 1 + SINGLE_WIDTH * rng_normal(&board->rng));
		board->delays[i] = (int32_t)lround(delay_ns * phases_per_ns);
		board->heights[i] = (int32_t)fmin(charge * single, HEIGHT_MAX);
	}
}

int board_create(const struct board_params *params, uint64_t stream, uint64_t begin_ps, struct board **ret_board,
	struct enrg_error *err)
{
	struct board *board = calloc(1, sizeof(*board));

	if (!board)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	board->params = *params;
	board->counts_per_mv = (double)(1u << params->bits) / params->range_mv;
	board->pre_samples = params->samples * (100 - params->post_percent) / 100;
	board->shape_samples = (uint32_t)(7 * params->fall_ns * 1000 / (double)params->sample_ps) + 2;
	board->shapes = calloc((size_t)PHASES * board->shape_samples, sizeof(int32_t));
	board->noise = calloc(NOISE_VALUES + params->samples, sizeof(int32_t));
	board->light = calloc((size_t)params->samples + board->shape_samples, sizeof(int32_t));
	board->pickup = calloc(params->samples, sizeof(int32_t));
	if (!board->shapes || !board->noise || !board->light || !board->pickup) {
		board_destroy(board);
		return enrg_error_set(err, -ENOMEM, "out of memory for %u samples", params->samples);
	}
	rng_init(&board->rng, params->seed, UINT64_C(1) << 40); /* the same channels in each instance */
	fill_shapes(board);
	fill_channels(board);
	fill_noise(board);
	fill_photoelectrons(board);
	rng_init(&board->rng, params->seed, 2 * stream + 1);
	/* the first record begins behind the reset */
	uint64_t pre_ps = board->pre_samples * params->sample_ps;
	board->reset_ps = begin_ps;
	board->ready_ps = begin_ps + pre_ps + BOARD_TICK_PS;
	tank_init(&board->tank, &params->tank, params->seed, 2 * stream, board->ready_ps);
	*ret_board = board;
	return 0;
}

void board_destroy(struct board *board)
{
	if (!board)
		return;
	free(board->shapes);
	free(board->noise);
	free(board->light);
	free(board->pickup);
	free(board);
}

uint32_t board_pre_samples(const struct board *board)
{
	return board->pre_samples;
}

uint64_t board_dropped(const struct board *board)
{
	return board->dropped;
}

uint32_t board_queue(const struct board *board)
{
	return board->queue;
}

void board_skip(struct board *board, uint64_t to_ps)
{
	tank_skip(&board->tank, to_ps);
	board->has_flash = false;
	board->last = (struct tank_flash){0};
}

/* --- trigger ----------------------------------------------------------------------------------------------------- */

static uint64_t peek_flash(struct board *board)
{
	if (!board->has_flash && tank_next_ps(&board->tank) != UINT64_MAX) {
		tank_next(&board->tank, &board->flash);
		board->has_flash = true;
	}
	return board->has_flash ? board->flash.time_ps : UINT64_MAX;
}

static void take_flash(struct board *board, struct tank_flash *ret_flash)
{
	*ret_flash = board->flash;
	board->has_flash = false;
}

/* How many records wait in its memory at that time, and whether there is room for one more. */
static bool has_room(struct board *board, uint64_t now_ps)
{
	const struct board_params *params = &board->params;
	double record_bytes = 16.0 + 2.0 * params->samples * params->tank.channels;

	if (!(params->readout_mb_per_s > 0))
		return true;
	double record_ps = record_bytes / params->readout_mb_per_s * 1e6; /* bytes by MB/s are µs */
	double backlog_ps = board->read_until_ps > now_ps ? (double)(board->read_until_ps - now_ps) : 0;
	board->queue = (uint32_t)ceil(backlog_ps / record_ps);
	if (board->queue >= params->memory_records)
		return false;
	board->read_until_ps = now_ps + (uint64_t)(backlog_ps + record_ps);
	board->queue++;
	return true;
}

static bool is_trigger(const struct board *board, const struct tank_flash *flash)
{
	return flash->kind == TANK_SINGLE || flash->photoelectrons >= board->params.trigger_photoelectrons;
}

static void add_flash(struct board_record *record, const struct tank_flash *flash)
{
	if (record->flash_count < BOARD_FLASHES_MAX)
		record->flashes[record->flash_count++] = *flash;
}

static void begin_record(struct board *board, const struct tank_flash *trigger, struct board_record *ret_record)
{
	const struct board_params *params = &board->params;
	uint64_t ticks = (trigger->time_ps - board->reset_ps) / BOARD_TICK_PS;
	uint64_t pre_ps = board->pre_samples * params->sample_ps, length_ps = params->samples * params->sample_ps;

	ret_record->tag = (uint32_t)(ticks & ((UINT64_C(1) << BOARD_TAG_BITS) - 1));
	ret_record->counter = (uint32_t)(board->records++ & ((UINT64_C(1) << BOARD_COUNT_BITS) - 1));
	ret_record->trigger_ps = board->reset_ps + ticks * BOARD_TICK_PS;
	ret_record->first_ps = ret_record->trigger_ps - pre_ps;
	ret_record->flash_count = 0;
	if (board->last.photoelectrons && board->last.time_ps >= ret_record->first_ps)
		add_flash(ret_record, &board->last); /* it came while the board was dead */
	add_flash(ret_record, trigger);
	uint64_t end_ps = ret_record->first_ps + length_ps;
	while (peek_flash(board) < end_ps) {
		struct tank_flash flash;
		take_flash(board, &flash);
		add_flash(ret_record, &flash);
	}
	board->last = (struct tank_flash){0};
	board->ready_ps = end_ps + (uint64_t)(params->dead_ns * (double)PS_PER_NS);
}

bool board_next(struct board *board, uint64_t until_ps, struct board_record *ret_record)
{
	while (peek_flash(board) < until_ps) {
		struct tank_flash flash;
		take_flash(board, &flash);
		if (is_trigger(board, &flash)) {
			if (flash.time_ps >= board->ready_ps && has_room(board, flash.time_ps)) {
				begin_record(board, &flash, ret_record);
				return true;
			}
			board->dropped++;
		}
		board->last = flash;
	}
	return false;
}

/* --- samples ----------------------------------------------------------------------------------------------------- */

/* A pulse of `height` sixteenths of a count, at a time in phases since the first sample. */
static void add_hit(struct board *board, int64_t at, int64_t height)
{
	if (at < 0 || at >= (int64_t)board->params.samples * PHASES)
		return;
	const int32_t *restrict shape = board->shapes + (size_t)(at % PHASES) * board->shape_samples;
	int32_t *restrict light = board->light + at / PHASES;
	int32_t whole = (int32_t)(height < HEIGHT_MAX ? height : HEIGHT_MAX);
	for (uint32_t i = 0; i < board->shape_samples; i++) {
		int32_t sum = light[i] + ((shape[i] * whole) >> 6); /* 16 × SHAPE_ONE / 64 = UNIT */
		light[i] = sum < LIGHT_MAX ? sum : LIGHT_MAX;
	}
}

static void note_hit(struct board *board, struct board_hits *hits, int64_t at)
{
	uint64_t at_ps = (uint64_t)at * board->params.sample_ps / PHASES;

	if (at < 0 || at >= (int64_t)board->params.samples * PHASES)
		return;
	if (hits->count++ == 0 || at_ps < hits->first_ps)
		hits->first_ps = at_ps;
}

static int64_t to_phases(const struct board *board, double ns)
{
	return (int64_t)floor(ns * 1000 * PHASES / (double)board->params.sample_ps);
}

static void add_afterpulse(struct board *board, struct board_hits *after, int64_t flash_at)
{
	uint64_t bits = rng_bits(&board->rng);
	double later_ns = AFTER_FIRST_NS + rng_exponential(&board->rng, AFTER_MEAN_NS);
	int64_t at = flash_at + board->delays[bits % DRAWN] + to_phases(board, later_ns);

	add_hit(board, at, board->heights[bits / DRAWN % DRAWN]);
	note_hit(board, after, at);
}

static void add_light(struct board *board, const struct board_record *record, const struct tank_flash *flash,
	uint32_t channel, struct board_hits *after)
{
	uint32_t count = flash->by_channel[channel], hits = count < HITS_MAX ? count : HITS_MAX;
	double flash_ns = ((double)flash->time_ps - (double)record->first_ps) / (double)PS_PER_NS;
	int64_t flash_at = to_phases(board, flash_ns);

	for (uint32_t i = 0; i < hits; i++) {
		uint64_t bits = rng_bits(&board->rng);
		int64_t height = board->heights[bits / DRAWN % DRAWN];
		add_hit(board, flash_at + board->delays[bits % DRAWN], count > hits ? height * count / hits : height);
	}
	for (uint32_t i = rng_poisson(&board->rng, count * board->params.afterpulse_probability); i > 0; i--)
		add_afterpulse(board, after, flash_at);
}

static void add_dark(struct board *board, struct board_hits *dark)
{
	double length_ns = (double)(board->params.samples * board->params.sample_ps) / 1000;
	uint32_t count = rng_poisson(&board->rng, board->params.dark_rate_hz * length_ns * 1e-9);

	for (uint32_t i = 0; i < count; i++) {
		int64_t at = to_phases(board, length_ns * rng_uniform(&board->rng));
		add_hit(board, at, board->heights[rng_bits(&board->rng) % DRAWN]);
		note_hit(board, dark, at);
	}
}

/* The same phase in all channels: it comes through the air. */
static void fill_pickup(struct board *board, const struct board_record *record)
{
	double period_ps = 1e6 / board->params.pickup_mhz;
	uint32_t step = (uint32_t)((double)board->params.sample_ps / period_ps * 0x1p32);
	uint32_t phase = (uint32_t)(uint64_t)(fmod((double)record->first_ps, period_ps) / period_ps * 0x1p32);

	for (uint32_t i = 0; i < board->params.samples; i++, phase += step)
		board->pickup[i] = board->sine[phase >> 22];
}

struct mix {
	const int32_t *light, *noise, *pickup;
	int32_t offset, gain, top;
	uint32_t count;
};

WAVEFORM_CLONES
static void mix_samples(const struct mix *mix, int16_t *restrict ret_samples)
{
	const int32_t *restrict light = mix->light, *restrict noise = mix->noise, *restrict pickup = mix->pickup;
	int32_t offset = mix->offset, gain = mix->gain, top = mix->top;

	for (uint32_t i = 0; i < mix->count; i++) {
		int32_t value = (offset + noise[i] + ((pickup[i] * gain) >> 8) - light[i]) >> 8;
		value = value < 0 ? 0 : value;
		ret_samples[i] = (int16_t)(value > top ? top : value);
	}
}

static int32_t wander(const struct board *board, const struct board_record *record, uint32_t channel)
{
	double s = (double)record->first_ps / (double)PS_PER_S;
	double angle = 2 * M_PI * s / board->wander_period_s[channel] + board->wander_phase[channel];

	return (int32_t)lround(board->params.wander_mv * board->counts_per_mv * UNIT * sin(angle));
}

void board_get_samples(struct board *board, struct board_record *record, uint32_t channel, int16_t *ret_samples)
{
	uint32_t samples = board->params.samples;

	if (channel == 0)
		fill_pickup(board, record);
	memset(board->light, 0, (samples + board->shape_samples) * sizeof(int32_t));
	record->dark[channel] = record->after[channel] = (struct board_hits){0};
	for (uint32_t i = 0; i < record->flash_count; i++)
		add_light(board, record, &record->flashes[i], channel, &record->after[channel]);
	add_dark(board, &record->dark[channel]);
	const struct mix mix = {.light = board->light,
		.noise = board->noise + rng_bits(&board->rng) % NOISE_VALUES,
		.pickup = board->pickup,
		.offset = board->offset[channel] + wander(board, record, channel),
		.gain = board->pickup_gain[channel],
		.top = (1 << board->params.bits) - 1,
		.count = samples};
	mix_samples(&mix, ret_samples);
}

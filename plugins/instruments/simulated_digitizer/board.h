/* board.h: the electronics at the tank: photomultipliers, trigger, dead time, memory, and samples as a digitizer hands
 * them out. All of it runs on simulated time alone, so that the same seed gives the same samples, whatever the machine
 * does meanwhile. One thread; no allocation but that of board_create.
 *
 * A trigger comes where a flash has enough photoelectrons. Its record begins before it; light that comes until the
 * record ends is in it (a muon's electron as a second pulse). While the board is dead or its memory is full, triggers
 * are counted as dropped; an electron that comes later makes a record of its own. */
#ifndef SIMULATED_DIGITIZER_BOARD_H
#define SIMULATED_DIGITIZER_BOARD_H

#include "enrgdaq/error.h"
#include "tank.h"

#define BOARD_FLASHES_MAX 16u
#define BOARD_TAG_BITS    31u
#define BOARD_TICK_PS     UINT64_C(8000)
#define BOARD_COUNT_BITS  24u

struct board_params {
	struct tank_params tank;
	uint64_t seed;
	uint32_t samples, bits, post_percent;
	uint64_t sample_ps;
	double range_mv;
	/* photomultipliers */
	double single_mv, rise_ns, fall_ns;
	double afterpulse_probability, dark_rate_hz;
	/* electronics */
	double noise_mv, wander_mv, pickup_mv, pickup_mhz;
	uint32_t trigger_photoelectrons;
	double dead_ns;
	uint32_t memory_records;
	double readout_mb_per_s; /* 0: at once */
};

/* Hits of one channel that are of no flash. */
struct board_hits {
	uint32_t count;
	uint64_t first_ps; /* since the first sample */
};

struct board_record {
	/* what a board says */
	uint32_t tag;     /* of the trigger: the lowest BOARD_TAG_BITS of its time in ticks since the reset */
	uint32_t counter; /* of records since the reset, the lowest BOARD_COUNT_BITS */
	/* what only a simulation knows */
	uint64_t trigger_ps, first_ps; /* since the tank was filled */
	uint32_t flash_count;
	struct tank_flash flashes[BOARD_FLASHES_MAX];
	struct board_hits dark[TANK_CHANNELS_MAX], after[TANK_CHANNELS_MAX]; /* after board_get_samples */
};

struct board;

/* `stream`: the instance: another one draws other numbers of the same seed. `begin_ps`: when the board is reset. */
int board_create(const struct board_params *params, uint64_t stream, uint64_t begin_ps, struct board **ret_board,
	struct enrg_error *err);
void board_destroy(struct board *board); /* takes NULL */

/* The next record whose trigger comes before `until_ps`. false: there is none; the next call may ask for later ones. */
bool board_next(struct board *board, uint64_t until_ps, struct board_record *ret_record);

/* Its samples of a channel; each channel once, in their order. Fills record->dark and ->after of it. */
void board_get_samples(struct board *board, struct board_record *record, uint32_t channel, int16_t *ret_samples);

/* Nobody looked until then. */
void board_skip(struct board *board, uint64_t to_ps);

uint32_t board_pre_samples(const struct board *board); /* ahead of the trigger */
uint64_t board_dropped(const struct board *board);     /* triggers so far that made no record */
uint32_t board_queue(const struct board *board);       /* records in its memory at the last trigger */

#endif

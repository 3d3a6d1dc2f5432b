/* tank.h: what happens in a water Cherenkov tank: muons cross it or stop, stopped ones decay into an electron, single
 * photoelectrons come by themselves. Flashes of light in the order of their times, drawn from a seed; no clock, no
 * electronics: those are board.h's.
 *
 * Times are picoseconds since the tank was filled: 64 bits last for 213 days. */
#ifndef SIMULATED_DIGITIZER_TANK_H
#define SIMULATED_DIGITIZER_TANK_H

#include <stdbool.h>
#include <stdint.h>

#include "rng.h"

#define TANK_CHANNELS_MAX 64u
#define TANK_WAITING_MAX  64u /* muons that will decay; more at once are impossible at any rate that a board records */
#define PS_PER_NS         UINT64_C(1000)
#define PS_PER_S          UINT64_C(1000000000000)

enum tank_kind { TANK_MUON, TANK_ELECTRON, TANK_SINGLE, TANK_DARK, TANK_AFTERPULSE };

/* "muon", "electron", "single", "dark", "afterpulse". */
const char *tank_kind_name(enum tank_kind kind);

struct tank_params {
	uint32_t channels;
	double muon_rate_hz;
	double decay_fraction; /* of the muons stop in the water */
	double lifetime_ns;
	double muon_photoelectrons, electron_photoelectrons; /* means, a photomultiplier */
	double single_rate_hz;                               /* all photomultipliers together */
};

struct tank_flash {
	uint64_t time_ps;
	enum tank_kind kind;
	uint64_t muon;           /* its number, from 1; 0: not of one */
	uint64_t delta_ps;       /* of an electron: since its muon */
	uint32_t photoelectrons; /* of all photomultipliers */
	uint32_t by_channel[TANK_CHANNELS_MAX];
};

struct tank {
	struct tank_params params;
	struct rng rng;
	uint64_t muons;
	uint64_t next_muon_ps, next_single_ps; /* UINT64_MAX: never */
	uint32_t waiting;                      /* electrons to come, the next one last */
	struct tank_flash electrons[TANK_WAITING_MAX];
};

/* Nothing has happened before `begin_ps`. */
void tank_init(struct tank *tank, const struct tank_params *params, uint64_t seed, uint64_t stream, uint64_t begin_ps);

/* The next flash. */
void tank_next(struct tank *tank, struct tank_flash *ret_flash);

/* When that will be. */
uint64_t tank_next_ps(const struct tank *tank);

/* Nobody looked until then: what would have happened is left out. */
void tank_skip(struct tank *tank, uint64_t to_ps);

#endif

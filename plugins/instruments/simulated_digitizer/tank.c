/* tank.c: see the header. */
#include "tank.h"

#include <math.h>
#include <string.h>

const char *tank_kind_name(enum tank_kind kind)
{
	static const char *const names[] = {[TANK_MUON] = "muon",
		[TANK_ELECTRON] = "electron",
		[TANK_SINGLE] = "single",
		[TANK_DARK] = "dark",
		[TANK_AFTERPULSE] = "afterpulse"};

	return names[kind];
}

/* When the next one of a Poisson process comes. */
static uint64_t wait_for(struct tank *tank, uint64_t from_ps, double rate_hz)
{
	if (!(rate_hz > 0))
		return UINT64_MAX;
	double pause_ps = rng_exponential(&tank->rng, (double)PS_PER_S / rate_hz);
	return pause_ps < 9e18 ? from_ps + (uint64_t)pause_ps + 1 : UINT64_MAX;
}

void tank_init(struct tank *tank, const struct tank_params *params, uint64_t seed, uint64_t stream, uint64_t begin_ps)
{
	memset(tank, 0, sizeof(*tank));
	tank->params = *params;
	rng_init(&tank->rng, seed, stream);
	tank_skip(tank, begin_ps);
}

void tank_skip(struct tank *tank, uint64_t to_ps)
{
	tank->waiting = 0;
	tank->next_muon_ps = wait_for(tank, to_ps, tank->params.muon_rate_hz);
	tank->next_single_ps = wait_for(tank, to_ps, tank->params.single_rate_hz);
}

/* Light that all photomultipliers see, not all of them as well. */
static void draw_light(struct tank *tank, double mean, struct tank_flash *flash)
{
	for (uint32_t i = 0; i < tank->params.channels; i++) {
		double seen = mean * exp(0.25 * rng_normal(&tank->rng));
		flash->by_channel[i] = rng_poisson(&tank->rng, seen);
		flash->photoelectrons += flash->by_channel[i];
	}
}

/* Of the largest energy, by Michel's spectrum: 2 x² (3 − 2 x). */
static double draw_michel(struct rng *rng)
{
	double x;

	do {
		x = rng_uniform(rng);
	} while (2 * rng_uniform(rng) > 2 * x * x * (3 - 2 * x));
	return x;
}

#define MICHEL_MEAN 0.7

static void add_electron(struct tank *tank, const struct tank_flash *muon)
{
	double delta_ps = rng_exponential(&tank->rng, tank->params.lifetime_ns * (double)PS_PER_NS);
	double mean = tank->params.electron_photoelectrons * draw_michel(&tank->rng) / MICHEL_MEAN;
	struct tank_flash electron = {.kind = TANK_ELECTRON, .muon = muon->muon, .delta_ps = (uint64_t)delta_ps};
	uint32_t at = tank->waiting;

	electron.time_ps = muon->time_ps + electron.delta_ps;
	draw_light(tank, mean, &electron);
	if (tank->waiting == TANK_WAITING_MAX)
		return;
	for (; at > 0 && tank->electrons[at - 1].time_ps < electron.time_ps; at--)
		tank->electrons[at] = tank->electrons[at - 1];
	tank->electrons[at] = electron;
	tank->waiting++;
}

static void make_muon(struct tank *tank, struct tank_flash *ret_flash)
{
	bool stops = rng_uniform(&tank->rng) <= tank->params.decay_fraction;
	double track = stops ? 0.2 + 0.8 * rng_uniform(&tank->rng) : 0.4 + 1.2 * rng_uniform(&tank->rng);

	*ret_flash = (struct tank_flash){.time_ps = tank->next_muon_ps, .kind = TANK_MUON, .muon = ++tank->muons};
	draw_light(tank, tank->params.muon_photoelectrons * track, ret_flash);
	if (stops)
		add_electron(tank, ret_flash);
	tank->next_muon_ps = wait_for(tank, tank->next_muon_ps, tank->params.muon_rate_hz);
}

static void make_single(struct tank *tank, struct tank_flash *ret_flash)
{
	*ret_flash = (struct tank_flash){.time_ps = tank->next_single_ps, .kind = TANK_SINGLE, .photoelectrons = 1};
	ret_flash->by_channel[rng_bits(&tank->rng) % tank->params.channels] = 1;
	tank->next_single_ps = wait_for(tank, tank->next_single_ps, tank->params.single_rate_hz);
}

static uint64_t next_electron_ps(const struct tank *tank)
{
	return tank->waiting ? tank->electrons[tank->waiting - 1].time_ps : UINT64_MAX;
}

uint64_t tank_next_ps(const struct tank *tank)
{
	uint64_t first_ps = next_electron_ps(tank);

	first_ps = tank->next_muon_ps < first_ps ? tank->next_muon_ps : first_ps;
	return tank->next_single_ps < first_ps ? tank->next_single_ps : first_ps;
}

void tank_next(struct tank *tank, struct tank_flash *ret_flash)
{
	uint64_t first_ps = tank_next_ps(tank);

	if (first_ps == next_electron_ps(tank))
		*ret_flash = tank->electrons[--tank->waiting];
	else if (first_ps == tank->next_muon_ps)
		make_muon(tank, ret_flash);
	else
		make_single(tank, ret_flash);
}

/* tank_test.c: flashes come in order, the same for a seed, at the rates and with the lifetime that were asked for. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "tank.h"

static const struct tank_params params = {.channels = 8,
	.muon_rate_hz = 1000,
	.decay_fraction = 0.5,
	.lifetime_ns = 2197,
	.muon_photoelectrons = 60,
	.electron_photoelectrons = 20,
	.single_rate_hz = 100};

static void test_rates_and_lifetime(void **state)
{
	static struct tank tank;
	struct tank_flash flash;
	uint64_t last_ps = 0, counts[3] = {0}, seconds = 30;
	double delta_ns = 0, light[3] = {0};

	(void)state;
	tank_init(&tank, &params, 1, 0, 0);
	while (tank_next_ps(&tank) < seconds * PS_PER_S) {
		uint64_t next_ps = tank_next_ps(&tank);
		tank_next(&tank, &flash);
		assert_true(flash.time_ps == next_ps && flash.time_ps >= last_ps);
		last_ps = flash.time_ps;
		counts[flash.kind]++;
		light[flash.kind] += flash.photoelectrons;
		if (flash.kind == TANK_ELECTRON)
			delta_ns += (double)flash.delta_ps / 1000;
	}
	/* within 4 standard deviations */
	assert_true(fabs((double)counts[TANK_MUON] - 30000) < 4 * sqrt(30000));
	assert_true(fabs((double)counts[TANK_SINGLE] - 3000) < 4 * sqrt(3000));
	double electrons = (double)counts[TANK_ELECTRON];
	assert_true(fabs(electrons / (double)counts[TANK_MUON] - 0.5) < 4 * 0.5 / sqrt(30000));
	assert_true(fabs(delta_ns / electrons - 2197) < 4 * 2197 / sqrt(electrons));
	assert_true(fabs(light[TANK_ELECTRON] / electrons / 8 - 20) < 2);
	assert_int_equal((uint64_t)light[TANK_SINGLE], counts[TANK_SINGLE]);
}

static void draw(uint64_t seed, uint64_t stream, struct tank_flash *ret_flashes, uint32_t count)
{
	static struct tank tank;

	tank_init(&tank, &params, seed, stream, 5000);
	for (uint32_t i = 0; i < count; i++)
		tank_next(&tank, &ret_flashes[i]);
}

static void test_seeds(void **state)
{
	static struct tank_flash first[200], second[200];

	(void)state;
	draw(7, 0, first, 200);
	draw(7, 0, second, 200);
	assert_memory_equal(first, second, sizeof(first));
	draw(8, 0, second, 200);
	assert_memory_not_equal(first, second, sizeof(first));
	draw(7, 1, second, 200); /* the next instance */
	assert_memory_not_equal(first, second, sizeof(first));
}

/* At no rate nothing comes, and nobody waits for it in vain. */
static void test_silence(void **state)
{
	const struct tank_params none = {.channels = 1, .lifetime_ns = 2197};
	static struct tank tank;

	(void)state;
	tank_init(&tank, &none, 1, 0, 0);
	assert_true(tank_next_ps(&tank) == UINT64_MAX);
}

static void test_skip(void **state)
{
	static struct tank tank;
	struct tank_flash flash;

	(void)state;
	tank_init(&tank, &params, 3, 0, 0);
	tank_skip(&tank, 50 * PS_PER_S);
	tank_next(&tank, &flash);
	assert_true(flash.time_ps > 50 * PS_PER_S && flash.time_ps < 51 * PS_PER_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates_and_lifetime),
		cmocka_unit_test(test_seeds),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_skip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

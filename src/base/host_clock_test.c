/* host_clock_test.c: units and signs of adjtimex(2). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/host_clock.h"

static void offsets_are_clock_minus_reference_in_ns(void **state)
{
	const struct timex nano = {.status = STA_PLL | STA_NANO, .offset = 1500, .maxerror = 2000, .freq = 65536 * 3};
	const struct timex micro = {.status = STA_PLL, .offset = -7, .maxerror = 16000000, .freq = -32768};
	struct enrg_host_clock clock = host_clock_from(&nano, TIME_OK);

	(void)state;
	assert_true(clock.is_locked);
	assert_int_equal(clock.offset_ns, -1500);
	assert_int_equal(clock.uncertainty_ns, 2000000);
	assert_true(clock.frequency_ppm == 3.0);
	clock = host_clock_from(&micro, TIME_OK);
	assert_int_equal(clock.offset_ns, 7000);
	assert_int_equal(clock.uncertainty_ns, 16000000000);
	assert_true(clock.frequency_ppm == -0.5);
}

static void a_clock_that_nobody_holds_is_not_locked(void **state)
{
	const struct timex unsynchronised = {.status = STA_UNSYNC};
	const struct timex good = {.status = STA_PLL};

	(void)state;
	assert_false(host_clock_from(&unsynchronised, TIME_ERROR).is_locked);
	assert_false(host_clock_from(&unsynchronised, TIME_OK).is_locked);
	assert_false(host_clock_from(&good, TIME_ERROR).is_locked);
	assert_true(host_clock_from(&good, TIME_INS).is_locked); /* a leap second comes */
}

static void the_kernel_tells(void **state)
{
	struct enrg_host_clock clock = {.size = sizeof(clock)};
	struct {
		struct enrg_host_clock clock;
	} shorter = {{.size = offsetof(struct enrg_host_clock, uncertainty_ns), .uncertainty_ns = -7}};

	(void)state;
	assert_int_equal(enrg_host_clock_read(&clock, NULL), 0);
	assert_true(clock.uncertainty_ns >= 0);
	assert_int_equal(clock.size, sizeof(clock));
	/* of an author of before, who knows less of it */
	assert_int_equal(enrg_host_clock_read(&shorter.clock, NULL), 0);
	assert_int_equal(shorter.clock.uncertainty_ns, -7);
}

static void leap_seconds_are_told_before(void **state)
{
	const struct timex comes = {.status = STA_PLL | STA_INS, .tai = 37}, goes = {.status = STA_DEL};

	(void)state;
	assert_int_equal(host_clock_from(&comes, TIME_INS).leap, 1);
	assert_int_equal(host_clock_from(&comes, TIME_INS).tai_minus_utc_s, 37);
	assert_int_equal(host_clock_from(&goes, TIME_DEL).leap, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offsets_are_clock_minus_reference_in_ns),
		cmocka_unit_test(a_clock_that_nobody_holds_is_not_locked),
		cmocka_unit_test(leap_seconds_are_told_before),
		cmocka_unit_test(the_kernel_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

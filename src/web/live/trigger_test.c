/* trigger_test.c: levels are passed where they are, on the right slope; what is shown and how often. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "web/live/trigger.h"

#define COUNT(values) (uint32_t)(sizeof(values) / sizeof((values)[0]))

static void check(float found, double expected)
{
	if (isnan(expected))
		assert_true(isnan(found));
	else
		assert_float_equal(found, (float)expected, 1e-5);
}

static void test_slopes(void **state)
{
	const float wave[] = {0, 0, 10, 10, -10, 0, 0};
	const struct trigger_level rising = {.level = 5, .slope = TRIGGER_RISING};
	const struct trigger_level falling = {.level = 5, .slope = TRIGGER_FALLING};
	const struct trigger_level either = {.level = -5, .slope = TRIGGER_EITHER};
	const struct trigger_level never = {.level = 11, .slope = TRIGGER_EITHER};

	(void)state;
	check(trigger_cross(wave, COUNT(wave), &rising), 1.5);
	check(trigger_cross(wave, COUNT(wave), &falling), 3.25);
	check(trigger_cross(wave, COUNT(wave), &either), 3.75); /* falls through it before it rises */
	check(trigger_cross(wave, COUNT(wave), &never), NAN);
	check(trigger_cross(wave, 0, &rising), NAN);
	check(trigger_cross(wave, 1, &rising), NAN);
}

/* A record that begins above the level has not passed it; touching it from below has. */
static void test_where_it_begins(void **state)
{
	const float above[] = {8, 9, 8, 9}, touches[] = {0, 5, 5, 4}, level_itself[] = {5, 5, 9};
	const struct trigger_level level = {.level = 5, .slope = TRIGGER_RISING};

	(void)state;
	check(trigger_cross(above, COUNT(above), &level), NAN);
	check(trigger_cross(touches, COUNT(touches), &level), 1);
	check(trigger_cross(level_itself, COUNT(level_itself), &level), NAN);
}

static void test_hysteresis(void **state)
{
	const float noise[] = {4, 6, 4, 6, 0, 6};
	struct trigger_level level = {.level = 5, .hysteresis = 0, .slope = TRIGGER_RISING};

	(void)state;
	check(trigger_cross(noise, COUNT(noise), &level), 0.5);
	level.hysteresis = 3;
	check(trigger_cross(noise, COUNT(noise), &level), 4 + 5.0 / 6);
	level.hysteresis = 6;
	check(trigger_cross(noise, COUNT(noise), &level), NAN);
}

static void test_no_numbers(void **state)
{
	const float holes[] = {NAN, 0, NAN, 9, 9}, never[] = {NAN, NAN};
	const struct trigger_level level = {.level = 5, .slope = TRIGGER_EITHER};

	(void)state;
	check(trigger_cross(holes, COUNT(holes), &level), 3); /* no line leads there: the sample itself */
	check(trigger_cross(never, COUNT(never), &level), NAN);
}

static void test_coincidence(void **state)
{
	float three[] = {30, NAN, 10, 11}, again[] = {30, NAN, 10, 11}, wide[] = {30, NAN, 10, 11}, none[] = {NAN, NAN};

	(void)state;
	check(trigger_coincide(three, COUNT(three), 1, 0), 10);
	check(trigger_coincide(again, COUNT(again), 2, 1), 11);
	check(trigger_coincide(wide, COUNT(wide), 3, 20), 30);
	check(trigger_coincide(wide, COUNT(wide), 3, 19), NAN);
	check(trigger_coincide(wide, COUNT(wide), 4, 1e9f), NAN);
	check(trigger_coincide(none, COUNT(none), 1, 1), NAN);
}

static void test_modes(void **state)
{
	const struct trigger_rules normal = {.mode = TRIGGER_NORMAL, .auto_ns = 100};
	const struct trigger_rules automatic = {.mode = TRIGGER_AUTO, .auto_ns = 100};
	const struct trigger_rules single = {.mode = TRIGGER_SINGLE};
	struct trigger trigger = {0};

	(void)state;
	assert_int_equal(trigger_judge(&trigger, &normal, false, 1, 1000), TRIGGER_LEAVE);
	assert_int_equal(trigger_judge(&trigger, &normal, true, 2, 2000), TRIGGER_SHOW);
	trigger = (struct trigger){0};
	assert_int_equal(trigger_judge(&trigger, &automatic, false, 1, 1000), TRIGGER_SHOW_FORCED);
	assert_int_equal(trigger_judge(&trigger, &automatic, false, 2, 1099), TRIGGER_LEAVE);
	assert_int_equal(trigger_judge(&trigger, &automatic, true, 3, 1099), TRIGGER_SHOW);
	assert_int_equal(trigger_judge(&trigger, &automatic, false, 4, 1199), TRIGGER_SHOW_FORCED);
	trigger = (struct trigger){0};
	assert_int_equal(trigger_judge(&trigger, &single, false, 1, 1000), TRIGGER_LEAVE);
	assert_int_equal(trigger_judge(&trigger, &single, true, 2, 1001), TRIGGER_SHOW);
	assert_int_equal(trigger_judge(&trigger, &single, true, 3, 1002), TRIGGER_LEAVE);
	trigger_arm(&trigger);
	assert_int_equal(trigger_judge(&trigger, &single, true, 4, 1003), TRIGGER_SHOW);
}

static void test_hold_off(void **state)
{
	const struct trigger_rules rules = {.mode = TRIGGER_NORMAL, .hold_off_ns = 1000};
	struct trigger trigger = {0};

	(void)state;
	assert_int_equal(trigger_judge(&trigger, &rules, true, 5000, 1), TRIGGER_SHOW);
	assert_int_equal(trigger_judge(&trigger, &rules, true, 5999, 2), TRIGGER_LEAVE);
	assert_int_equal(trigger_judge(&trigger, &rules, true, 6000, 3), TRIGGER_SHOW);
	/* another run, whose clock began anew */
	assert_int_equal(trigger_judge(&trigger, &rules, true, 10, 4), TRIGGER_SHOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slopes),
		cmocka_unit_test(test_where_it_begins),
		cmocka_unit_test(test_hysteresis),
		cmocka_unit_test(test_no_numbers),
		cmocka_unit_test(test_coincidence),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_hold_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

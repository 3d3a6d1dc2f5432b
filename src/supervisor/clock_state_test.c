/* clock_state_test.c: what a record says of the clock comes back, also over a restart of the supervisor. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "supervisor/clock_state.h"

static void a_state_comes_back(void **state)
{
	const struct clock_state none = {0};
	struct clock_state now = {.is_known = true,
		.wall_ns = 1790000000123456789u,
		.clock = {.size = sizeof(now.clock),
			.is_locked = true,
			.offset_ns = -1500,
			.uncertainty_ns = 2250000,
			.frequency_ppm = -3.25,
			.tai_minus_utc_s = 37,
			.leap = -1}};
	json_t *pair = clock_state_format_pair(&now, &none);
	struct clock_state back = clock_state_parse(json_object_get(pair, "begin"));
	char text[80];

	(void)state;
	assert_true(back.is_known && back.clock.is_locked);
	assert_int_equal(back.wall_ns, now.wall_ns);
	assert_int_equal(back.clock.offset_ns, -1500);
	assert_int_equal(back.clock.uncertainty_ns, 2250000);
	assert_true(back.clock.frequency_ppm == -3.25);
	assert_int_equal(back.clock.tai_minus_utc_s, 37);
	assert_int_equal(back.clock.leap, -1);
	clock_state_describe(&back, text, sizeof(text));
	assert_string_equal(text, "held to a reference within 2.25 ms");
	back = clock_state_parse(json_object_get(pair, "end"));
	assert_false(back.is_known);
	clock_state_describe(&back, text, sizeof(text));
	assert_string_equal(text, "not known");
	now.clock.is_locked = false;
	clock_state_describe(&now, text, sizeof(text));
	assert_string_equal(text, "NOT held to a reference");
	json_decref(pair);
}

static void the_machine_is_asked(void **state)
{
	const struct clock_state now = clock_state_read();

	(void)state;
	assert_true(now.is_known && now.wall_ns > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_comes_back),
		cmocka_unit_test(the_machine_is_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* regime_test.c: the tag follows from the round trip. No figure is asserted beyond being one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "benchmark/pair.h"
#include "benchmark/regime.h"

static void test_limits_of_the_tags(void **state)
{
	(void)state;
	assert_int_equal(regime_of(70), REGIME_SHARED_CACHE);
	assert_int_equal(regime_of(150), REGIME_SHARED_CACHE);
	assert_int_equal(regime_of(200), REGIME_MIXED);
	assert_int_equal(regime_of(250), REGIME_MIXED);
	assert_int_equal(regime_of(460), REGIME_SPLIT_CACHE);
}

static void test_join(void **state)
{
	(void)state;
	assert_int_equal(regime_join(REGIME_SHARED_CACHE, REGIME_SHARED_CACHE), REGIME_SHARED_CACHE);
	assert_int_equal(regime_join(REGIME_SHARED_CACHE, REGIME_SPLIT_CACHE), REGIME_MIXED);
	assert_int_equal(regime_join(REGIME_SINGLE_CORE, REGIME_SINGLE_CORE), REGIME_SINGLE_CORE);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(regime_name(REGIME_SHARED_CACHE), "shared-cache");
	assert_string_equal(regime_name(REGIME_SPLIT_CACHE), "split-cache");
	assert_string_equal(regime_name(REGIME_MIXED), "mixed");
	assert_string_equal(regime_name(REGIME_SINGLE_CORE), "single-core");
	assert_string_equal(regime_name((enum regime)9), "?");
}

static void test_measured(void **state)
{
	struct regime_probe probe = {0};
	int cpus[2];

	(void)state;
	assert_int_equal(regime_measure(&probe, NULL), 0);
	assert_true(probe.round_trip_ns > 1);
	if (pair_cpus(cpus, 2) < 2)
		assert_int_equal(probe.regime, REGIME_SINGLE_CORE);
	else
		assert_int_equal(probe.regime, regime_of(probe.round_trip_ns));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits_of_the_tags),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* decay_test.c: lifetimes that were drawn are found again, over ranges with a hole and above a background, with an
 * error that is right. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "plot/decay.h"

#define PAIRS  2000u
#define TRIALS 60

static const struct decay_ranges ranges = {.count = 2, .items = {{150, 720}, {1050, 12000}}};

static double uniform(void)
{
	return (rand() + 1.0) / (RAND_MAX + 1.0);
}

static void draw(double lifetime_ns, double background, double *ret_deltas, size_t count)
{
	for (size_t i = 0; i < count;) {
		double delta = uniform() < background ? 12000 * uniform() : -lifetime_ns * log(uniform());
		if (decay_is_in(&ranges, delta))
			ret_deltas[i++] = delta;
	}
}

/* The errors of many trials spread as the fit says. */
static void try_many(double lifetime_ns, double background)
{
	static double deltas[PAIRS];
	double mean = 0, square = 0, error = 0;
	struct decay_fit fit;

	for (int i = 0; i < TRIALS; i++) {
		draw(lifetime_ns, background, deltas, PAIRS);
		assert_int_equal(decay_fit_pairs(deltas, PAIRS, &ranges, background > 0, &fit), 0);
		assert_int_equal(fit.pairs, PAIRS);
		mean += fit.lifetime_ns / TRIALS;
		square += (fit.lifetime_ns - lifetime_ns) * (fit.lifetime_ns - lifetime_ns) / TRIALS;
		error += fit.error_ns / TRIALS;
	}
	assert_true(fabs(mean - lifetime_ns) < 4 * error / sqrt(TRIALS));
	assert_true(sqrt(square) > 0.7 * error && sqrt(square) < 1.3 * error);
}

static void test_lifetimes(void **state)
{
	(void)state;
	srand(1);
	try_many(2197, 0);
	try_many(2197, 0.05);
	try_many(900, 0.02);
}

static void test_too_little(void **state)
{
	static const double few[] = {200, 300, 400},
			    same[12] = {150, 150, 150, 150, 150, 150, 150, 150, 150, 150, 150, 150};
	struct decay_fit fit;

	(void)state;
	assert_int_equal(decay_fit_pairs(few, 3, &ranges, true, &fit), -ENODATA);
	assert_int_equal(decay_fit_pairs(NULL, 0, &ranges, true, &fit), -ENODATA);
	assert_int_equal(decay_fit_pairs(same, 12, &ranges, false, &fit), -ERANGE);
}

static void test_ranges(void **state)
{
	const struct decay_fit fit = {.pairs = 1000, .lifetime_ns = 2197, .background = 0.1};
	double sum = 0;

	(void)state;
	assert_false(decay_is_in(&ranges, 800));
	assert_true(decay_is_in(&ranges, 1050));
	assert_true(fabs(decay_covered_ns(&ranges, 700, 1100) - 70) < 1e-9);
	for (int ns = 0; ns < 12000; ns++)
		if (decay_is_in(&ranges, ns))
			sum += decay_density(&fit, &ranges, ns + 0.5);
	assert_true(fabs(sum - 1000) < 2); /* all pairs are where the ranges are */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lifetimes),
		cmocka_unit_test(test_too_little),
		cmocka_unit_test(test_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* compare_test.c: goals are judged by the median of the ratios; limit and value take turns. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "benchmark/compare.h"

struct script {
	const double *values;
	unsigned limits_taken, values_taken;
	int fail_at; /* round; -1 = never */
};

static int take_limit(void *context, double *ret_figures, struct enrg_error *err)
{
	struct script *script = context;

	(void)err;
	assert_int_equal(script->limits_taken, script->values_taken);
	script->limits_taken++;
	ret_figures[0] = 2;
	return 0;
}

static int take_value(void *context, double *ret_figures, struct enrg_error *err)
{
	struct script *script = context;

	if (script->fail_at == (int)script->values_taken)
		return enrg_error_set(err, -EIO, "broken");
	ret_figures[0] = script->values[script->values_taken++ % 3];
	return 0;
}

static const enum regime *regimes; /* what the probes find, one after the other; NULL = always the same */

static int probe(struct regime_probe *ret_probe, struct enrg_error *err)
{
	(void)err;
	ret_probe->regime = regimes ? *regimes++ : REGIME_SPLIT_CACHE;
	return 0;
}

static int judge(const double *values, double goal, bool is_at_most, int fail_at)
{
	struct script script = {.values = values, .fail_at = fail_at};
	const struct compare_metric metric = {"test", "GB/s", goal, is_at_most};
	const struct compare compare = {.rounds = 3,
		.metric_count = 1,
		.metrics = &metric,
		.limit = take_limit,
		.value = take_value,
		.context = &script,
		.probe = probe};
	struct enrg_error err = {0};

	int rc = compare_run(&compare, &err);
	if (fail_at < 0)
		assert_int_equal(script.values_taken, 3);
	return rc;
}

static void test_goals(void **state)
{
	static const double values[] = {1.9, 100, 0.1};

	(void)state;
	assert_int_equal(judge(values, 0.9, false, -1), 0);
	assert_int_equal(judge(values, 0.96, false, -1), 1);
	assert_int_equal(judge(values, 0.96, true, -1), 0);
	assert_int_equal(judge(values, 0.9, true, -1), 1);
	assert_int_equal(judge(values, 0, true, -1), 0); /* no goal */
}

static void test_changes_of_regime_do_not_count(void **state)
{
	static const double values[] = {2, 20, 20};
	static const enum regime once[] = {
		REGIME_SHARED_CACHE, REGIME_SHARED_CACHE, REGIME_SPLIT_CACHE, REGIME_SHARED_CACHE};
	static const enum regime always[] = {
		REGIME_SHARED_CACHE, REGIME_SPLIT_CACHE, REGIME_SHARED_CACHE, REGIME_SPLIT_CACHE};

	(void)state;
	regimes = once; /* the second and third pair are left out */
	assert_int_equal(judge(values, 1.5, true, -1), 0);
	regimes = always; /* nothing was measured: no goal is met */
	assert_int_equal(judge(values, 100, true, -1), 1);
	regimes = NULL;
}

static char order[16];
static size_t taken;

static int note_limit(void *context, double *ret_figures, struct enrg_error *err)
{
	(void)context, (void)err;
	order[taken++] = 'L';
	ret_figures[0] = 1;
	return 0;
}

static int note_value(void *context, double *ret_figures, struct enrg_error *err)
{
	(void)context, (void)err;
	order[taken++] = 'V';
	ret_figures[0] = 1;
	return 0;
}

static void test_pairs_alternate(void **state)
{
	const struct compare_metric metric = {"test", "GB/s", 0, false};
	const struct compare compare = {.rounds = 2,
		.pairs = 2,
		.alternates = true,
		.metric_count = 1,
		.metrics = &metric,
		.limit = note_limit,
		.value = note_value,
		.probe = probe};

	(void)state;
	assert_int_equal(compare_run(&compare, NULL), 0);
	assert_string_equal(order, "LVVLLVVL");
}

static void test_failure(void **state)
{
	static const double values[] = {1, 1, 1};

	(void)state;
	assert_int_equal(judge(values, 0.1, false, 1), -EIO);
}

static void test_exit_codes(void **state)
{
	struct enrg_error err = {.text = "broken"};

	(void)state;
	assert_int_equal(compare_exit(0, &err), 0);
	assert_int_equal(compare_exit(1, &err), 1);
	assert_int_equal(compare_exit(-EIO, &err), 2);
}

static void test_arguments(void **state)
{
	char program[] = "bench", option[] = "--rounds", value[] = "3";
	char *arguments[] = {program, option, value, NULL};

	(void)state;
	assert_int_equal(compare_parse(3, arguments, "help"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goals),
		cmocka_unit_test(test_changes_of_regime_do_not_count),
		cmocka_unit_test(test_pairs_alternate),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_exit_codes),
		cmocka_unit_test(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

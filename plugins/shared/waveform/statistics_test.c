/* statistics_test.c: two records made by hand become a row of statistics. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "waveform/tables.h"

static void test_a_second(void **state)
{
	static const int16_t first[10] = {100, 100, 100, 60, 20, 60, 100, 100, 100, 100};
	static const int16_t second[10] = {200, 200, 200, 200, 210, 200, 200, 200, 200, 200};
	static const double expected[WAVEFORM_STATISTICS_COLUMNS] = {
		1234, 2, 3, -2 * 160 / 3.0, 4 * 9600.0, -160, 20, 17, 20, 5, 6, 1.5, 7};
	struct enrg_value row[WAVEFORM_STATISTICS_COLUMNS];
	struct waveform_statistics statistics;
	struct waveform_summary summary;

	(void)state;
	waveform_statistics_init(&statistics);
	waveform_measure(first, 10, 30, &summary);
	waveform_statistics_add(&statistics, &summary);
	waveform_measure(second, 10, 30, &summary);
	waveform_statistics_add(&statistics, &summary);
	statistics.events = 2;
	statistics.events_dropped = 5;
	statistics.queue_depth = 6;
	statistics.processing_ns = 1500;
	statistics.flushes = 7;
	waveform_statistics_row(&statistics, 2, 1234, row);
	for (uint32_t i = 0; i < WAVEFORM_STATISTICS_COLUMNS; i++) {
		bool is_float = enrg_type_is_float(waveform_statistics_schema.columns[i].type);
		double value = is_float ? row[i].f : (double)row[i].i;
		assert_true(fabs(value - expected[i]) < 1e-9);
	}
}

static void test_an_empty_second(void **state)
{
	struct enrg_value row[WAVEFORM_STATISTICS_COLUMNS];
	struct waveform_statistics statistics;

	(void)state;
	waveform_statistics_init(&statistics);
	waveform_statistics_row(&statistics, 1, 0, row);
	assert_true(row[3].f >= 0 && row[3].f <= 0); /* no division by no sample */
}

static void test_schemas(void **state)
{
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(enrg_schema_check(&waveform_samples_schema, &err), 0);
	assert_int_equal(enrg_schema_check(&waveform_records_schema, &err), 0);
	assert_int_equal(enrg_schema_check(&waveform_statistics_schema, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_second),
		cmocka_unit_test(test_an_empty_second),
		cmocka_unit_test(test_schemas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

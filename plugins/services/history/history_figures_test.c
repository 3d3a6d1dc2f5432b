/* history_figures_test.c: statistics of many jobs as series; jobs that go, figures that are not there, patterns. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrgdaq/history.h"
#include "job_figures.h"

#define NOW  1795845600ull
#define S    1000000000ull
#define JOBS 200u

static char folder[64];
static struct enrg_job_status jobs[JOBS];
static const struct enrg_job_status *places[JOBS];
static struct enrg_statistic_value values[JOBS][256];
static char names[JOBS][16];
static struct enrg_status status = {.jobs = places};

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/dev/shm/enrgdaq-test.XXXXXX");
	for (uint32_t i = 0; i < JOBS; i++) {
		snprintf(names[i], sizeof(names[i]), "job%03u", i);
		jobs[i] = (struct enrg_job_status){
			.name = names[i], .value_count = enrg_statistics_count(), .values = values[i]};
		places[i] = &jobs[i];
	}
	return mkdtemp(folder) && enrg_statistics_count() < 256 ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static void set_values(uint32_t job, uint32_t second)
{
	for (uint32_t i = 0; i < enrg_statistics_count(); i++)
		values[job][i].number = i % 3 ? 7 : (double)second * (i + 1) + job;
}

static void record(struct job_figures *figures, uint32_t second)
{
	assert_int_equal(recorder_turn(figures->recorder, NOW + second, NULL) >= 0, 1);
	assert_int_equal(job_figures_take(figures, &status), 0);
}

static double seconds_of(const char *name)
{
	const char *const patterns[] = {name, NULL};
	const struct enrg_history_query query = {
		.size = sizeof(query), .points = 1, .patterns = patterns, .from_ns = NOW * S, .to_ns = (NOW + 60) * S};
	struct enrg_history_result *result = NULL;
	struct enrg_history *history = NULL;
	double seconds = 0;

	assert_int_equal(enrg_history_open(folder, &history, NULL), 0);
	assert_int_equal(enrg_history_read(history, &query, &result, NULL), 0);
	for (uint32_t i = 0; i < result->series_count; i++)
		seconds += result->series[i]->points[0].seconds;
	enrg_history_result_destroy(result);
	enrg_history_close(history);
	return seconds;
}

/* 200 jobs for a minute: each figure is known each second; one that goes is not known any more; what is left out is not
 * there. */
static void many_jobs(void **state)
{
	const struct recorder_params params = {
		.folder = folder, .supervisor = "lab", .job = "history", .limit_bytes = 500000000};
	static const char *const patterns[] = {"*/latency_run_*", "job007/*"};
	const struct enrg_string_list exclude = {2, patterns};
	struct job_figures figures = {.exclude = &exclude};

	(void)state;
	assert_int_equal(recorder_open(&params, &figures.recorder, NULL), 0);
	for (uint32_t second = 0; second < 60; second++) {
		for (uint32_t job = 0; job < JOBS; job++)
			set_values(job, second);
		values[5][0].number = second < 30 ? 1 : NAN;
		status.job_count = second < 40 ? JOBS : JOBS - 1;
		record(&figures, second);
	}
	assert_int_equal(job_figures_take(&figures, NULL), 0);
	assert_int_equal(recorder_count_known(figures.recorder), 0);
	assert_int_equal(recorder_finish(figures.recorder, NULL), 0);
	recorder_destroy(figures.recorder);
	job_figures_fini(&figures);
	assert_true(seconds_of("job*/cpu_percent") == (JOBS - 2) * 59 + 40);
	assert_true(seconds_of("job005/in_batches") == 30);
	assert_true(seconds_of("job006/in_batches") == 59);
	assert_true(seconds_of("*/latency_run_p50_ms") == 0);
	assert_true(seconds_of("job007/*") == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(many_jobs, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

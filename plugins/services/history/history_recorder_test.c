/* history_recorder_test.c: what is recorded by a clock of ours: seconds, minutes, what stands still, kills, bounds over
 * a year, a disk that is full, a clock that is set back. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enrgdaq/history.h"
#include "enrgdaq/history_file.h"
#include "recorder.h"

#define S    1000000000ull
#define NOW  1795845600ull /* 2026-11-28T06:00:00Z */
#define HOUR 3600u
#define DAY  86400u
#define MB   1000000u

static char folder[64];

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/dev/shm/enrgdaq-test.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static struct recorder *begin(uint64_t limit_bytes)
{
	const struct recorder_params params = {
		.folder = folder, .supervisor = "lab", .job = "history", .limit_bytes = limit_bytes};
	struct recorder *recorder = NULL;
	struct enrg_error err = {0};

	if (recorder_open(&params, &recorder, &err) < 0)
		fail_msg("%s", err.text);
	return recorder;
}

static uint32_t series(struct recorder *recorder, const char *name)
{
	int64_t number = recorder_take(recorder, name, "V", 0);

	assert_true(number >= 0);
	return (uint32_t)number;
}

static void turn(struct recorder *recorder, uint64_t second)
{
	struct enrg_error err = {0};

	if (recorder_turn(recorder, second, &err) < 0)
		fail_msg("%s", err.text);
}

static void finish(struct recorder *recorder)
{
	assert_int_equal(recorder_finish(recorder, NULL), 0);
	recorder_destroy(recorder);
}

/* Seconds [from, to) in which the one series has its second's number modulo 7. */
static void record(struct recorder *recorder, uint64_t from, uint64_t to)
{
	uint32_t number = series(recorder, "a/x");

	for (uint64_t second = from; second < to; second++) {
		turn(recorder, second);
		recorder_set(recorder, number, (double)(second % 7));
	}
}

static struct enrg_history_result *ask(const char *pattern, uint64_t from, uint64_t to, uint32_t points)
{
	const char *const patterns[] = {pattern, NULL};
	const struct enrg_history_query query = {
		.size = sizeof(query), .points = points, .patterns = patterns, .from_ns = from * S, .to_ns = to * S};
	struct enrg_history_result *result = NULL;
	struct enrg_history *history = NULL;

	assert_int_equal(enrg_history_open(folder, &history, NULL), 0);
	assert_int_equal(enrg_history_read(history, &query, &result, NULL), 0);
	enrg_history_close(history);
	assert_true(result->point_count <= points);
	return result;
}

/* Files of a level, and the bytes of all. */
static uint32_t count_files(uint32_t span_s, uint64_t *ret_bytes)
{
	struct enrg_history_part *parts;
	struct stat status;
	uint32_t count, found = 0;
	char path[256];

	assert_int_equal(enrg_history_parts_list(folder, &parts, &count, NULL), 0);
	*ret_bytes = 0;
	for (uint32_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, parts[i].name);
		if (stat(path, &status) == 0)
			*ret_bytes += (uint64_t)status.st_size;
		found += parts[i].span_s == span_s;
	}
	free(parts);
	return found;
}

/* Entries of a series in all files of a level, and blocks. */
static uint32_t count_entries(uint32_t span_s, const char *name, uint32_t *ret_blocks)
{
	struct enrg_history_part *parts;
	struct enrg_history_block block;
	uint32_t count, entries = 0;
	char path[256];

	*ret_blocks = 0;
	assert_int_equal(enrg_history_parts_list(folder, &parts, &count, NULL), 0);
	for (uint32_t i = 0; i < count; i++) {
		struct enrg_history_file *file;

		if (parts[i].span_s != span_s)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, parts[i].name);
		assert_int_equal(enrg_history_file_open(path, &file, NULL), 0);
		for (; enrg_history_file_next(file, 0, &block) == 1; ++*ret_blocks)
			for (uint32_t k = 0; k < block.count; k++)
				entries += !strcmp(enrg_history_file_name(file, block.values[k].series)->name, name);
		enrg_history_file_close(file);
	}
	free(parts);
	return entries;
}

/* --- what is written ---------------------------------------------------------------------------------------------- */

static void what_stands_still(void **state)
{
	struct recorder *recorder = begin(100 * MB);
	uint32_t still = series(recorder, "a/still"), moves = series(recorder, "a/moves"), blocks;

	(void)state;
	for (uint32_t i = 0; i <= 1800; i++) {
		turn(recorder, NOW + i);
		recorder_set(recorder, moves, i);
		if (i == 0 || i % 3 == 0)
			recorder_set(recorder, still, 4.5);
	}
	assert_int_equal(count_entries(1, "a/still", &blocks), 30);
	assert_int_equal(blocks, 1800);
	assert_int_equal(count_entries(1, "a/moves", &blocks), 1800);
	assert_int_equal(count_entries(60, "a/still", &blocks), 1);
	assert_int_equal(count_entries(60, "a/moves", &blocks), 30);
	struct enrg_history_result *result = ask("a/still", NOW, NOW + 1800, 1800);
	for (uint32_t i = 0; i < 1800; i++)
		assert_true(result->series[0]->points[i].mean == 4.5 && result->series[0]->points[i].seconds == 1);
	enrg_history_result_destroy(result);
	finish(recorder);
}

/* Several in a second are a range; what ends is not known any more; what is no number neither. */
static void ranges_and_ends(void **state)
{
	struct recorder *recorder = begin(100 * MB);
	uint32_t x = series(recorder, "a/x");

	(void)state;
	for (uint32_t i = 0; i < 10; i++) {
		turn(recorder, NOW + i);
		if (i == 2)
			for (int k = 1; k <= 4; k++)
				recorder_set(recorder, x, k);
		if (i == 6)
			recorder_end(recorder, x);
		if (i == 8)
			recorder_set(recorder, x, 9);
		if (i == 9)
			recorder_set(recorder, x, NAN);
	}
	finish(recorder);
	struct enrg_history_result *result = ask("a/x", NOW, NOW + 10, 10);
	for (uint32_t i = 0; i < 10; i++) {
		const struct enrg_history_point *point = &result->series[0]->points[i];

		assert_int_equal(point->seconds > 0, (i >= 2 && i < 6) || i == 8);
		if (i == 2)
			assert_true(point->min == 1 && point->mean == 2.5 && point->max == 4);
		if (i > 2 && i < 6)
			assert_true(point->min == 4 && point->max == 4); /* the last one holds */
	}
	enrg_history_result_destroy(result);
}

/* --- kills -------------------------------------------------------------------------------------------------------- */

static void compare_minutes(const struct enrg_history_result *left, const struct enrg_history_result *right)
{
	assert_int_equal(left->point_count, right->point_count);
	for (uint32_t i = 0; i < left->point_count; i++) {
		const struct enrg_history_point *a = &left->series[0]->points[i], *b = &right->series[0]->points[i];

		assert_true(fabs(a->seconds - b->seconds) < 1e-6);
		if (a->seconds > 0)
			assert_true(a->min == b->min && a->max == b->max && fabs(a->mean - b->mean) < 1e-6);
	}
}

/* Killed again and again: each time the open second is missing, and the minutes are those of the seconds. */
static void killed(void **state)
{
	uint64_t second = NOW + 17;

	(void)state;
	for (uint32_t life = 0; life < 12; life++) {
		struct recorder *recorder = begin(100 * MB);
		uint64_t end = second + 1 + 97 * life;

		record(recorder, second, end);
		turn(recorder, end);
		recorder_destroy(recorder); /* nothing is finished */
		second = end + (life % 3) * 40;
	}
	uint64_t to = (second + 59) / 60 * 60;
	struct recorder *recorder = begin(100 * MB);
	turn(recorder, to + 60);
	turn(recorder, to + 61); /* the minute that was left open is over */
	turn(recorder, to + 120);
	recorder_destroy(recorder);
	struct enrg_history_result *seconds = ask("a/x", NOW, to, 100000);
	double known = 0;
	for (uint32_t i = 0; i < seconds->point_count; i++)
		known += seconds->series[0]->points[i].seconds;
	assert_true(known == 12 + 97 * 66);
	enrg_history_result_destroy(seconds);

	uint32_t minutes = (uint32_t)((to - NOW) / 60);
	seconds = ask("a/x", NOW, to, minutes);
	assert_int_equal(seconds->step_ns, 60 * S);
	char command[128];
	snprintf(command, sizeof(command), "rm %s/seconds_*", folder);
	assert_int_equal(system(command), 0);
	struct enrg_history_result *made = ask("a/x", NOW, to, minutes);
	compare_minutes(seconds, made);
	enrg_history_result_destroy(seconds);
	enrg_history_result_destroy(made);
}

/* --- bounds ------------------------------------------------------------------------------------------------------- */

/* Three days of seconds, then a year of minutes: 49 hours and 13 months are kept, and the year can be asked for. */
static void a_year(void **state)
{
	struct recorder *recorder = begin(500 * MB);
	uint32_t x = series(recorder, "a/x");
	uint64_t second = NOW, bytes;

	(void)state;
	for (; second < NOW + 400 * DAY; second += second < NOW + 395 * DAY ? 300 : 4) {
		turn(recorder, second);
		recorder_set(recorder, x, (double)((second - NOW) / DAY));
	}
	assert_int_equal(count_files(1, &bytes), 49);
	assert_int_equal(count_files(60, &bytes), 13);
	finish(recorder);
	struct enrg_history_result *result = ask("a/x", second - 365 * DAY, second, 365);
	assert_int_equal(result->series_count, 1);
	for (uint32_t i = 1; i + 1 < result->point_count; i++) {
		assert_true(result->series[0]->points[i].seconds > 200);
		assert_true(result->series[0]->points[i].max - (i + 35) <= 1.01);
	}
	enrg_history_result_destroy(result);
	result = ask("a/x", second - 2 * DAY, second, 100000); /* the seconds of two days are there */
	for (uint32_t i = 0, known = 0; i < result->point_count; i++) {
		known += result->series[0]->points[i].seconds > 0;
		if (i + 1 == result->point_count)
			assert_in_range(known, 2 * DAY / 4 - 10, 2 * DAY);
	}
	enrg_history_result_destroy(result);
}

/* Never more than the bound; the oldest seconds go first, minutes stay. */
static void a_small_bound(void **state)
{
	struct recorder *recorder = begin(2 * MB);
	struct bound_report report;
	uint64_t bytes;
	char name[32];

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "a/%u", i);
		assert_int_equal(series(recorder, name), i);
	}
	for (uint64_t second = NOW; second < NOW + 3 * HOUR; second++) {
		turn(recorder, second);
		for (uint32_t i = 0; i < 100; i++)
			recorder_set(recorder, i, (double)second * (i + 1));
		if (second % 61 == 0) {
			count_files(1, &bytes);
			assert_in_range(bytes, 0, 2 * MB);
		}
	}
	count_files(1, &bytes);
	assert_in_range(bytes, 1.6 * MB, 2 * MB);
	recorder_get_report(recorder, &report);
	assert_true(report.early_seconds > 10 && report.early_minutes == 0);
	assert_int_equal(report.minutes_from_ns, 1793491200 * S); /* November */
	finish(recorder);
	struct enrg_history_result *result = ask("a/7", NOW, NOW + 3 * HOUR, 180);
	for (uint32_t i = 0; i < 180; i++)
		assert_true(result->series[0]->points[i].seconds > 58);
	enrg_history_result_destroy(result);
}

/* --- faults ------------------------------------------------------------------------------------------------------- */

/* No file may grow: what is there is whole, it is tried again after some seconds, and goes on. */
static void a_full_disk(void **state)
{
	struct recorder *recorder = begin(100 * MB);
	struct rlimit limit = {.rlim_cur = 2000, .rlim_max = RLIM_INFINITY}, none;
	struct enrg_error err = {0};
	uint32_t failed = 0, written = 0, x = series(recorder, "a/x");

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &none), 0);
	limit.rlim_max = none.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (uint32_t i = 0; i < 400; i++) {
		if (i == 100)
			limit.rlim_cur = 60; /* not even a head and a name */
		if (i == 200)
			limit = none;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		int rc = recorder_turn(recorder, NOW + i, &err);
		setrlimit(RLIMIT_FSIZE, &none);
		recorder_set(recorder, x, i);
		failed += rc < 0;
		written += rc == 1;
		assert_true(rc >= 0 || (rc == -EFBIG && strstr(err.text, "can't write")));
		assert_true(rc >= 0 || i < 212);
	}
	assert_in_range(failed, 5, 60);
	assert_in_range(written, 200, 390);
	finish(recorder);
	struct enrg_history_result *result = ask("a/x", NOW, NOW + 400, 400);
	for (uint32_t i = 0; i < 400; i++) {
		const struct enrg_history_point *point = &result->series[0]->points[i];

		assert_true(point->seconds > 0 || i < 212);
		assert_true(!(point->seconds > 0) || point->mean == i);
	}
	enrg_history_result_destroy(result);
}

/* The clock goes back by an hour and a half, and forward by a year for a minute. */
static void a_clock_that_is_set(void **state)
{
	struct recorder *recorder = begin(100 * MB);
	uint64_t bytes;

	(void)state;
	record(recorder, NOW, NOW + HOUR);
	record(recorder, NOW - 1800, NOW + HOUR + 600);
	record(recorder, NOW + 365 * DAY, NOW + 365 * DAY + 60);
	record(recorder, NOW + HOUR + 600, NOW + 2 * HOUR);
	finish(recorder);
	struct enrg_history_result *result = ask("a/x", NOW - 1800, NOW + 2 * HOUR, 150);
	for (uint32_t i = 0; i < 150; i++) {
		const struct enrg_history_point *point = &result->series[0]->points[i];
		bool is_twice = i >= 30 && i < 90;

		assert_true(point->min == 0 && point->max == 6 && fabs(point->mean - 3) < 0.2);
		assert_true(fabs(point->seconds - (is_twice ? 120 : 60)) < 2.1);
	}
	enrg_history_result_destroy(result);
	assert_int_equal(count_files(1, &bytes), 6);
	assert_in_range(count_files(60, &bytes), 1, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_stands_still, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ranges_and_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(killed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_year, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_small_bound, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_disk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_clock_that_is_set, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

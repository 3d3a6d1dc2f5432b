/* history_test.c: files of a history: what is written is read; torn, cut, damaged and foreign bytes; values that hold,
 * end and come in parts; bins from seconds and from minutes. */
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

#define S   1000000000ull
#define NOW (1795845600ull * S) /* 2026-11-28T06:00:00Z */

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

static void path_of(const char *name, char ret_path[256])
{
	snprintf(ret_path, 256, "%s/%s", folder, name);
}

static struct enrg_history_writer *begin(uint32_t span_s, uint32_t number, uint64_t time_ns)
{
	struct enrg_history_writer *writer = NULL;
	struct enrg_history_part part;
	char path[256];

	assert_int_equal(enrg_history_part_set(&part, span_s, number, time_ns), 0);
	path_of(part.name, path);
	const struct enrg_history_writer_params params = {.size = sizeof(params),
		.span_s = span_s,
		.path = path,
		.supervisor = "lab",
		.job = "history",
		.time_ns = time_ns};
	assert_int_equal(enrg_history_writer_open(&params, &writer, NULL), 0);
	return writer;
}

static void name(struct enrg_history_writer *writer, uint32_t series, const char *text, const char *unit)
{
	const struct enrg_history_name a_name = {.series = series, .name = text, .unit = unit};

	assert_int_equal(enrg_history_writer_name(writer, &a_name), 0);
}

static void put(struct enrg_history_writer *writer, uint32_t series, double value, uint32_t seconds)
{
	const struct enrg_history_value a_value = {series, seconds, value, value, value};

	assert_int_equal(enrg_history_writer_put(writer, &a_value), 0);
}

static void commit(struct enrg_history_writer *writer, uint64_t time_ns)
{
	assert_int_equal(enrg_history_writer_commit(writer, time_ns, NULL), 0);
}

static struct enrg_history_result *ask(const char *pattern, uint64_t from_ns, uint64_t to_ns, uint32_t points)
{
	const char *const patterns[] = {pattern, NULL};
	const struct enrg_history_query query = {
		.size = sizeof(query), .points = points, .patterns = patterns, .from_ns = from_ns, .to_ns = to_ns};
	struct enrg_history_result *result = NULL;
	struct enrg_history *history = NULL;
	struct enrg_error err = {0};

	assert_int_equal(enrg_history_open(folder, &history, &err), 0);
	if (enrg_history_read(history, &query, &result, &err) < 0)
		fail_msg("%s", err.text);
	enrg_history_close(history);
	assert_true(result->point_count <= points);
	return result;
}

static void is_near(double value, double expected)
{
	if (!(fabs(value - expected) < 1e-6 * (1 + fabs(expected))))
		fail_msg("%.12g is not %.12g", value, expected);
}

/* --- values ------------------------------------------------------------------------------------------------------- */

static const double kinds[] = {
	0, 1, -1, 63, 64, -64, 1e15, -9007199254740991.0, 9007199254740992.0, 0.5, 0.1, -1e300, 1e-30};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Every kind of number, alone and as a range, comes back as it was. */
static void values_come_back(void **state)
{
	struct enrg_history_writer *writer = begin(60, 1, NOW);
	struct enrg_history_file *file;
	struct enrg_history_block block;
	char path[256], text[32];

	(void)state;
	for (uint32_t i = 0; i < KINDS; i++) {
		struct enrg_history_value value = {1000 * i, i % 2 ? 60 : 7, kinds[i], kinds[i], kinds[i]};

		snprintf(text, sizeof(text), "s%u", i);
		name(writer, 1000 * i, text, "mV");
		if (i % 3 == 0) {
			value.max += fabs(kinds[i]) * 0.5 + 1;
			value.mean = value.min + (value.max - value.min) / 4;
		}
		assert_int_equal(enrg_history_writer_put(writer, &value), 0);
		assert_int_equal(enrg_history_writer_put(writer, &value), -EINVAL); /* not ascending */
	}
	commit(writer, NOW);
	assert_int_equal(enrg_history_writer_put(writer, &(struct enrg_history_value){5, 1, NAN, 0, 0}), -EINVAL);
	assert_int_equal(enrg_history_writer_put(writer, &(struct enrg_history_value){5, 61, 0, 0, 0}), -EINVAL);
	enrg_history_writer_close(writer);
	path_of("minutes_00000001_202611Z.history", path);
	assert_int_equal(enrg_history_file_open(path, &file, NULL), 0);
	assert_int_equal(enrg_history_file_next(file, 0, &block), 1);
	assert_int_equal(block.count, KINDS);
	for (uint32_t i = 0; i < KINDS; i++) {
		const struct enrg_history_value *value = &block.values[i];

		assert_int_equal(value->series, 1000 * i);
		assert_int_equal(value->seconds, i % 2 ? 60 : 7);
		assert_true(value->min == kinds[i]);
		is_near(value->max, i % 3 ? kinds[i] : kinds[i] + fabs(kinds[i]) * 0.5 + 1);
		is_near(value->mean, value->min + (value->max - value->min) / 4);
		assert_string_equal(enrg_history_file_name(file, value->series)->unit, "mV");
	}
	assert_int_equal(enrg_history_file_next(file, 0, &block), 0);
	enrg_history_file_close(file);
}

/* --- bytes -------------------------------------------------------------------------------------------------------- */

#define BLOCKS 5u

static size_t write_file(uint64_t ends[BLOCKS])
{
	struct enrg_history_writer *writer = begin(1, 1, NOW);

	name(writer, 3, "dice/rows", "rows");
	for (unsigned i = 0; i < BLOCKS; i++) {
		put(writer, 3, i, 1);
		commit(writer, NOW + i * S);
		ends[i] = enrg_history_writer_bytes(writer);
	}
	enrg_history_writer_close(writer);
	return ends[BLOCKS - 1];
}

static void read_bytes(uint8_t *bytes, size_t count)
{
	char path[256];

	path_of("seconds_00000001_20261128T06Z.history", path);
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(descriptor, bytes, count), count);
	close(descriptor);
}

/* How many blocks are read of these bytes; -1: it is no file. */
static int count_blocks(const uint8_t *bytes, size_t count)
{
	struct enrg_history_file *file;
	struct enrg_history_block block;
	char path[256];
	int blocks = 0;

	path_of("changed", path);
	int descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(descriptor, bytes, count), count);
	close(descriptor);
	if (enrg_history_file_open(path, &file, NULL) < 0)
		return -1;
	while (enrg_history_file_next(file, 0, &block) == 1) {
		assert_int_equal(block.time_ns, NOW + (unsigned)blocks * S);
		assert_true(block.count == 1 && block.values[0].min == blocks);
		blocks++;
	}
	enrg_history_file_close(file);
	return blocks;
}

/* Cut anywhere, and with any byte another one: what is whole before it is read, nothing else. */
static void cut_and_damaged(void **state)
{
	static uint8_t bytes[4096];
	uint64_t ends[BLOCKS];
	size_t count = write_file(ends);
	uint32_t head;

	(void)state;
	read_bytes(bytes, count);
	memcpy(&head, bytes + 4, sizeof(head));
	for (size_t at = 0; at < count; at++) {
		int whole = at < head + 32 ? -1 : 0;

		for (unsigned i = 0; i < BLOCKS && ends[i] <= at; i++)
			whole = (int)i + 1;
		assert_int_equal(count_blocks(bytes, at), whole);
		bytes[at] ^= 0x41;
		assert_int_equal(count_blocks(bytes, count), whole);
		bytes[at] ^= 0x41;
	}
	memcpy(bytes + count, bytes + ends[0], ends[1] - ends[0]); /* a whole block of elsewhere has another number */
	assert_int_equal(count_blocks(bytes, count + ends[1] - ends[0]), BLOCKS);
	memset(bytes + count, 0, 100);
	assert_int_equal(count_blocks(bytes, count + 100), BLOCKS);
}

/* What does not fit leaves nothing behind, and may be tried again. */
static void a_write_that_fails(void **state)
{
	struct enrg_history_writer *writer = begin(1, 1, NOW);
	struct rlimit none, limit;
	struct enrg_history_file *file;
	struct enrg_history_block block;
	struct enrg_error err = {0};
	char path[256];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &none), 0);
	name(writer, 0, "a/x", "");
	put(writer, 0, 1, 1);
	limit = none;
	limit.rlim_cur = enrg_history_writer_bytes(writer) + 10;
	setrlimit(RLIMIT_FSIZE, &limit);
	int rc = enrg_history_writer_commit(writer, NOW, &err);
	setrlimit(RLIMIT_FSIZE, &none);
	assert_int_equal(rc, -EFBIG);
	assert_non_null(strstr(err.text, "can't write: File too large"));
	commit(writer, NOW);
	commit(writer, NOW + S);
	enrg_history_writer_close(writer);
	path_of("seconds_00000001_20261128T06Z.history", path);
	assert_int_equal(enrg_history_file_open(path, &file, NULL), 0);
	assert_int_equal(enrg_history_file_next(file, 0, &block), 1);
	assert_int_equal(block.count, 1);
	assert_int_equal(enrg_history_file_next(file, 0, &block), 1);
	assert_int_equal(block.count, 0);
	enrg_history_file_close(file);
}

/* A reader that stands at the end goes on when there is more. */
static void a_file_that_grows(void **state)
{
	struct enrg_history_writer *writer = begin(1, 1, NOW);
	struct enrg_history_file *file;
	struct enrg_history_block block;
	char path[256];

	(void)state;
	path_of("seconds_00000001_20261128T06Z.history", path);
	assert_int_equal(enrg_history_file_open(path, &file, NULL), 0);
	assert_int_equal(enrg_history_file_next(file, 0, &block), 0);
	for (unsigned i = 0; i < 3; i++) {
		commit(writer, NOW + i * S);
		assert_int_equal(enrg_history_file_next(file, 0, &block), 1);
		assert_int_equal(block.time_ns, NOW + i * S);
		assert_int_equal(enrg_history_file_next(file, 0, &block), 0);
	}
	enrg_history_file_close(file);
	enrg_history_writer_close(writer);
}

/* --- bins --------------------------------------------------------------------------------------------------------- */

/* A value holds for 60 spans behind its own, a part for none, and an end ends it. */
static void what_is_known_when(void **state)
{
	struct enrg_history_writer *writer = begin(1, 1, NOW);

	(void)state;
	name(writer, 0, "a/holds", "");
	name(writer, 1, "a/ends", "");
	name(writer, 2, "a/range", "");
	for (unsigned i = 0; i < 100; i++) {
		if (i == 0)
			put(writer, 0, 5, 1);
		if (i == 10 || i == 20)
			put(writer, 1, i, i == 20 ? 0 : 1);
		if (i == 30)
			assert_int_equal(
				enrg_history_writer_put(writer, &(struct enrg_history_value){2, 1, 1, 2, 4}), 0);
		if (i != 50) /* the recorder was away */
			commit(writer, NOW + i * S);
	}
	enrg_history_writer_close(writer);
	struct enrg_history_result *result = ask("a/*", NOW, NOW + 100 * S, 1000);
	assert_int_equal(result->point_count, 100);
	assert_int_equal(result->series_count, 3);
	assert_string_equal(result->series[0]->name, "a/ends");
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(result->series[0]->points[i].seconds > 0, i >= 10 && i < 20);
		assert_int_equal(result->series[1]->points[i].seconds > 0, i <= 60 && i != 50);
		assert_int_equal(result->series[2]->points[i].seconds > 0, i == 30);
	}
	is_near(result->series[2]->points[30].mean, 2);
	enrg_history_result_destroy(result);
	/* who begins in the middle knows what holds */
	result = ask("a/holds", NOW + 55 * S, NOW + 60 * S, 1);
	assert_int_equal(result->point_count, 1);
	is_near(result->series[0]->points[0].seconds, 5);
	enrg_history_result_destroy(result);
	result = ask("b/*", NOW, NOW + 100 * S, 10);
	assert_int_equal(result->series_count, 0);
	enrg_history_result_destroy(result);
}

/* Never more points than asked, whole seconds or minutes, nothing asked for is left out. */
static void bins_are_few(void **state)
{
	enrg_history_writer_close(begin(1, 1, NOW));
	(void)state;
	for (uint64_t span = 1; span < 4000000; span = span * 2 + 7)
		for (uint32_t points = 1; points < 3000; points = points * 3 + 1) {
			uint64_t from_ns = NOW + span * 1234567891, to_ns = from_ns + span * S + 5;
			struct enrg_history_result *result = ask("x", from_ns, to_ns, points);

			assert_true(result->from_ns <= from_ns);
			assert_true(result->from_ns + result->point_count * result->step_ns >= to_ns);
			assert_int_equal(result->step_ns % (result->step_ns < 60 * S ? S : 60 * S), 0);
			enrg_history_result_destroy(result);
		}
}

/* Two hours: minutes of all, seconds of the second hour and of the last minute. The same figures, whichever are taken.
 */
static void seconds_and_minutes(void **state)
{
	struct enrg_history_writer *minutes = begin(60, 1, NOW), *seconds = begin(1, 1, NOW + 3600 * S);

	(void)state;
	name(minutes, 7, "a/saw", "V");
	name(seconds, 2, "a/saw", "V");
	for (unsigned i = 0; i < 7199; i++) {
		if (i >= 3600) {
			put(seconds, 2, i % 60, 1);
			commit(seconds, NOW + i * S);
		}
		if (i % 60 == 59) {
			const struct enrg_history_value value = {7, 60, 0, 29.5, 59};
			assert_int_equal(enrg_history_writer_put(minutes, &value), 0);
			commit(minutes, NOW + (i - 59) * S);
		}
	}
	enrg_history_writer_close(minutes);
	enrg_history_writer_close(seconds);
	for (uint32_t points = 1; points <= 120; points++) {
		struct enrg_history_result *result = ask("a/saw", NOW, NOW + 7200 * S, points);
		double known = 0;

		assert_int_equal(result->series_count, 1);
		for (uint32_t i = 0; i < result->point_count; i++) {
			const struct enrg_history_point *point = &result->series[0]->points[i];

			known += point->seconds;
			if (i + 1 < result->point_count) {
				is_near(point->seconds, (double)(result->step_ns / S));
				is_near(point->mean, 29.5);
				assert_true(point->min == 0 && point->max == 59);
			}
		}
		is_near(known, 7199);
		enrg_history_result_destroy(result);
	}
	struct enrg_history_result *result = ask("a/saw", NOW + 3590 * S, NOW + 3610 * S, 20);
	is_near(result->series[0]->points[0].mean, 29.5); /* of its minute */
	is_near(result->series[0]->points[15].mean, 5);
	enrg_history_result_destroy(result);
}

/* The clock went back: both files speak of the same time. */
static void two_of_one_time(void **state)
{
	(void)state;
	for (uint32_t number = 1; number <= 2; number++) {
		struct enrg_history_writer *writer = begin(1, number, NOW);

		name(writer, number, "a/x", "");
		put(writer, number, number, 1);
		for (unsigned i = 0; i < 10; i++)
			commit(writer, NOW + i * S);
		enrg_history_writer_close(writer);
	}
	struct enrg_history_result *result = ask("a/x", NOW, NOW + 10 * S, 1);
	is_near(result->series[0]->points[0].min, 1);
	is_near(result->series[0]->points[0].max, 2);
	is_near(result->series[0]->points[0].mean, 1.5);
	enrg_history_result_destroy(result);
}

/* --- the folder --------------------------------------------------------------------------------------------------- */

static void lists(void **state)
{
	struct enrg_history *history;
	struct enrg_history_list *list;
	struct enrg_error err = {0};
	char path[256];

	(void)state;
	assert_int_equal(enrg_history_open(folder, &history, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no history is there"));
	struct enrg_history_writer *writer = begin(1, 1, NOW);
	name(writer, 0, "b/two", "mV");
	name(writer, 1, "a/\033[2J", "s");
	put(writer, 0, 1, 1);
	commit(writer, NOW + 5 * S);
	enrg_history_writer_close(writer);
	path_of("seconds_00000002_20261128T06Z.history", path); /* foreign bytes in a name of ours */
	assert_int_equal(mkdir(path, 0700), 0);
	path_of("seconds_2_20261128T06Z.history", path);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_int_equal(enrg_history_open(folder, &history, &err), 0);
	assert_int_equal(enrg_history_list_series(history, NULL, &list, &err), 0);
	assert_int_equal(list->count, 2);
	assert_string_equal(list->entries[0]->name, "a/ [2J");
	assert_string_equal(list->entries[1]->unit, "mV");
	assert_int_equal(list->entries[1]->first_ns, NOW);
	assert_int_equal(list->entries[1]->last_ns, NOW + 6 * S);
	enrg_history_list_destroy(list);
	assert_int_equal(enrg_history_list_series(history, "*two", &list, &err), 0);
	assert_int_equal(list->count, 1);
	enrg_history_list_destroy(list);
	enrg_history_close(history);
}

/* Hours and months, also the last of a year; other names are no parts. */
static void parts(void **state)
{
	struct enrg_history_part part, *list;
	char path[256];
	uint32_t count;

	(void)state;
	assert_int_equal(enrg_history_part_set(&part, 60, 12, 1798761599ull * S), 0);
	assert_string_equal(part.name, "minutes_00000012_202612Z.history");
	assert_int_equal(part.to_ns, 1798761600ull * S);
	assert_int_equal(part.to_ns - part.from_ns, 31 * 86400 * S);
	assert_int_equal(enrg_history_part_set(&part, 1, 1, UINT64_MAX), -EINVAL);
	assert_int_equal(enrg_history_part_set(&part, 2, 1, NOW), -EINVAL);
	static const char *const names[] = {"seconds_00000010_20261128T06Z.history",
		"seconds_00000009_20261129T06Z.history", "minutes_00000001_202611Z.history",
		"seconds_00000010_20261128T06Z.history~", "seconds_00000010_20261328T06Z.history",
		"seconds_00000010_20260230T06Z.history", "seconds_0000001x_20261128T06Z.history",
		"minutes_00000001_202600Z.history", "x"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_of(names[i], path);
		close(open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	}
	assert_int_equal(enrg_history_parts_list(folder, &list, &count, NULL), 0);
	assert_int_equal(count, 3);
	assert_string_equal(list[0].name, names[1]);
	assert_string_equal(list[1].name, names[0]);
	assert_string_equal(list[2].name, names[2]);
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(values_come_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cut_and_damaged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_write_that_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_grows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_known_when, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bins_are_few, set_up, tear_down),
		cmocka_unit_test_setup_teardown(seconds_and_minutes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_of_one_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lists, set_up, tear_down),
		cmocka_unit_test_setup_teardown(parts, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

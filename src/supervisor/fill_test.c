/* fill_test.c: disks that fill fast, slowly, not at all, and in one go. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "supervisor/fill.h"

#define S     1000000000ull
#define TOTAL (200000 * MB)
#define MB    1000000ull

/* So many seconds at that rate, looked at each ten; how many looks found it short. */
static unsigned pass(struct fill *fill, uint64_t *free_bytes, uint64_t bytes_per_s, unsigned seconds, uint64_t *now_ns)
{
	unsigned found = 0;

	for (unsigned i = 0; i < seconds; i += 10) {
		fill_look(fill, *free_bytes, TOTAL, *now_ns);
		found += fill->is_short;
		*free_bytes -= 10 * bytes_per_s < *free_bytes ? 10 * bytes_per_s : *free_bytes;
		*now_ns += 10 * S;
	}
	return found;
}

static void full_within_the_hour(void **state)
{
	struct fill fill = {0};
	uint64_t free_bytes = 20000 * MB, now_ns = 1000 * S;

	(void)state;
	/* 10 MB/s: 33 minutes */
	assert_int_equal(pass(&fill, &free_bytes, 10 * MB, 120, &now_ns), 0); /* two minutes are to be known */
	assert_true(pass(&fill, &free_bytes, 10 * MB, 60, &now_ns) > 0);
	assert_in_range((uint64_t)fill.full_s, 1500, 2000);
	assert_in_range((uint64_t)fill.bytes_per_s, 9 * MB, 11 * MB);
	/* somebody makes room */
	free_bytes = 100000 * MB;
	fill_look(&fill, free_bytes, TOTAL, now_ns);
	assert_false(fill.is_short);
}

static void far_from_full(void **state)
{
	struct fill fill = {0};
	uint64_t free_bytes = 100000 * MB, now_ns = 1000 * S;

	(void)state;
	assert_int_equal(pass(&fill, &free_bytes, MB, 3600, &now_ns), 0); /* a day */
	assert_int_equal(pass(&fill, &free_bytes, 0, 3600, &now_ns), 0);
	assert_true(fill.full_s < 0 || fill.full_s > 1e6);
}

/* A file of ten gigabytes that somebody copies there is no rate. */
static void in_one_go(void **state)
{
	struct fill fill = {0};
	uint64_t free_bytes = 50000 * MB, now_ns = 1000 * S;

	(void)state;
	assert_int_equal(pass(&fill, &free_bytes, MB, 600, &now_ns), 0);
	free_bytes -= 10000 * MB;
	assert_int_equal(pass(&fill, &free_bytes, MB, 600, &now_ns), 0);
}

/* At the limit it is not told, taken back and told again. */
static void around_the_limit(void **state)
{
	struct fill fill = {0};
	uint64_t free_bytes = 36500 * MB, now_ns = 1000 * S;
	unsigned changes = 0;
	bool was_short = false;

	(void)state;
	for (unsigned i = 0; i < 360; i++) {
		/* the rate goes up and down by a tenth, the free space stays at an hour of it */
		uint64_t rate = 10 * MB + (i % 12 < 6 ? MB : 0);
		(void)pass(&fill, &free_bytes, rate, 10, &now_ns);
		free_bytes += 10 * rate - MB;
		changes += fill.is_short != was_short;
		was_short = fill.is_short;
	}
	assert_true(changes <= 1);
}

/* One that is full does not fill any more, and one whose stores wait for room neither. */
static void full_is_no_end(void **state)
{
	struct fill fill = {0};
	uint64_t free_bytes = 3000 * MB, now_ns = 1000 * S;

	(void)state;
	(void)pass(&fill, &free_bytes, 10 * MB, 180, &now_ns);
	assert_true(fill.is_short && !fill.is_full);
	assert_int_equal(pass(&fill, &free_bytes, 0, 3600, &now_ns), 360); /* the stores wait */
	free_bytes = 0;
	assert_int_equal(pass(&fill, &free_bytes, 0, 3600, &now_ns), 360);
	assert_true(fill.is_full);
	free_bytes = TOTAL / 5;
	assert_int_equal(pass(&fill, &free_bytes, 0, 60, &now_ns), 0);
	free_bytes = TOTAL / 30; /* little is free, and it stays so: no news */
	assert_int_equal(pass(&fill, &free_bytes, 0, 3600, &now_ns), 0);
	free_bytes = 0; /* at once */
	fill_look(&fill, free_bytes, TOTAL, now_ns);
	assert_true(fill.is_short);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_within_the_hour),
		cmocka_unit_test(far_from_full),
		cmocka_unit_test(in_one_go),
		cmocka_unit_test(around_the_limit),
		cmocka_unit_test(full_is_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

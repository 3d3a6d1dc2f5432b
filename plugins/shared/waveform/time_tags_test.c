/* time_tags_test.c: tags as a board gives them, unwrapped: over the roll-over, over pauses of many periods, and behind
 * a host that was held up. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "waveform/time_tags.h"

#define NS_PER_S UINT64_C(1000000000)
#define PERIOD   (UINT64_C(8) << 31) /* ns: 17.18 s */

static struct time_tags_format caen(void)
{
	return TIME_TAGS_CAEN;
}

/* What the board says at a time, bit 31 set as on roll-overs. */
static uint64_t tag_at(uint64_t ns)
{
	return (ns / 8 & 0x7fffffff) | UINT64_C(0x80000000);
}

static void test_roll_over(void **state)
{
	const struct time_tags_format format = caen();
	struct time_tags tags;
	bool is_chosen;

	(void)state;
	time_tags_init(&tags, &format);
	for (uint64_t ns = 0; ns < 3 * PERIOD; ns += 800000008) {
		assert_int_equal(time_tags_unwrap(&tags, tag_at(ns), ns, ns + 1000, &is_chosen), ns);
		assert_false(is_chosen);
	}
	assert_int_equal(tags.roll_overs, 2);
	assert_int_equal(tags.chosen, 0);
	/* two records of one tick */
	uint64_t last = time_tags_unwrap(&tags, 5, 0, 0, &is_chosen);
	assert_int_equal(time_tags_unwrap(&tags, 5, 0, 0, &is_chosen), last);
}

/* The host polls each ms; its clock is off by 50 ppm. */
static void test_pauses(void **state)
{
	static const uint64_t pauses_s[] = {1, 8, 9, 17, 18, 30, 60, 3600, 86400};
	const struct time_tags_format format = caen();
	struct time_tags tags;
	uint64_t ns = 5 * NS_PER_S;
	bool is_chosen;

	(void)state;
	time_tags_init(&tags, &format);
	for (size_t i = 0; i < sizeof(pauses_s) / sizeof(pauses_s[0]); i++) {
		ns += pauses_s[i] * NS_PER_S;
		uint64_t host = ns + ns / 20000;
		assert_int_equal(time_tags_unwrap(&tags, tag_at(ns), host - 1000000, host, &is_chosen), ns);
		assert_int_equal(is_chosen, pauses_s[i] * NS_PER_S > PERIOD);
	}
	assert_int_equal(tags.roll_overs, ns / PERIOD);
}

/* For 40 s nobody read: what lay in the board's memory is not moved to when it was read. */
static void test_late_reading(void **state)
{
	const struct time_tags_format format = caen();
	struct time_tags tags;
	bool is_chosen;

	(void)state;
	time_tags_init(&tags, &format);
	(void)time_tags_unwrap(&tags, tag_at(NS_PER_S), NS_PER_S, NS_PER_S + 1000, &is_chosen);
	for (uint64_t ns = NS_PER_S + 2000; ns < 2 * NS_PER_S; ns += NS_PER_S / 4) {
		assert_int_equal(
			time_tags_unwrap(&tags, tag_at(ns), NS_PER_S + 1000, 41 * NS_PER_S, &is_chosen), ns / 8 * 8);
		assert_false(is_chosen);
	}
	/* then it is empty, and a trigger comes at once: 40 s after the last one, which the host's clock can't tell
	 * apart from 6 s and 23 s after it other than by having seen the board empty */
	assert_int_equal(
		time_tags_unwrap(&tags, tag_at(41 * NS_PER_S + 80), 0, 41 * NS_PER_S + 1000, &is_chosen) % PERIOD,
		(41 * NS_PER_S + 80) % PERIOD);
}

/* The first tag after the start of a run, whole periods after the reset. */
static void test_first_tag_is_late(void **state)
{
	const struct time_tags_format format = caen();
	struct time_tags tags;
	bool is_chosen;

	(void)state;
	time_tags_init(&tags, &format);
	uint64_t ns = 100 * NS_PER_S;
	assert_int_equal(time_tags_unwrap(&tags, tag_at(ns), ns - 5000000, ns, &is_chosen), ns);
	assert_true(is_chosen);
}

/* An x742 counts 8.53 ns; 30 bits. An extended tag of 48 bits never rolls over. */
static void test_other_boards(void **state)
{
	const struct time_tags_format x742 = {.bits = 30, .tick_ns_num = 128, .tick_ns_den = 15};
	const struct time_tags_format extended = {.bits = 48, .tick_ns_num = 8, .tick_ns_den = 1};
	struct time_tags tags;
	bool is_chosen;

	(void)state;
	time_tags_init(&tags, &x742);
	assert_int_equal(time_tags_unwrap(&tags, 15, 0, 0, &is_chosen), 128);
	assert_int_equal(time_tags_unwrap(&tags, 14, 0, 0, &is_chosen), ((UINT64_C(1) << 30) + 14) * 128 / 15);
	time_tags_init(&tags, &extended);
	assert_int_equal(time_tags_unwrap(&tags, UINT64_C(1) << 47, 0, 0, &is_chosen), UINT64_C(1) << 50);
}

static void test_counter(void **state)
{
	(void)state;
	assert_int_equal(counter_unwrap(0, 5, 24), 5);
	assert_int_equal(counter_unwrap(0xfffffe, 1, 24), 0x1000001);
	assert_int_equal(counter_unwrap(0x1000001, 1, 24), 0x1000001);
	assert_int_equal(counter_unwrap(0x1000001, 0, 24), 0x2000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roll_over),
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_late_reading),
		cmocka_unit_test(test_first_tag_is_late),
		cmocka_unit_test(test_other_boards),
		cmocka_unit_test(test_counter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* flow_test.c: what counts as silence, over hours of sources of every kind in moments. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "supervisor/flow.h"

#define S 1000000000ull

static uint64_t seed;

static double uniform(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return ((double)(seed >> 11) + 0.5) / 9007199254740992.0;
}

/* A source that sends at random moments, on average `hz` a second, looked at each second; how often it was called
 * silent in that time. */
static unsigned watch_poisson(struct flow *flow, double hz, uint64_t seconds, uint64_t least_ns, uint64_t *now_ns)
{
	uint64_t batches = flow->batches, last_ns = 0, end_ns = *now_ns + seconds * S;
	double next_ns = (double)*now_ns - log(uniform()) / hz * 1e9;
	unsigned alarms = 0;
	bool was_silent = false;

	for (; *now_ns < end_ns; *now_ns += S) {
		for (; next_ns <= (double)*now_ns; next_ns -= log(uniform()) / hz * 1e9) {
			batches++;
			last_ns = (uint64_t)next_ns;
		}
		flow_look(flow, batches, last_ns, true, *now_ns);
		bool is_silent = flow_is_silent(flow, least_ns, *now_ns);
		alarms += is_silent && !was_silent;
		was_silent = is_silent;
	}
	return alarms;
}

/* 200 sources at 0.1 Hz for an hour. */
static void no_false_alarm_of_rare_events(void **state)
{
	(void)state;
	for (uint64_t source = 1; source <= 200; source++) {
		struct flow flow = {0};
		uint64_t now_ns = 1000 * S;

		seed = source * 1000003;
		assert_int_equal(watch_poisson(&flow, 0.1, 3600, 180 * S, &now_ns), 0);
		assert_in_range(flow_interval(&flow), 3 * S, 13 * S);
	}
}

static void silence_of_a_fast_source_is_seen(void **state)
{
	struct flow flow = {0};
	uint64_t now_ns = 1000 * S, since_ns;

	(void)state;
	seed = 7;
	assert_int_equal(watch_poisson(&flow, 1000, 60, 180 * S, &now_ns), 0);
	assert_in_range(flow_interval(&flow), S / 2000, S / 500);
	since_ns = now_ns;
	while (!flow_is_silent(&flow, 180 * S, now_ns)) {
		now_ns += S;
		flow_look(&flow, flow.batches, 0, true, now_ns);
	}
	assert_in_range((now_ns - since_ns) / S, 179, 182);
	flow_look(&flow, flow.batches + 1, now_ns, true, now_ns);
	assert_false(flow_is_silent(&flow, 180 * S, now_ns));
}

/* One batch an hour is no silence, and a day without one is. */
static void a_slow_source_has_its_time(void **state)
{
	struct flow flow = {0};
	uint64_t now_ns = 1000 * S;

	(void)state;
	for (uint64_t batches = 0; batches <= 30; batches++) {
		flow_look(&flow, batches, now_ns, true, now_ns);
		now_ns += 3600 * S;
		flow_look(&flow, batches, 0, true, now_ns);
		assert_false(flow_is_silent(&flow, 180 * S, now_ns));
	}
	assert_int_equal(flow_interval(&flow), 3600 * S);
	now_ns += 8 * 3600 * S;
	assert_false(flow_is_silent(&flow, 180 * S, now_ns));
	now_ns += 2 * 3600 * S;
	assert_true(flow_is_silent(&flow, 180 * S, now_ns));
}

/* Before it is known how often it sends there is no silence. */
static void it_is_learned_after_twenty_batches(void **state)
{
	struct flow flow = {0};
	uint64_t now_ns = 1000 * S;

	(void)state;
	for (uint64_t batches = 1; batches <= FLOW_LEARNED; batches++, now_ns += S)
		flow_look(&flow, batches, now_ns, true, now_ns);
	assert_int_equal(flow_interval(&flow), 0);
	assert_false(flow_is_silent(&flow, 180 * S, now_ns + 3600 * S));
	flow_look(&flow, FLOW_LEARNED + 1, now_ns, true, now_ns);
	assert_int_equal(flow_interval(&flow), S);
	assert_true(flow_is_silent(&flow, 180 * S, now_ns + 3600 * S));
}

/* Between runs, while it is stopped, and while the machine stood still. */
static void time_in_which_it_need_not_deliver_does_not_count(void **state)
{
	struct flow flow = {0};
	uint64_t now_ns = 1000 * S;

	(void)state;
	for (uint64_t batches = 1; batches <= 30; batches++, now_ns += S)
		flow_look(&flow, batches, now_ns, true, now_ns);
	flow_look(&flow, 30, 0, false, now_ns);
	now_ns += 10000 * S;
	assert_false(flow_is_silent(&flow, 180 * S, now_ns));
	flow_look(&flow, 30, 0, true, now_ns); /* the next run */
	assert_false(flow_is_silent(&flow, 180 * S, now_ns + 100 * S));
	assert_true(flow_is_silent(&flow, 180 * S, now_ns + 181 * S));
	now_ns += 100 * S;
	flow_look(&flow, 31, now_ns, true, now_ns);
	assert_int_equal(flow_interval(&flow), S); /* the pause was no interval */
	now_ns += 5000 * S;
	flow_forgive(&flow, now_ns);
	assert_false(flow_is_silent(&flow, 180 * S, now_ns + 100 * S));
	assert_true(flow_is_silent(&flow, 180 * S, now_ns + 181 * S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_false_alarm_of_rare_events),
		cmocka_unit_test(silence_of_a_fast_source_is_seen),
		cmocka_unit_test(a_slow_source_has_its_time),
		cmocka_unit_test(it_is_learned_after_twenty_batches),
		cmocka_unit_test(time_in_which_it_need_not_deliver_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* window_test.c: the governor with simulated consumers: no clock, no chance. */
#include "plane/window.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>

#include <cmocka.h>

#define TARGET_NS UINT64_C(1000000)
#define LIMIT     (UINT64_C(64) << 20)
#define MB        UINT64_C(1000000)

/* A producer that is always held, and what it waits for. */
struct simulated {
	double bytes_per_ns; /* that the consumer takes of this producer's */
	uint64_t commit_ns;  /* it acknowledges all at once, after so much more; 0: record by record */
	double fill_per_ns;  /* that the producer makes */
	uint64_t wake_ns;    /* until a woken producer runs */
	bool has_others;     /* other producers' batches keep the consumer busy */
	uint64_t record_bytes;
	struct window window;
	uint64_t now_ns, bytes;
	uint32_t turns;
};

static struct simulated simulate(double bytes_per_ns, uint64_t commit_ns, uint64_t record_bytes, uint32_t producers)
{
	struct simulated simulated = {
		.bytes_per_ns = bytes_per_ns,
		.commit_ns = commit_ns,
		.fill_per_ns = 15,
		.wake_ns = 30000,
		.has_others = producers > 1,
		.record_bytes = record_bytes,
		.now_ns = 1,
	};

	window_init(&simulated.window, TARGET_NS, producers, LIMIT);
	return simulated;
}

/* From one wait at the end of the window to the next. */
static void take_turn(struct simulated *simulated)
{
	uint64_t window = window_for(&simulated->window, simulated->record_bytes);
	uint64_t record = simulated->record_bytes, most = window / record * record;
	uint64_t step = window > 2 * record ? (window - 2 * record) / 2 : 0;
	uint64_t bytes = simulated->commit_ns ? most : record + (step < 262144 ? step : 262144);
	uint64_t left = most - bytes; /* for the consumer, while the producer wakes and fills */
	double take_ns = (double)bytes / simulated->bytes_per_ns + (double)simulated->commit_ns;
	double gap_ns = (double)simulated->wake_ns + (double)simulated->record_bytes / simulated->fill_per_ns -
			(double)left / simulated->bytes_per_ns;
	bool is_starved = gap_ns > 0 && !simulated->has_others;
	struct window_turn turn = {
		.bytes = bytes, .held_ns = (uint64_t)take_ns, .has_slept = true, .is_starved = is_starved};

	simulated->now_ns += (uint64_t)(take_ns + (is_starved ? gap_ns : 0));
	simulated->bytes += bytes;
	simulated->turns++;
	turn.now_ns = simulated->now_ns;
	window_turn(&simulated->window, simulated->record_bytes, &turn);
}

/* Bytes a ns over the last of so many turns. */
static double run(struct simulated *simulated, uint32_t turns)
{
	for (uint32_t i = 0; i < turns; i++)
		take_turn(simulated);
	uint64_t began_ns = simulated->now_ns, bytes = simulated->bytes;
	for (uint32_t i = 0; i < turns / 4; i++)
		take_turn(simulated);
	return (double)(simulated->bytes - bytes) / (double)(simulated->now_ns - began_ns);
}

/* A store whose every commit takes far longer than the target: found out after ten seconds, not before; and forgotten
 * where it is fast again. */
static void test_target_that_cannot_be_met(void **state)
{
	struct simulated slow = simulate(2, 50 * 1000 * 1000, MB, 1);
	uint64_t wait_ns = 0;

	(void)state;
	while (slow.now_ns < 9 * UINT64_C(1000000000))
		take_turn(&slow);
	assert_false(window_misses_target(&slow.window, &wait_ns));
	while (slow.now_ns < 60 * UINT64_C(1000000000))
		take_turn(&slow);
	assert_true(window_misses_target(&slow.window, &wait_ns));
	assert_true(wait_ns > 2 * TARGET_NS && wait_ns < 100 * UINT64_C(1000000000));
	slow.commit_ns = 0;
	slow.bytes_per_ns = 15;
	while (slow.now_ns < 120 * UINT64_C(1000000000))
		take_turn(&slow);
	assert_false(window_misses_target(&slow.window, &wait_ns));
	assert_true(wait_ns <= 2 * TARGET_NS);
}

static void test_fixed(void **state)
{
	(void)state;
	struct window window = {.bytes = MB, .records_min = WINDOW_RECORDS_MIN};

	for (uint64_t i = 1; i < 1000; i++)
		window_turn(
			&window, 100000, &(struct window_turn){.now_ns = i * 1000000, .bytes = 1, .is_starved = true});
	assert_int_equal(window.bytes, MB);
	assert_int_equal(window_for(&window, 8 * MB), 16 * MB);
	assert_int_equal(window_reason(&window, 8 * MB), WINDOW_BY_HAND);
	window.bytes = 0;
	assert_int_equal(window_reason(&window, 8 * MB), WINDOW_UNTOLD);
	assert_string_equal(window_reason_name(77), "not told");
}

/* Two large batches are enough for a consumer that is as fast as memory, though it is more than the target allows. */
static void test_large_records(void **state)
{
	(void)state;
	struct simulated simulated = simulate(9, 0, 8 * MB, 1);

	assert_true(run(&simulated, 2000) > 0.99 * 9);
	assert_true(window_for(&simulated.window, 8 * MB) < 18 * MB);
	assert_true(window_wait_ns(&simulated.window, 8 * MB) > TARGET_NS);
	assert_int_equal(window_reason(&simulated.window, 8 * MB), WINDOW_THROUGHPUT);
}

/* Of small ones so many that sleeping and waking is no work, and no more than the target allows. */
static void test_small_records(void **state)
{
	(void)state;
	struct simulated simulated = simulate(6, 0, 16384, 1);

	assert_int_equal(window_reason(&simulated.window, 16384), WINDOW_UNMEASURED);
	assert_true(run(&simulated, 20000) > 0.97 * 6);
	assert_int_equal(window_reason(&simulated.window, 16384), WINDOW_LATENCY);
	assert_true(window_for(&simulated.window, 16384) >= 6 * 150000);
	assert_true(window_for(&simulated.window, 16384) <= 7 * TARGET_NS);
}

/* A disk that is synced at every commit: what is in flight meanwhile is what goes through. */
static void test_synced_disk(void **state)
{
	(void)state;
	struct simulated simulated = simulate(0.2, 10000000, MB / 10, 1);

	assert_true(run(&simulated, 4000) > 0.85 * 0.2);
	assert_true(window_for(&simulated.window, MB / 10) < LIMIT / 2);
}

/* Slow without such a reason: nothing is gained by more, so as little as can be. */
static void test_slow_consumer(void **state)
{
	(void)state;
	struct simulated simulated = simulate(0.05, 0, MB / 10, 1);

	assert_true(run(&simulated, 2000) > 0.99 * 0.05);
	assert_true(window_for(&simulated.window, MB / 10) <= 3 * MB / 10);
}

/* A consumer that others keep busy needs no more than one large batch of each. */
static void test_many_producers(void **state)
{
	(void)state;
	struct simulated simulated = simulate(1, 0, 8 * MB, 8);

	assert_true(run(&simulated, 2000) > 0.99);
	assert_int_equal(window_for(&simulated.window, 8 * MB), 8 * MB);
}

/* The others have stopped: alone, one batch at a time would be half the rate. */
static void test_last_of_many(void **state)
{
	(void)state;
	struct simulated simulated = simulate(1, 0, 8 * MB, 8);

	run(&simulated, 200);
	simulated.has_others = false;
	simulated.bytes_per_ns = 9;
	assert_true(run(&simulated, 4000) > 0.95 * 9);
	assert_true(window_for(&simulated.window, 8 * MB) >= 16 * MB);
}

/* What a slow time needed is given back when it is over. */
static void test_tried_again(void **state)
{
	(void)state;
	struct simulated simulated = simulate(0.2, 10000000, MB / 10, 1);

	run(&simulated, 4000);
	uint64_t slow = window_for(&simulated.window, MB / 10);
	simulated.commit_ns = 0;
	simulated.bytes_per_ns = 2;
	assert_true(run(&simulated, 20000) > 0.97 * 2);
	assert_true(window_for(&simulated.window, MB / 10) < slow / 4);
	assert_true(window_wait_ns(&simulated.window, MB / 10) <= TARGET_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_target_that_cannot_be_met),
		cmocka_unit_test(test_large_records),
		cmocka_unit_test(test_small_records),
		cmocka_unit_test(test_synced_disk),
		cmocka_unit_test(test_slow_consumer),
		cmocka_unit_test(test_many_producers),
		cmocka_unit_test(test_last_of_many),
		cmocka_unit_test(test_tried_again),
	};

	return cmocka_run_group_tests_name("plane.window", tests, NULL, NULL);
}

/* copy_tuner_test.c: the choice of a way to copy, with simulated readers: no clock, no chance. */
#include "base/copy_tuner.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>

#include <cmocka.h>

#define MB      UINT64_C(1000000)
#define SECOND  UINT64_C(1000000000)
#define METHODS 3

struct link {
	double reader[METHODS]; /* bytes a ns that come out, by how they were copied */
	uint64_t rest_ns;       /* between two batches of the source */
	uint64_t in_flight;     /* at each commit */
	unsigned noise;         /* percent, up and down */
	uint64_t now_ns;
	uint64_t written;
	uint64_t batches[METHODS]; /* by way */
	uint32_t chance;
	struct copy_tuner tuner;
};

static struct link make_link(double by_memcpy, double by_movsb, double past_caches)
{
	struct link link = {.reader = {by_memcpy, by_movsb, past_caches}, .in_flight = 16 * MB, .now_ns = 1};

	copy_tuner_init(&link.tuner, 1);
	return link;
}

static double disturbed(struct link *link, double ns)
{
	link->chance = link->chance * 1664525u + 1013904223u;
	return ns * (1 + ((double)(link->chance >> 16) / 32768.0 - 1) * (double)link->noise / 100);
}

static enum copy_method send(struct link *link, uint64_t bytes)
{
	enum copy_method way = copy_tuner_begin(&link->tuner, bytes, link->now_ns);

	assert_in_range(way, COPY_MEMCPY, COPY_NON_TEMPORAL);
	link->now_ns += (uint64_t)disturbed(link, (double)bytes / link->reader[way]);
	link->written += bytes;
	copy_tuner_end(&link->tuner, link->written,
		link->written > link->in_flight ? link->written - link->in_flight : 0, link->now_ns);
	link->now_ns += link->rest_ns;
	link->batches[way]++;
	return way;
}

static enum copy_method run(struct link *link, uint64_t bytes, uint64_t ns)
{
	uint64_t until_ns = link->now_ns + ns;
	enum copy_method way = COPY_MEMCPY;

	for (int i = 0; i < METHODS; i++)
		link->batches[i] = 0;
	while (link->now_ns < until_ns)
		way = send(link, bytes);
	return way;
}

static void test_best_at_the_reader_wins(void **state)
{
	const uint64_t sizes[] = {100000, MB, 8 * MB};

	(void)state;
	for (unsigned best = 0; best < METHODS; best++) {
		for (unsigned i = 0; i < 3; i++) {
			struct link link = make_link(9, 9, 9);
			link.reader[best] = 12;
			assert_int_equal(run(&link, sizes[i], 2 * SECOND), best);
			assert_int_equal(run(&link, sizes[i], 100 * SECOND), best);
		}
	}
}

/* A way with half the rate is tried, and costs less than a fiftieth even in the first seconds. */
static void test_trials_are_cheap(void **state)
{
	struct link link = make_link(12, 12, 6);
	double ideal = 12.0 * 5 * (double)SECOND;

	(void)state;
	link.noise = 3;
	assert_int_equal(run(&link, 8 * MB, 5 * SECOND) == COPY_NON_TEMPORAL, 0);
	assert_true(link.batches[COPY_NON_TEMPORAL] > 0);
	assert_true((double)link.written > 0.98 * ideal);
	(void)run(&link, 8 * MB, 600 * SECOND);
	uint64_t all = link.batches[0] + link.batches[1] + link.batches[2];
	assert_true(link.batches[COPY_NON_TEMPORAL] > 0);          /* tried again and again … */
	assert_true(link.batches[COPY_NON_TEMPORAL] * 1000 < all); /* … by less than would show in a p99 */
}

static void test_noise_is_no_gain(void **state)
{
	struct link link = make_link(12, 12, 11.5);

	(void)state;
	link.noise = 10;
	for (int i = 0; i < 100; i++)
		assert_int_not_equal(run(&link, 8 * MB, 10 * SECOND), COPY_NON_TEMPORAL);
}

/* A throughput that grows all the time, since the window is still being found, makes no way the better one. */
static void test_drift_is_no_gain(void **state)
{
	struct link link = make_link(4, 4, 3.9);

	(void)state;
	for (int i = 0; i < 2000; i++) {
		(void)send(&link, MB);
		for (int way = 0; way < METHODS; way++)
			link.reader[way] *= 1.0005;
	}
	assert_int_not_equal(run(&link, MB, SECOND / 2), COPY_NON_TEMPORAL);
}

/* The reader moves to a core that shares no cache: found out long before the next trial would be due. */
static void test_change_of_regime(void **state)
{
	struct link link = make_link(12, 11, 6);

	(void)state;
	assert_int_equal(run(&link, MB, 200 * SECOND), COPY_MEMCPY);
	link.reader[COPY_MEMCPY] = 3;
	link.reader[COPY_REP_MOVSB] = 3;
	assert_int_equal(run(&link, MB, 3 * SECOND), COPY_NON_TEMPORAL);
	link.reader[COPY_MEMCPY] = 12;
	link.reader[COPY_NON_TEMPORAL] = 6;
	assert_int_not_equal(run(&link, MB, 70 * SECOND), COPY_NON_TEMPORAL);
}

/* A slow detector is never used for trials, whatever they would find: each of its batches is waited for. */
static void test_slow_source(void **state)
{
	struct link link = make_link(9, 9, 12);

	(void)state;
	link.rest_ns = 10000000;
	assert_int_equal(run(&link, 8 * MB, 100 * SECOND), COPY_MEMCPY);
	assert_int_equal(link.batches[COPY_REP_MOVSB] + link.batches[COPY_NON_TEMPORAL], 0);
	link.rest_ns = 0;
	assert_int_equal(run(&link, 8 * MB, 3 * SECOND), COPY_NON_TEMPORAL);
	link.rest_ns = 10000000; /* back to the caches */
	assert_int_equal(run(&link, 8 * MB, 3 * SECOND), COPY_MEMCPY);
}

static void test_classes(void **state)
{
	struct link link = make_link(9, 12, 6);

	(void)state;
	assert_int_equal(run(&link, MB, 3 * SECOND), COPY_REP_MOVSB);
	link.reader[COPY_NON_TEMPORAL] = 15;
	assert_int_equal(run(&link, 8 * MB, 3 * SECOND), COPY_NON_TEMPORAL);
	assert_int_equal(send(&link, MB), COPY_REP_MOVSB);
	assert_int_equal(send(&link, COPY_TUNER_BYTES_MIN - 1), COPY_MEMCPY);
	assert_int_equal(send(&link, 8 * MB), COPY_NON_TEMPORAL);
	for (int i = 0; i < 1000; i++) { /* sizes by turns: no trial ends, none hurts */
		assert_int_equal(send(&link, MB), COPY_REP_MOVSB);
		assert_int_equal(send(&link, 8 * MB), COPY_NON_TEMPORAL);
	}
}

/* Of several producers each sees its own share only, which is no measure. */
static void test_many_producers(void **state)
{
	struct link link = make_link(9, 9, 18);

	(void)state;
	copy_tuner_init(&link.tuner, 3);
	assert_int_equal(run(&link, 8 * MB, 10 * SECOND), COPY_MEMCPY);
	copy_tuner_init(&link.tuner, 8);
	assert_int_equal(run(&link, 8 * MB, 10 * SECOND), COPY_NON_TEMPORAL);
	assert_int_equal(run(&link, MB, 10 * SECOND), COPY_MEMCPY);
	assert_int_equal(link.batches[COPY_REP_MOVSB] + link.batches[COPY_NON_TEMPORAL], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_best_at_the_reader_wins),
		cmocka_unit_test(test_trials_are_cheap),
		cmocka_unit_test(test_noise_is_no_gain),
		cmocka_unit_test(test_drift_is_no_gain),
		cmocka_unit_test(test_change_of_regime),
		cmocka_unit_test(test_slow_source),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_many_producers),
	};

	return cmocka_run_group_tests_name("base.copy_tuner", tests, NULL, NULL);
}

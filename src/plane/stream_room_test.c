/* stream_room_test.c: what a burst finds when a consumer stops: the whole ring, wherever that happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "fixtures/stream.h"
#include "plane/stream_state.h"

#define RING_BYTES (16u << 20)

struct pair {
	struct stream *stream;
	struct consumer *consumer;
	uint64_t written, read;
	uint64_t payload_bytes;
	const uint8_t *lowest; /* payload that was written since the caller last set it to NULL */
	const uint8_t *highest;
};

static void open_producer(struct pair *pair, uint64_t window_bytes)
{
	struct enrg_error err = {0};
	uint16_t route;

	if (stream_open(path, window_bytes, &pair->stream, &err) != 0 ||
		stream_add_route(pair->stream, &(struct stream_route){.tag = "", .schema = "schema", .schema_bytes = 6},
			&route, &err) != 0)
		fail_msg("%s", err.text);
}

static void open_pair(struct pair *pair, uint64_t payload_bytes, uint64_t window_bytes)
{
	struct enrg_error err = {0};
	const struct stream_params params = {.path = path,
		.source = "test",
		.run = "r1",
		.supervisor = "s",
		.data_bytes = RING_BYTES,
		.record_bytes_max = payload_bytes,
		.checks = true};

	*pair = (struct pair){.payload_bytes = payload_bytes};
	if (stream_create(&params, &err) != 0 || stream_add_consumer(path, "store", &err) != 0 ||
		consumer_open(path, "store", UINT64_MAX, &pair->consumer, &err) != 0)
		fail_msg("%s", err.text);
	open_producer(pair, window_bytes);
}

static void close_pair(struct pair *pair)
{
	consumer_close(pair->consumer);
	stream_close(pair->stream, true);
	unlink(path);
}

/* Without waiting; false: no room. */
static bool write_next(struct pair *pair)
{
	struct stream_claim claim;

	if (stream_claim(pair->stream, pair->payload_bytes, 0, &claim) != 0)
		return false;
	memset(claim.payload, (int)(++pair->written & 0xff), pair->payload_bytes);
	if (!pair->lowest || claim.payload < pair->lowest)
		pair->lowest = claim.payload;
	if (!pair->highest || claim.payload > pair->highest)
		pair->highest = claim.payload;
	stream_commit(pair->stream,
		&(struct stream_commit){.type = RECORD_DATA, .rows = 1, .body_bytes = pair->payload_bytes});
	return true;
}

static void read_next(struct pair *pair)
{
	struct consumer_record record;
	struct enrg_error err = {0};

	if (consumer_acquire(pair->consumer, &record, &err) != 1)
		fail_msg("record %llu: %s", (unsigned long long)pair->read + 1, err.text);
	assert_int_equal(record.header->sequence, ++pair->read);
	assert_int_equal(consumer_check(pair->consumer, &record, &err), 0);
	assert_int_equal(record.payload[0], pair->read & 0xff);
	assert_int_equal(record.payload[pair->payload_bytes - 1], pair->read & 0xff);
	consumer_release(pair->consumer, record.end, 0);
}

/* The consumer follows `lag` records behind, and stops. */
static void follow(struct pair *pair, unsigned records, unsigned lag)
{
	for (unsigned i = 0; i < records; i++) {
		assert_true(write_next(pair));
		while (pair->written - pair->read > lag)
			read_next(pair);
	}
}

static unsigned fill(struct pair *pair)
{
	unsigned depth = 0;

	while (write_next(pair))
		depth++;
	return depth;
}

static void stop_anywhere(uint64_t payload_bytes, uint64_t window_bytes, unsigned lag_max, unsigned stops)
{
	uint64_t record_bytes = payload_bytes + (payload_bytes < SEGMENT_ALIGN_FROM ? 2 * SEGMENT_LINE : SEGMENT_PAGE);
	unsigned whole = RING_BYTES / (unsigned)record_bytes;
	struct pair pair;

	for (unsigned lag = 0; lag <= lag_max; lag++) {
		for (unsigned stop = 1; stop <= stops; stop++) {
			open_pair(&pair, payload_bytes, window_bytes);
			follow(&pair, stop, lag);
			/* What the lap at the end of the ring leaves may be less than a record. */
			assert_in_range(fill(&pair) + lag + 2, whole, whole + 4 + lag);
			while (pair.read < pair.written)
				read_next(&pair);
			/* Back in the window, after at most one lap. */
			follow(&pair, 2 * whole, lag);
			pair.lowest = pair.highest = NULL;
			follow(&pair, 2 * whole, lag);
			uint64_t used = (uint64_t)(pair.highest - pair.lowest) + payload_bytes;
			assert_true(used <= (window_bytes > 2 * payload_bytes ? window_bytes : 2 * payload_bytes) +
						    2 * (payload_bytes + SEGMENT_PAGE));
			close_pair(&pair);
		}
	}
}

static void test_stop_anywhere(void **state)
{
	(void)state;
	stop_anywhere(200000, 1 << 20, 3, 14);
}

static void test_stop_anywhere_large(void **state)
{
	(void)state;
	stop_anywhere(1000000, 1, 1, 8);
}

static void test_stop_anywhere_small(void **state)
{
	(void)state;
	stop_anywhere(20000, 256 << 10, 2, 16);
}

/* Killed beyond what its consumer stands in: the successor knows less, and loses nothing. */
static void test_killed_in_the_depth(void **state)
{
	(void)state;
	struct pair pair;

	for (unsigned stop = 5; stop < 12; stop++) {
		open_pair(&pair, 200000, 1 << 20);
		follow(&pair, stop, 1);
		for (unsigned i = 0; i < 20; i++)
			assert_true(write_next(&pair));
		stream_close(pair.stream, false);
		open_producer(&pair, 1 << 20);
		while (write_next(&pair))
			;
		assert_true(pair.written >= stop + 20);
		while (pair.read < pair.written)
			read_next(&pair);
		follow(&pair, 200, 1);
		close_pair(&pair);
	}
}

/* What is not read yet is told by the byte, though a lap that ends early leaves a pad of most of the ring behind. */
static void test_progress(void **state)
{
	const uint64_t payload_bytes = 200000, with_header = payload_bytes + 2 * SEGMENT_PAGE;
	uint64_t written, acknowledged, last = 0;
	struct pair pair;

	(void)state;
	open_pair(&pair, payload_bytes, 1 << 20);
	for (unsigned i = 0; i < 200; i++) {
		follow(&pair, 1, 2);
		stream_read_progress(pair.stream, &written, &acknowledged);
		assert_int_equal(written, pair.written * payload_bytes);
		assert_in_range(acknowledged, last, pair.read * payload_bytes);
		assert_true(written - acknowledged <= (pair.written - pair.read) * with_header);
		last = acknowledged;
	}
	close_pair(&pair);
}

static long count_sleeps(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_THREAD, &usage), 0);
	return usage.ru_nvcsw;
}

/* One of eight waits for a consumer that works for others: for up to 35 ms, until it goes deeper. */
static void test_waits_without_waking(void **state)
{
	struct stream_claim claim;
	struct pair pair;

	(void)state;
	open_pair(&pair, 1000000, 0);
	stream_govern(pair.stream, 10000000, 8);
	assert_true(write_next(&pair));
	long before = count_sleeps();
	assert_int_equal(stream_claim(pair.stream, 1000000, 1000000000, &claim), 0);
	assert_in_range(count_sleeps() - before, 1, 12);
	stream_abort(pair.stream);
	close_pair(&pair);
}

/* How long a producer that has filled its ring waits in front of the next batch, while its consumer needs about 10 ms
 * for each; 0 = this machine was too slow to tell. */
static uint64_t wait_behind_full_ring(uint32_t producers)
{
	struct stream_claim claim;
	struct pair pair;

	open_pair(&pair, 1000000, 2 << 20);
	stream_govern(pair.stream, 1000000, producers);
	uint64_t began_ns = clock_mono_ns();
	assert_in_range(fill(&pair), 12, 16);
	for (unsigned i = 0; i < 2; i++) {
		usleep(10000);
		read_next(&pair);
	}
	uint64_t asked_ns = clock_mono_ns();
	assert_int_equal(stream_claim(pair.stream, pair.payload_bytes, 30000000, &claim), 0);
	uint64_t waited_ns = clock_mono_ns() - asked_ns;
	close_pair(&pair);
	return asked_ns - began_ns < 50000000 ? waited_ns : 0;
}

/* A store of eight is eight times as fast as each of them sees it: they come back into their windows, or their rings
 * would stay full after one busy moment of the machine. */
static void test_many_come_back(void **state)
{
	(void)state;
	for (unsigned trial = 0; trial < 100; trial++) {
		uint64_t waited_ns = wait_behind_full_ring(8);
		if (!waited_ns)
			continue;
		assert_true(waited_ns >= 25000000);
		return;
	}
	skip();
}

/* How long one of 64 waits for a consumer that stands still, when consumers took so long of late. */
static uint64_t wait_before_depth(uint64_t pace_ns)
{
	struct stream_claim claim;
	struct pair pair;

	open_pair(&pair, 1000000, 0);
	stream_govern(pair.stream, 10000000, 64);
	assert_true(write_next(&pair));
	pair.stream->pace_ns = pace_ns;
	uint64_t asked_ns = clock_mono_ns();
	assert_int_equal(stream_claim(pair.stream, 1000000, 1000000000, &claim), 0);
	uint64_t waited_ns = clock_mono_ns() - asked_ns;
	stream_abort(pair.stream);
	close_pair(&pair);
	return waited_ns;
}

/* The store of 64 busy sources is away from its core for longer than 40 ms: whoever has seen that waits for it. */
static void test_patience_follows_pace(void **state)
{
	(void)state;
	assert_true(wait_before_depth(0) >= 40000000);
	assert_true(wait_before_depth(20000000) >= 80000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_progress, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop_anywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop_anywhere_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop_anywhere_small, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_in_the_depth, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waits_without_waking, setup, teardown),
		cmocka_unit_test_setup_teardown(test_patience_follows_pace, setup, teardown),
	};

	return cmocka_run_group_tests_name("plane.stream_room", tests, NULL, NULL);
}

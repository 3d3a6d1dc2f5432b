/* stream_edges_test.c: what seldom happens to a stream: an earlier life that died at the worst instruction, lengths
 * that somebody scribbled, claims that are given back, more streams than the kernel can wait for, pads without a
 * record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "fixtures/stream.h"
#include "plane/mapping.h"
#include "plane/stream.h"

#define STREAMS  130u
#define NS_PER_S 1000000000ull

static void create(const char *at, uint64_t data_bytes, uint64_t record_bytes_max, bool checks)
{
	struct enrg_error err = {0};
	struct stream_params params = {.path = at,
		.source = "test",
		.run = "r1",
		.supervisor = "s",
		.data_bytes = data_bytes,
		.record_bytes_max = record_bytes_max,
		.checks = checks};

	if (stream_create(&params, &err) != 0)
		fail_msg("%s", err.text);
}

static struct stream *open_stream(const char *at, uint64_t hot_bytes)
{
	struct enrg_error err = {0};
	struct stream *stream = NULL;
	uint16_t route;

	if (stream_open(at, hot_bytes, &stream, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(
		stream_add_route(stream, &(struct stream_route){.tag = "first", .schema = "schema", .schema_bytes = 6},
			&route, &err),
		0);
	assert_int_equal(route, 0);
	assert_int_equal(
		stream_add_route(stream, &(struct stream_route){.tag = "second", .schema = "schema", .schema_bytes = 6},
			&route, &err),
		0);
	assert_int_equal(route, 1);
	return stream;
}

static struct consumer *open_consumer(const char *at)
{
	struct enrg_error err = {0};
	struct consumer *consumer = NULL;

	if (consumer_open(at, "store", UINT64_MAX, &consumer, &err) != 0)
		fail_msg("%s", err.text);
	return consumer;
}

static int write_bytes(struct stream *stream, uint16_t route, uint64_t bytes, uint64_t timeout_ns)
{
	struct stream_claim claim;
	int rc = stream_claim(stream, bytes, timeout_ns, &claim);

	if (rc < 0)
		return rc;
	memset(claim.payload, 'x', bytes);
	stream_commit(
		stream, &(struct stream_commit){.route = route, .type = RECORD_DATA, .rows = 1, .body_bytes = bytes});
	return 0;
}

/* A life that was killed between noting a route's sequence and publishing: another route's records reach the position
 * that was noted, and the note must not come true by that. */
static void test_route_of_killed_life(void **state)
{
	(void)state;
	struct mapping mapping;

	create(path, 1 << 20, 1000, true);
	struct stream *stream = open_stream(path, 0);
	assert_int_equal(write_bytes(stream, 0, 100, 0), 0);
	uint64_t tail = 192;
	stream_close(stream, false);
	assert_int_equal(mapping_open(&mapping, path, MAPPING_CONTROL, NULL), 0);
	assert_int_equal(atomic_load(&mapping.producer->head), tail);
	for (int i = 0; i < 2; i++) {
		if (atomic_load(&mapping.routes[0].last[i].position) == tail)
			continue;
		atomic_store(&mapping.routes[0].last[i].sequence, 2);
		atomic_store(&mapping.routes[0].last[i].position, 2 * tail);
	}
	mapping_close(&mapping);
	stream = open_stream(path, 0);
	assert_int_equal(stream_route_sequence(stream, 0), 2);
	for (int i = 0; i < 3; i++)
		assert_int_equal(write_bytes(stream, 1, 100, 0), 0);
	stream_close(stream, false);
	stream = open_stream(path, 0);
	assert_int_equal(stream_route_sequence(stream, 0), 2);
	assert_int_equal(stream_route_sequence(stream, 1), 4);
	stream_close(stream, false);
}

/* A length that is longer than the ring, under a head that says as much: an error, not a read outside the mapping. */
static void test_scribbled_pad(void **state)
{
	(void)state;
	struct consumer_record record;
	struct mapping mapping;

	for (int type = RECORD_PAD; type >= RECORD_DATA; type--) {
		create(path, 16384, 1000, false);
		assert_int_equal(stream_add_consumer(path, "store", NULL), 0);
		struct consumer *consumer = open_consumer(path);
		assert_int_equal(mapping_open(&mapping, path, MAPPING_WRITER, NULL), 0);
		const struct record pad = {.length = SEGMENT_PAD_MAX, .type = (uint16_t)type};
		memcpy(mapping.data, &pad, sizeof(pad));
		atomic_store(&mapping.producer->head, 3ull * SEGMENT_PAD_MAX);
		assert_int_equal(consumer_acquire(consumer, &record, NULL), ENRG_E_CORRUPT);
		assert_int_equal(consumer_skip(consumer), -ENODATA);
		assert_int_equal(consumer_acquire(consumer, &record, NULL), 0);
		mapping_close(&mapping);
		consumer_close(consumer);
		unlink(path);
	}
}

struct many {
	struct consumer *consumers[STREAMS];
	_Atomic uint32_t *is_waiting; /* of the last */
	struct stream *last;
};

/* Writes into the last stream once the consumer of all has gone to sleep. */
static void *write_late(void *opaque)
{
	struct many *many = opaque;

	while (!(atomic_load(many->is_waiting) & 1u))
		usleep(100);
	usleep(2000);
	write_bytes(many->last, 0, 100, 0);
	return NULL;
}

/* The kernel waits for 128 words at once: what comes from a stream beyond them is found soon all the same. */
static void test_more_streams_than_words(void **state)
{
	(void)state;
	static struct many many;
	struct stream_status status;
	struct mapping mapping;
	char paths[STREAMS][128];
	_Atomic uint32_t word = 0;
	pthread_t thread;

	for (uint32_t i = 0; i < STREAMS; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/%u.stream", folder, i);
		create(paths[i], 16384, 1000, true);
		assert_int_equal(stream_add_consumer(paths[i], "store", NULL), 0);
		many.consumers[i] = open_consumer(paths[i]);
	}
	many.last = open_stream(paths[STREAMS - 1], 0);
	assert_int_equal(mapping_open(&mapping, paths[0], MAPPING_CONTROL, NULL), 0); /* of those that can ring */
	many.is_waiting = &mapping_consumer(&mapping, 0)->is_waiting;
	assert_int_equal(pthread_create(&thread, NULL, write_late, &many), 0);
	assert_int_equal(consumer_wait(many.consumers, STREAMS, &word, 0, 5 * NS_PER_S), 1);
	pthread_join(thread, NULL);
	mapping_close(&mapping);
	assert_int_equal(stream_read_status(paths[STREAMS - 1], &status, NULL), 0);
	assert_int_equal(status.consumers[0].rescued, 0);
	stream_close(many.last, false);
	for (uint32_t i = 0; i < STREAMS; i++) {
		consumer_close(many.consumers[i]);
		unlink(paths[i]);
	}
}

/* A record that starts at the start of the ring may be longer, by its way to a page, than the same record where the hot
 * window ended. The pad that makes way for it must not be what it waits for: a link acknowledges records only. */
static void test_rewind_makes_room(void **state)
{
	(void)state;
	const uint64_t payload = 128 << 10;
	struct consumer_record record;

	create(path, 8 * payload, 2 * payload, false);
	assert_int_equal(stream_add_consumer(path, "store", NULL), 0);
	struct consumer *consumer = open_consumer(path);
	struct stream *stream = open_stream(path, 200000);
	/* Up to one line before a page, behind less than the record will need at the start. */
	for (uint64_t left = payload + 4032; left;) {
		uint64_t length = left < 32768 ? left : 32768;
		assert_int_equal(write_bytes(stream, 0, length - 64, 0), 0);
		left -= length;
		assert_int_equal(consumer_acquire(consumer, &record, NULL), 1);
		consumer_release(consumer, record.end, 0);
	}
	assert_int_equal(record.end, payload + 4032);
	assert_int_equal(write_bytes(stream, 0, payload, 100000000), 0);
	stream_close(stream, true);
	consumer_close(consumer);
}

/* A consumer that moves all the time, and slowly, must not hold a claim beyond its time: the caller has signs of life
 * to give and a stop to look for. */
static void *crawl(void *context)
{
	struct consumer *consumer = context;
	struct consumer_record record;

	for (int i = 0; i < 500; i++) {
		if (consumer_acquire(consumer, &record, NULL) != 1)
			return NULL;
		consumer_release(consumer, record.end, 0);
		nanosleep(&(struct timespec){.tv_nsec = 400000}, NULL);
	}
	return consumer;
}

static void test_window_keeps_time(void **state)
{
	(void)state;
	struct enrg_error err = {0};
	pthread_t thread;
	uint64_t longest = 0;

	create(path, 4 << 20, 1000, false);
	assert_int_equal(stream_add_consumer(path, "store", &err), 0);
	struct consumer *consumer = open_consumer(path);
	struct stream *stream = open_stream(path, 1 << 20);
	for (int i = 0; i < 1024; i++)
		assert_int_equal(write_bytes(stream, 0, 900, NS_PER_S), 0);
	assert_int_equal(pthread_create(&thread, NULL, crawl, consumer), 0);
	for (int i = 0; i < 64; i++) {
		uint64_t started = clock_mono_ns();
		assert_int_equal(write_bytes(stream, 0, 900, 1000000), 0);
		longest = clock_mono_ns() - started > longest ? clock_mono_ns() - started : longest;
	}
	void *all = NULL;
	pthread_join(thread, &all);
	assert_ptr_equal(all, consumer);
	assert_true(longest < NS_PER_S / 5);
	consumer_close(consumer);
	stream_close(stream, true);
}

/* From outside it is seen how much may be in flight, and why. */
static void test_window_is_told(void **state)
{
	struct stream_status status;

	(void)state;
	create(path, 1 << 20, 1000, true);
	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	assert_int_equal(status.window_bytes, 0);
	assert_string_equal(status.window_reason, "not told");
	struct stream *stream = open_stream(path, 65536);
	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	assert_int_equal(status.window_bytes, 65536);
	assert_string_equal(status.window_reason, "set by hand");
	stream_govern(stream, 1000000, 1);
	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	assert_true(status.window_bytes > 65536);
	assert_string_equal(status.window_reason, "not measured yet");
	stream_close(stream, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_route_of_killed_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_scribbled_pad, setup, teardown),
		cmocka_unit_test_setup_teardown(test_more_streams_than_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rewind_makes_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_window_keeps_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_window_is_told, setup, teardown),
	};

	return cmocka_run_group_tests_name("plane.stream_edges", tests, NULL, NULL);
}

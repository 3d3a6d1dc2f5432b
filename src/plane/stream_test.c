/* stream_test.c: the stream with real processes: order, back-pressure, kills, observers, scribbling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "fixtures/stream.h"
#include "plane/stream.h"

static void create(uint64_t data_bytes, uint64_t record_bytes_max)
{
	struct enrg_error err = {0};
	struct stream_params params = {.path = path,
		.source = "test",
		.run = "r1",
		.supervisor = "s",
		.data_bytes = data_bytes,
		.record_bytes_max = record_bytes_max,
		.checks = true};

	if (stream_create(&params, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(stream_add_consumer(path, "store", &err), 0);
}

static struct stream *open_stream(uint64_t hot_bytes)
{
	struct enrg_error err = {0};
	struct stream *stream = NULL;
	uint16_t route;

	if (stream_open(path, hot_bytes, &stream, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(
		stream_add_route(stream, &(struct stream_route){.tag = "tag", .schema = "schema", .schema_bytes = 6},
			&route, &err),
		0);
	assert_int_equal(route, 0);
	return stream;
}

static struct consumer *open_consumer(void)
{
	struct enrg_error err = {0};
	struct consumer *consumer = NULL;

	if (consumer_open(path, "store", UINT64_MAX, &consumer, &err) != 0)
		fail_msg("%s", err.text);
	return consumer;
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdull;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ull;
	return x ^ (x >> 33);
}

/* Payload of sequence n: its length and bytes follow from n. */
static uint64_t length_of(uint64_t n, uint64_t max)
{
	if (max < 300)
		return n % (max + 1);
	return n % 7 == 0 ? mix(n) % max : mix(n) % 300;
}

/* 64 bytes of the payload: a word of their own, eight times. Filling costs little, so that kills hit the stream. */
static size_t block_of(uint64_t n, uint64_t at, uint64_t length, uint64_t ret_words[8])
{
	for (int i = 0; i < 8; i++)
		ret_words[i] = mix(n + at / 64);
	return length - at < 64 ? length - at : 64;
}

static void fill(uint8_t *bytes, uint64_t n, uint64_t length)
{
	uint64_t words[8];

	for (uint64_t at = 0; at < length; at += 64) {
		size_t count = block_of(n, at, length, words);
		memcpy(bytes + at, words, count);
	}
}

static bool is_filled(const uint8_t *bytes, uint64_t n, uint64_t length)
{
	uint64_t words[8];

	for (uint64_t at = 0; at < length; at += 64) {
		size_t count = block_of(n, at, length, words);
		if (memcmp(bytes + at, words, count) != 0)
			return false;
	}
	return true;
}

static int write_one(struct stream *stream, uint64_t max, bool hold, uint64_t timeout_ns)
{
	uint64_t n = stream_route_sequence(stream, 0), length = length_of(n, max);
	struct stream_claim claim;
	int rc;

	stream_align(stream, n * 64);
	rc = stream_claim(stream, length, timeout_ns, &claim);
	if (rc < 0)
		return rc;
	fill(claim.payload, n, length);
	stream_commit(
		stream, &(struct stream_commit){.type = RECORD_DATA, .rows = 1, .body_bytes = length, .hold = hold});
	return 0;
}

static void check_one(
	const struct consumer *consumer, const struct consumer_record *record, uint64_t expected, uint64_t max)
{
	struct enrg_error err = {0};

	assert_int_equal(record->header->sequence, expected);
	assert_int_equal(record->header->body_bytes, length_of(expected, max));
	assert_int_equal(consumer_check(consumer, record, &err), 0);
	assert_true(is_filled(record->payload, expected, record->header->body_bytes));
	if (record->header->body_bytes >= SEGMENT_ALIGN_FROM)
		assert_int_equal(((uintptr_t)record->payload + expected * 64) % SEGMENT_PAGE, 0);
	else
		assert_int_equal((uintptr_t)record->payload % SEGMENT_LINE, 0);
}

static void test_order_and_content(void **state)
{
	(void)state;
	create(1 << 20, 200000);
	struct stream *stream = open_stream(0);
	struct consumer *consumer = open_consumer();
	struct consumer_record record;
	struct consumer_route route;
	uint64_t written = 0, seen = 0;

	while (seen < 20000) {
		if (write_one(stream, 200000, written % 3 == 0, 0) == 0) {
			written++;
			continue;
		}
		stream_publish(stream);
		while (consumer_acquire(consumer, &record, NULL) == 1) {
			check_one(consumer, &record, ++seen, 200000);
			consumer_release(consumer, record.end, seen);
		}
	}
	assert_int_equal(consumer_route(consumer, 0, &route), 0);
	assert_string_equal(route.tag, "tag");
	assert_memory_equal(route.schema_ipc, "schema", 6);
	assert_int_equal(consumer_route(consumer, 1, &route), ENRG_E_CORRUPT);
	consumer_close(consumer);
	stream_close(stream, true);
}

static void test_back_pressure(void **state)
{
	(void)state;
	create(1 << 20, 100000);
	struct stream *stream = open_stream(0);
	struct consumer *consumer = open_consumer();
	struct consumer_record record;
	struct stream_claim claim;
	int written = 0;

	while (stream_claim(stream, 100000, 0, &claim) == 0) {
		stream_commit(stream, &(struct stream_commit){.type = RECORD_DATA, .body_bytes = 100000});
		written++;
	}
	assert_in_range(written, 9, 10);
	assert_int_equal(stream_claim(stream, 100000, 2000000, &claim), -EAGAIN);
	assert_int_equal(consumer_acquire(consumer, &record, NULL), 1);
	assert_int_equal(stream_claim(stream, 100000, 0, &claim), -EAGAIN); /* acquired is not released */
	consumer_release(consumer, record.end, 0);
	assert_int_equal(stream_claim(stream, 100000, 0, &claim), 0);
	stream_abort(stream);
	assert_int_equal(stream_claim(stream, 100001 + SEGMENT_LINE, 0, &claim), -EMSGSIZE);
	consumer_close(consumer);
	stream_close(stream, false);
}

static void test_hot_window(void **state)
{
	(void)state;
	create(16 << 20, 100000);
	struct stream *stream = open_stream(1 << 20);
	struct consumer *consumer = open_consumer();
	struct consumer_record record;
	struct stream_claim claim;
	const uint8_t *lowest = NULL, *highest = NULL;

	for (int i = 0; i < 995; i++) { /* the consumer keeps up: all records lie in the first MiB */
		assert_int_equal(stream_claim(stream, 90000, 0, &claim), 0);
		if (!lowest || claim.payload < lowest)
			lowest = claim.payload;
		if (claim.payload > highest)
			highest = claim.payload;
		stream_commit(stream, &(struct stream_commit){.type = RECORD_DATA, .body_bytes = 90000});
		assert_int_equal(consumer_acquire(consumer, &record, NULL), 1);
		consumer_release(consumer, record.end, 0);
	}
	assert_true(highest - lowest < 1 << 20);
	int depth = 0; /* the consumer stops in the middle of the window: the whole depth is there */
	while (stream_claim(stream, 90000, 0, &claim) == 0) {
		stream_commit(stream, &(struct stream_commit){.type = RECORD_DATA, .body_bytes = 90000});
		depth++;
	}
	assert_true(depth > 170);
	for (int i = 0; i < depth; i++) {
		assert_int_equal(consumer_acquire(consumer, &record, NULL), 1);
		assert_int_equal(record.header->sequence, 996 + i);
	}
	assert_int_equal(consumer_acquire(consumer, &record, NULL), 0);
	consumer_close(consumer);
	stream_close(stream, true);
}

/* A consumer that has a long way to go and works at it, slower than memory by far, is not waited for: the ring has
 * room. */
static void test_slow_consumer_catches_up(void **state)
{
	(void)state;
	create(16 << 20, 100000);
	struct stream *stream = open_stream(1 << 20);
	struct consumer *consumer = open_consumer();
	struct consumer_record record;
	struct stream_status status;

	while (stream_in_flight(stream) < 12 << 20)
		assert_int_equal(write_one(stream, 90000, false, 0), 0);
	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	uint64_t blocked_ns = status.blocked_ns, started = clock_mono_ns();
	for (int i = 0; i < 100; i++) {
		usleep(1000); /* the pace of a detector, and of its store */
		assert_int_equal(consumer_acquire(consumer, &record, NULL), 1);
		consumer_release(consumer, record.end, 0);
		assert_int_equal(write_one(stream, 90000, false, UINT64_MAX), 0);
	}
	uint64_t elapsed_ns = clock_mono_ns() - started;
	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	assert_true(status.blocked_ns - blocked_ns < elapsed_ns / 4);
	consumer_close(consumer);
	stream_close(stream, true);
}

/* A consumer in a process of its own: checks everything, sleeps when there is nothing, exits 0 at `count`. */
static void consume(uint64_t count, uint64_t max)
{
	struct consumer *consumer = open_consumer();
	struct consumer_record record;
	uint64_t seen = 0;

	while (seen < count) {
		if (!consumer_wait(&consumer, 1, NULL, 0, 10000000000u))
			_exit(3);
		while (consumer_acquire(consumer, &record, NULL) == 1)
			check_one(consumer, &record, ++seen, max);
		consumer_release(consumer, consumer_position(consumer), seen);
	}
	_exit(0);
}

static void run_two_processes(uint64_t hot_bytes)
{
	struct stream_status status;
	int rc = 0;

	create(2 << 20, 300000);
	pid_t child = fork();
	if (child == 0)
		consume(30000, 300000);
	struct stream *stream = open_stream(hot_bytes);
	for (int i = 0; i < 30000; i++)
		assert_int_equal(write_one(stream, 300000, i % 5 != 0, 10000000000u), 0);
	stream_close(stream, true);
	assert_int_equal(waitpid(child, &rc, 0), child);
	assert_int_equal(rc, 0);
	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	assert_int_equal(status.batches, 30000);
	assert_int_equal(status.consumers[0].backlog_bytes, 0);
	assert_int_equal(status.rescued, 0);
	assert_int_equal(status.consumers[0].rescued, 0);
	assert_true(status.is_closed);
	assert_false(status.is_attached);
}

static void test_two_processes(void **state)
{
	(void)state;
	run_two_processes(0);
}

static void test_two_processes_hot(void **state)
{
	(void)state;
	run_two_processes(400000);
}

/* Random pause of up to a millisecond, then SIGKILL. */
static void kill_soon(pid_t child, unsigned *seed)
{
	usleep((useconds_t)(rand_r(seed) % 1500));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* Reads all that is published now. */
static void read_all(struct consumer *consumer, uint64_t *seen, uint64_t max)
{
	struct consumer_record record;

	while (consumer_acquire(consumer, &record, NULL) == 1) {
		check_one(consumer, &record, ++*seen, max);
		consumer_release(consumer, record.end, *seen);
	}
}

/* Lives of a producer, each killed at a random moment; `max` bytes a record: small ones die inside stream_publish. */
static void kill_producers(int lives, uint64_t max)
{
	unsigned seed = 1;
	uint64_t seen = 0;
	struct stream_status status;

	create(2 << 20, 100000);
	struct consumer *consumer = open_consumer();
	for (int life = 0; life < lives; life++) {
		uint64_t before = seen;
		pid_t child = fork();
		if (child == 0) {
			struct stream *stream = open_stream(life % 2 ? 300000 : 0);
			for (;;)
				write_one(stream, max, rand_r(&seed) % 4 == 0, UINT64_MAX);
		}
		while (seen == before)
			read_all(consumer, &seen, max);
		kill_soon(child, &seed);
		read_all(consumer, &seen, max);
		assert_int_equal(stream_read_status(path, &status, NULL), 0);
		assert_int_equal(status.sequence, seen); /* the tally is that of head, whenever it was killed */
		assert_int_equal(status.batches, seen);
		assert_int_equal(status.epoch, life + 1);
		assert_false(status.is_closed);
	}
	consumer_close(consumer);
}

static void test_killed_producer(void **state)
{
	(void)state;
	kill_producers(150, 100000);
}

static void test_killed_while_publishing(void **state)
{
	(void)state;
	kill_producers(300, 1);
}

static void test_killed_consumer(void **state)
{
	(void)state;
	unsigned seed = 2;
	_Atomic uint64_t *seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	create(2 << 20, 100000);
	struct stream *stream = open_stream(500000);
	for (int life = 0; life < 150; life++) {
		pid_t child = fork();
		if (child == 0) {
			struct consumer *consumer = open_consumer();
			struct consumer_record record;
			for (;;) {
				consumer_wait(&consumer, 1, NULL, 0, UINT64_MAX);
				while (consumer_acquire(consumer, &record, NULL) == 1) {
					if (record.header->sequence != *seen && record.header->sequence != *seen + 1)
						_exit(1);
					check_one(consumer, &record, record.header->sequence, 100000);
					*seen = record.header->sequence;
					consumer_release(consumer, record.end, *seen);
				}
			}
		}
		uint64_t until = clock_mono_ns() + 1000000;
		while (clock_mono_ns() < until)
			write_one(stream, 100000, false, 100000);
		kill_soon(child, &seed);
	}
	assert_true(*seen > 500);
	stream_close(stream, false);
	munmap((void *)seen, 4096);
}

static void test_ownership(void **state)
{
	(void)state;
	struct enrg_error err = {0};
	struct stream *second = NULL;
	struct consumer *other = NULL;

	create(1 << 20, 50000);
	struct stream *stream = open_stream(0);
	struct consumer *consumer = open_consumer();
	assert_int_equal(stream_open(path, 0, &second, &err), -EBUSY);
	assert_non_null(strstr(err.text, "is its producer"));
	assert_int_equal(consumer_open(path, "store", UINT64_MAX, &other, &err), -EBUSY);
	assert_int_equal(consumer_open(path, "nobody", UINT64_MAX, &other, &err), -ENOENT);
	stream_close(stream, false);
	assert_int_equal(stream_open(path, 0, &second, &err), 0);
	assert_int_equal(stream_epoch(second), 2);
	assert_false(stream_is_successor(second)); /* nothing had been written */
	stream_close(second, false);
	consumer_close(consumer);
}

static void test_interrupt(void **state)
{
	(void)state;
	struct stream_claim claim;

	create(1 << 20, 500000);
	struct stream *stream = open_stream(0);
	while (stream_claim(stream, 400000, 0, &claim) == 0)
		stream_commit(stream, &(struct stream_commit){.type = RECORD_DATA, .body_bytes = 400000});
	stream_interrupt(stream);
	assert_int_equal(stream_claim(stream, 400000, UINT64_MAX, &claim), ENRG_E_STOPPED);
	stream_close(stream, false);
}

static void scribble(off_t at, uint8_t value)
{
	int descriptor = open(path, O_RDWR | O_CLOEXEC);

	assert_int_equal(pwrite(descriptor, &value, 1, at), 1);
	close(descriptor);
}

static void test_scribbling(void **state)
{
	(void)state;
	struct consumer_record record;
	struct enrg_error err = {0};

	create(1 << 20, 50000);
	struct stream *stream = open_stream(0);
	struct consumer *consumer = open_consumer();
	for (int i = 0; i < 4; i++) {
		struct stream_claim claim;
		assert_int_equal(stream_claim(stream, 1000, 0, &claim), 0);
		memset(claim.payload, i, 1000);
		stream_commit(stream, &(struct stream_commit){.type = RECORD_DATA, .body_bytes = 1000});
	}
	scribble(SEGMENT_DATA_AT + 64 + 500, 77);       /* body of record 1 */
	scribble(SEGMENT_DATA_AT + 1088 + 8, 99);       /* sequence of record 2 */
	scribble(SEGMENT_DATA_AT + 2 * 1088 + 3, 0x7f); /* length of record 3 */
	assert_int_equal(consumer_acquire(consumer, &record, &err), 1);
	assert_int_equal(consumer_check(consumer, &record, &err), ENRG_E_CORRUPT);
	assert_non_null(strstr(err.text, "body CRC"));
	assert_int_equal(consumer_acquire(consumer, &record, &err), ENRG_E_CORRUPT);
	assert_non_null(strstr(err.text, "header CRC"));
	assert_int_equal(consumer_skip(consumer), 0);
	assert_int_equal(consumer_acquire(consumer, &record, &err), ENRG_E_CORRUPT);
	assert_int_equal(consumer_skip(consumer), -ENODATA);
	assert_int_equal(consumer_acquire(consumer, &record, &err), 0);
	consumer_close(consumer);
	stream_close(stream, true);
	scribble(0, 0);
	assert_int_equal(stream_open(path, 0, &stream, &err), ENRG_E_CORRUPT);
}

static void test_truncated_file(void **state)
{
	(void)state;
	struct stream_status status;
	struct enrg_error err = {0};

	create(1 << 20, 50000);
	assert_int_equal(truncate(path, SEGMENT_DATA_AT + 4096), 0);
	assert_int_equal(stream_read_status(path, &status, &err), ENRG_E_CORRUPT);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(stream_read_status(path, &status, &err), ENRG_E_CORRUPT);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_order_and_content),
		CASE(test_back_pressure),
		CASE(test_hot_window),
		CASE(test_slow_consumer_catches_up),
		CASE(test_two_processes),
		CASE(test_two_processes_hot),
		CASE(test_killed_producer),
		CASE(test_killed_while_publishing),
		CASE(test_killed_consumer),
		CASE(test_ownership),
		CASE(test_interrupt),
		CASE(test_scribbling),
		CASE(test_truncated_file),
	};

	return cmocka_run_group_tests_name("plane.stream", tests, NULL, NULL);
}

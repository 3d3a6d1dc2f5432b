/* stream_pages_test.c: a ring's pages: taken when they are needed, given back after a burst, missing on a full tmpfs;
 * by a producer that is killed at any moment; under an observer that still reads there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "plane/observer.h"
#include "plane/stream_state.h"

#define RING_BYTES (32u << 20)
#define NS_PER_MS  1000000ull

static char folder[64], path[128];

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/dev/shm/enrgdaq-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.stream", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	umount(folder);
	rmdir(folder);
	return 0;
}

static void create(uint64_t data_bytes, uint64_t record_bytes_max)
{
	struct enrg_error err = {0};
	const struct stream_params params = {.path = path,
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

	if (stream_open(path, hot_bytes, &stream, &err) != 0 ||
		stream_add_route(stream, &(struct stream_route){.tag = "tag", .schema = "schema", .schema_bytes = 6},
			&route, &err) != 0)
		fail_msg("%s", err.text);
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

/* Of the whole file. */
static uint64_t resident_bytes(void)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return (uint64_t)status.st_blocks * 512;
}

static int write_one(struct stream *stream, uint64_t bytes, uint64_t timeout_ns)
{
	struct stream_claim claim;
	int rc = stream_claim(stream, bytes, timeout_ns, &claim);

	if (rc < 0)
		return rc;
	memset(claim.payload, (int)(stream->sequence & 0xff), bytes);
	stream_commit(stream, &(struct stream_commit){.type = RECORD_DATA, .rows = 1, .body_bytes = bytes});
	return 0;
}

/* Reads all that is there, each byte by its CRC; the last sequence. */
static uint64_t read_all(struct consumer *consumer, uint64_t last)
{
	struct consumer_record record;
	struct enrg_error err = {0};
	int rc;

	while ((rc = consumer_acquire(consumer, &record, &err)) == 1) {
		assert_int_equal(record.header->sequence, last + 1);
		assert_int_equal(consumer_check(consumer, &record, &err), 0);
		last = record.header->sequence;
		consumer_release(consumer, record.end, 0);
	}
	if (rc < 0)
		fail_msg("%s", err.text);
	consumer_release(consumer, consumer_position(consumer), 0); /* pads are done with as well */
	return last;
}

/* Lets time pass for the producer, with nothing to send. */
static void rest(struct stream *stream, struct consumer *consumer, uint64_t *last)
{
	uint64_t now_ns = stream->pages.due_ns > clock_mono_ns() ? stream->pages.due_ns : clock_mono_ns();

	for (int i = 0; i < 200; i++) {
		stream_tend(stream, now_ns += 500 * NS_PER_MS);
		*last = read_all(consumer, *last);
	}
}

/* A source of a few rows a second, for a day: its ring stays as small as it was in the first minute. */
static void test_slow_source_stays_small(void **state)
{
	(void)state;
	create(RING_BYTES, 1 << 20);
	struct stream *stream = open_stream(8 << 20);
	struct consumer *consumer = open_consumer();
	uint64_t last = 0, now_ns = clock_mono_ns();

	assert_true(resident_bytes() <= 64 << 10);
	for (int i = 0; i < 86400; i++) {
		assert_int_equal(write_one(stream, 500, 0), 0);
		last = read_all(consumer, last);
		stream_tend(stream, now_ns += 500 * NS_PER_MS);
	}
	assert_int_equal(last, 86400);
	assert_true(resident_bytes() <= 256 << 10);
	consumer_close(consumer);
	stream_close(stream, true);
}

static void test_burst_is_given_back(void **state)
{
	(void)state;
	create(RING_BYTES, 1 << 20);
	struct stream *stream = open_stream(1 << 20);
	struct consumer *consumer = open_consumer();
	uint64_t last = 0;

	for (int burst = 0; burst < 3; burst++) {
		uint64_t sent = 0;
		while (write_one(stream, 300000, 0) == 0)
			sent++;
		assert_false(stream_is_short(stream));
		assert_true(sent > 95);
		assert_true(resident_bytes() > RING_BYTES - (2 << 20));
		uint64_t before = last;
		last = read_all(consumer, last);
		assert_int_equal(last, before + sent);
		rest(stream, consumer, &last);
		assert_true(resident_bytes() < 1 << 20);
	}
	consumer_close(consumer);
	stream_close(stream, true);
}

/* What is not read yet is not given back, however long the producer rests. */
static void test_unread_stays(void **state)
{
	(void)state;
	create(RING_BYTES, 1 << 20);
	struct stream *stream = open_stream(1 << 20);
	struct consumer *consumer = open_consumer();
	uint64_t now_ns = clock_mono_ns();

	for (int i = 0; i < 60; i++)
		assert_int_equal(write_one(stream, 300000, 0), 0);
	for (int i = 0; i < 100; i++)
		stream_tend(stream, now_ns += 500 * NS_PER_MS);
	assert_int_equal(read_all(consumer, 0), 60);
	consumer_close(consumer);
	stream_close(stream, true);
}

/* An observer that has stopped in what was given back learns that it lost its place. */
static void test_observer_is_told(void **state)
{
	(void)state;
	struct observer_record record = {0};
	struct observer *observer = NULL;
	const uint8_t *payload;

	create(RING_BYTES, 1 << 20);
	struct stream *stream = open_stream(1 << 20);
	struct consumer *consumer = open_consumer();
	uint64_t last = 0;

	assert_int_equal(observer_open(path, &observer, NULL), 0);
	for (int i = 0; i < 60; i++)
		assert_int_equal(write_one(stream, 300000, 0), 0);
	for (int i = 0; i < 50; i++)
		assert_int_equal(observer_next(observer, &record, NULL), 1);
	assert_int_equal(observer_copy(observer, &payload, NULL), 0);
	last = read_all(consumer, last);
	rest(stream, consumer, &last);
	assert_true(resident_bytes() < 1 << 20);
	assert_int_equal(observer_copy(observer, &payload, NULL), -EOVERFLOW);
	assert_int_equal(observer_next(observer, &record, NULL), 0);
	assert_int_equal(write_one(stream, 1000, 0), 0);
	assert_int_equal(observer_next(observer, &record, NULL), 1);
	assert_int_equal(record.header.sequence, 61);
	observer_close(observer);
	consumer_close(consumer);
	stream_close(stream, true);
}

static void mount_tmpfs(const char *size)
{
	if (geteuid() != 0 || mount("none", folder, "tmpfs", 0, size) != 0)
		skip(); /* needs root: make test runs as root in CI */
}

/* No room for the whole ring: the producer waits for its store earlier, loses nothing, and uses what comes free. */
static void test_full_tmpfs(void **state)
{
	(void)state;
	struct enrg_error err = {0};
	struct stream_status status;
	uint64_t last = 0, sent = 0, before;

	mount_tmpfs("size=8m");
	create(RING_BYTES, 1 << 20);
	struct stream *stream = open_stream(0);
	struct consumer *consumer = open_consumer();

	for (; write_one(stream, 300000, 0) == 0; sent++)
		;
	assert_true(stream_is_short(stream));
	assert_true(sent > 20 && sent < 30);
	assert_int_equal(write_one(stream, 300000, 100 * NS_PER_MS), -EAGAIN);
	assert_int_equal(stream_read_status(path, &status, &err), 0);
	assert_true(status.blocked_ns >= 100 * NS_PER_MS);
	last = read_all(consumer, last);
	assert_int_equal(last, sent);
	for (int i = 0; i < 500; i++) { /* what is there goes round */
		assert_int_equal(write_one(stream, 300000, 0), 0);
		last = read_all(consumer, last);
	}
	assert_true(stream_is_short(stream));
	assert_int_equal(mount("none", folder, "tmpfs", MS_REMOUNT, "size=64m"), 0);
	for (before = stream->sequence; write_one(stream, 300000, 0) == 0;)
		;
	assert_false(stream_is_short(stream));
	assert_true(stream->sequence - before > 90);
	last = read_all(consumer, last);
	assert_int_equal(last, stream->sequence);
	consumer_close(consumer);
	stream_close(stream, true);
}

/* Nothing at all is left for a ring: its first record waits; and a file of which not even the first pages exist is an
 * error that says what to do. */
static void test_nothing_left(void **state)
{
	(void)state;
	struct enrg_error err = {0};
	const struct stream_params params = {
		.path = path, .source = "test", .data_bytes = 1 << 20, .record_bytes_max = 1000};

	mount_tmpfs("size=64k");
	create(RING_BYTES, 1 << 20);
	struct stream *stream = open_stream(0);
	struct consumer *consumer = open_consumer();
	assert_int_equal(write_one(stream, 300000, 0), -EAGAIN);
	assert_true(stream_is_short(stream));
	assert_int_equal(write_one(stream, 10000, 0), 0);
	assert_int_equal(read_all(consumer, 0), 1);
	consumer_close(consumer);
	stream_close(stream, true);
	unlink(path);
	umount(folder);
	mount_tmpfs("size=16k");
	assert_int_equal(stream_create(&params, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "ring_buffer_size_mb"));
}

/* Bursts, rests, and pages that go back at once, until somebody kills it. */
static void live(unsigned seed)
{
	struct stream *stream = open_stream(256 << 10);
	uint64_t now_ns = clock_mono_ns();

	stream->pages.calm_ns = 1;
	for (;;) {
		uint64_t bytes = (uint64_t)rand_r(&seed) % 100000;
		for (int i = rand_r(&seed) % 200; i > 0; i--)
			(void)write_one(stream, bytes, NS_PER_MS);
		for (int i = rand_r(&seed) % 20; i > 0; i--)
			stream_tend(stream, now_ns += 500 * NS_PER_MS);
	}
}

static void test_killed_at_any_moment(void **state)
{
	(void)state;
	unsigned seed = 7;
	uint64_t last = 0, lowest = UINT64_MAX;

	create(8 << 20, 200000);
	struct consumer *consumer = open_consumer();
	for (unsigned i = 0; i < 60; i++) {
		pid_t child = fork();
		if (child == 0)
			live(i);
		for (uint64_t until = clock_mono_ns() + (uint64_t)(rand_r(&seed) % 20000000);
			clock_mono_ns() < until;) {
			last = read_all(consumer, last);
			uint64_t now = resident_bytes();
			lowest = now < lowest ? now : lowest;
		}
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	last = read_all(consumer, last);
	struct stream *stream = open_stream(256 << 10);
	assert_int_equal(stream->sequence, last);
	assert_true(last > 1000);
	assert_true(lowest < 4 << 20);
	consumer_close(consumer);
	stream_close(stream, true);
}

/* Of a removed source: without its memory a stream counts on, and where it comes back all before its place is there. */
static void test_freed_and_got_again(void **state)
{
	uint64_t last, resident;
	uint8_t uuid[16];

	(void)state;
	create(RING_BYTES, 200000);
	struct consumer *consumer = open_consumer();
	struct stream *stream = open_stream(0);
	for (unsigned i = 0; i < 250; i++) { /* once round, and on */
		assert_int_equal(write_one(stream, 200000, NS_PER_MS), 0);
		stream_publish(stream);
		last = read_all(consumer, i);
	}
	uint64_t offset = stream->offset;
	memcpy(uuid, stream_uuid(stream), sizeof(uuid));
	assert_int_equal(stream_free_pages(path, NULL), -EBUSY);
	consumer_close(consumer);
	stream_close(stream, true);
	assert_true(resident_bytes() > offset);

	assert_int_equal(stream_free_pages(path, NULL), 0);
	resident = resident_bytes();
	assert_true(resident <= 64 << 10);
	assert_int_equal(stream_get_pages(path, NULL), 0);
	assert_in_range(resident_bytes(), resident + offset, resident + offset + 65536);

	stream = open_stream(0);
	assert_int_equal(stream->offset, offset);
	assert_int_equal(stream_last_sequence(stream), last);
	assert_memory_equal(stream_uuid(stream), uuid, sizeof(uuid));
	consumer = open_consumer();
	for (unsigned i = 0; i < 200; i++) {
		assert_int_equal(write_one(stream, 200000, NS_PER_MS), 0);
		stream_publish(stream);
		last = read_all(consumer, last);
	}
	assert_int_equal(stream_last_sequence(stream), last);
	consumer_close(consumer);
	stream_close(stream, true);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_slow_source_stays_small),
		CASE(test_burst_is_given_back),
		CASE(test_unread_stays),
		CASE(test_observer_is_told),
		CASE(test_full_tmpfs),
		CASE(test_nothing_left),
		CASE(test_freed_and_got_again),
		CASE(test_killed_at_any_moment),
	};

	return cmocka_run_group_tests_name("plane.stream_pages", tests, NULL, NULL);
}

/* stream_threads_test.c: both sides of a stream as threads of one process, on one mapping: a thread sanitizer sees
 * every access of both, and what orders them. Where a claim, a record or an acknowledgement were ordered by chance
 * alone, it says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plane/consumer_state.h"
#include "plane/stream.h"
#include "plane/stream_state.h"

#define RECORDS     30000u
#define RECORD_MAX  3000u
#define RING_BYTES  (32u << 10)
#define PAUSE_EVERY 1000u /* records, then one side falls asleep */

static char folder[64], path[128];

static int setup(void **state)
{
	const struct stream_params params = {.path = path,
		.source = "test",
		.run = "r1",
		.supervisor = "s",
		.data_bytes = RING_BYTES,
		.record_bytes_max = RECORD_MAX,
		.checks = true};

	(void)state;
	snprintf(folder, sizeof(folder), "/dev/shm/enrgdaq-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.stream", folder);
	assert_int_equal(stream_create(&params, NULL), 0);
	assert_int_equal(stream_add_consumer(path, "store", NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	rmdir(folder);
	return 0;
}

struct pair_of_sides {
	struct stream *stream;
	struct consumer *consumer;
	struct mapping own; /* of the consumer, while it uses the producer's */
};

static uint32_t bytes_of(uint64_t sequence)
{
	return (uint32_t)(sequence * 7919 % RECORD_MAX);
}

static void *produce(void *context)
{
	struct stream *stream = ((struct pair_of_sides *)context)->stream;
	struct stream_claim claim;

	for (uint64_t i = 1; i <= RECORDS; i++) {
		if (i % PAUSE_EVERY == 0)
			usleep(1000);
		if (stream_claim(stream, bytes_of(i), UINT64_MAX, &claim))
			return "claim";
		memset(claim.payload, (int)(i & 255), bytes_of(i));
		stream_commit(
			stream, &(struct stream_commit){
					.type = RECORD_DATA, .rows = 1, .body_bytes = bytes_of(i), .hold = i % 3 == 1});
	}
	stream_publish(stream);
	return NULL;
}

static bool is_whole(const struct consumer *consumer, const struct consumer_record *record, uint64_t sequence)
{
	uint32_t bytes = record->header->body_bytes;

	if (record->header->sequence != sequence || bytes != bytes_of(sequence) ||
		consumer_check(consumer, record, NULL))
		return false;
	for (uint32_t i = 0; i < bytes; i++)
		if (record->payload[i] != (uint8_t)sequence)
			return false;
	return true;
}

static void *consume(void *context)
{
	struct pair_of_sides *sides = context;
	struct consumer_record record;

	for (uint64_t i = 1; i <= RECORDS;) {
		int taken = consumer_acquire(sides->consumer, &record, NULL);
		if (taken < 0 || (taken && !is_whole(sides->consumer, &record, i)))
			return "a record that is not whole";
		if (taken == 0) {
			consumer_wait(&sides->consumer, 1, NULL, 0, UINT64_MAX);
			continue;
		}
		if (i % PAUSE_EVERY == PAUSE_EVERY / 2)
			usleep(1000);
		if (i % 5 || i == RECORDS)
			consumer_release(sides->consumer, record.end, i);
		i++;
	}
	return NULL;
}

/* The consumer gets the producer's mapping: the same bytes at other addresses are other bytes to a sanitizer. */
static void open_sides(struct pair_of_sides *sides)
{
	assert_int_equal(stream_open(path, 0, &sides->stream, NULL), 0);
	assert_int_equal(consumer_open(path, "store", UINT64_MAX, &sides->consumer, NULL), 0);
	sides->own = sides->consumer->mapping;
	sides->consumer->mapping = sides->stream->mapping;
	sides->consumer->slot = mapping_consumer(&sides->stream->mapping, sides->consumer->index);
}

static void accesses_are_ordered(void **state)
{
	struct pair_of_sides sides = {0};
	struct stream_status status;
	pthread_t threads[2];
	void *faults[2];

	(void)state;
	open_sides(&sides);
	assert_int_equal(pthread_create(&threads[0], NULL, produce, &sides), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, consume, &sides), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], &faults[i]), 0);
		if (faults[i])
			fail_msg("%s", (const char *)faults[i]);
	}
	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	assert_int_equal(status.batches, RECORDS);
	assert_int_equal(status.consumers[0].backlog_bytes, 0);
	assert_int_equal(status.rescued + status.consumers[0].rescued, 0); /* nobody had to look by himself */
	assert_true(status.wakes > 0);
	sides.consumer->mapping = sides.own;
	consumer_close(sides.consumer);
	stream_close(sides.stream, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(accesses_are_ordered, setup, teardown)};

	return cmocka_run_group_tests_name("plane.stream_threads", tests, NULL, NULL);
}

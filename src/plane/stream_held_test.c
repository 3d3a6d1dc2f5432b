/* Unit tests: a producer that publishes at points of its own choice, as a processor does with its checkpoints. */
#include "fixtures/stream.h"

#include <errno.h>
#include <string.h>

#include "plane/stream.h"

#define RING 65536u

static struct stream *stream;
static struct consumer *consumer;

static void open_all(void)
{
	const struct stream_params params = {.path = path,
		.source = "p",
		.run = "r",
		.supervisor = "s",
		.data_bytes = RING,
		.record_bytes_max = 16384};

	assert_int_equal(stream_create(&params, NULL), 0);
	assert_int_equal(stream_add_consumer(path, "store", NULL), 0);
	assert_int_equal(stream_open(path, 0, &stream, NULL), 0);
	stream_hold(stream);
	assert_int_equal(consumer_open(path, "store", UINT64_MAX, &consumer, NULL), 0);
}

static int put(uint64_t bytes, uint32_t value)
{
	struct stream_claim claim;
	int rc = stream_claim(stream, bytes, 0, &claim);

	if (rc < 0)
		return rc;
	memcpy(claim.payload, &value, sizeof(value));
	stream_commit(stream, &(struct stream_commit){.type = RECORD_DATA, .rows = 1, .body_bytes = bytes});
	return 0;
}

/* What comes next, 0: nothing. */
static uint32_t take(void)
{
	struct consumer_record record;
	uint32_t value;

	if (consumer_acquire(consumer, &record, NULL) != 1)
		return 0;
	memcpy(&value, record.payload, sizeof(value));
	return value;
}

static void acknowledge(void)
{
	consumer_release(consumer, consumer_position(consumer), 0);
}

static void close_all(void)
{
	consumer_close(consumer);
	stream_close(stream, false);
	unlink(path);
}

static void nothing_is_there_before_it_is_published(void **state)
{
	uint64_t head;

	(void)state;
	open_all();
	head = stream_tail(stream);
	stream_begin_step(stream);
	assert_int_equal(put(100, 1), 0);
	assert_int_equal(put(100, 2), 0);
	assert_int_equal(take(), 0);
	stream_publish(stream); /* what commits and waits call */
	assert_int_equal(take(), 0);
	assert_int_equal(stream_held_bytes(stream), stream_tail(stream) - head);
	stream_publish_held(stream);
	assert_int_equal(stream_held_bytes(stream), 0);
	assert_int_equal(take(), 1);
	assert_int_equal(take(), 2);
	close_all();
}

static void a_claim_that_waits_publishes_nothing(void **state)
{
	struct stream_status status;
	int rc;

	(void)state;
	open_all();
	for (int step = 0; step < 3; step++) { /* three quarters are published, and nobody reads */
		stream_begin_step(stream);
		assert_int_equal(put(15 << 10, 1), 0);
		stream_publish_held(stream);
	}
	stream_begin_step(stream);
	while ((rc = put(1 << 10, 2)) == 0)
		;
	assert_int_equal(rc, -EAGAIN); /* full, not over the limit of a step */
	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	assert_int_equal(status.head, stream_tail(stream) - stream_held_bytes(stream));
	assert_true(stream_held_bytes(stream) > 0);
	while (take() == 1)
		;
	acknowledge();
	assert_int_equal(put(1 << 10, 2), 0);
	assert_int_equal(take(), 0);
	close_all();
}

static void a_step_fills_half_of_the_ring_at_most(void **state)
{
	uint64_t begin;
	int rc;

	(void)state;
	open_all();
	for (int lap = 0; lap < 40; lap++) { /* wherever in the ring it begins */
		stream_begin_step(stream);
		begin = stream_tail(stream);
		while ((rc = put(3000, 7)) == 0)
			;
		assert_int_equal(rc, -EMSGSIZE);
		assert_true(stream_tail(stream) - begin > RING / 2 - 4096);
		assert_true(stream_tail(stream) - begin <= RING / 2);
		stream_publish_held(stream);
		while (take())
			;
		acknowledge();
	}
	close_all();
}

/* A quarter held back beforehand and then half a ring, while the consumer keeps up with what it sees: never a wait that
 * nothing can end. */
static void a_step_always_finds_its_room(void **state)
{
	(void)state;
	open_all();
	stream_govern(stream, 1000000, 1);
	for (int step = 0; step < 300; step++) {
		stream_begin_step(stream);
		for (uint64_t begin = stream_tail(stream); stream_tail(stream) - begin < RING / 4 - 4096;)
			assert_int_equal(put(1000 + (uint64_t)step * 7 % 2000, 1), 0);
		stream_begin_step(stream);
		for (uint64_t begin = stream_tail(stream); stream_tail(stream) - begin < RING / 2 - 4096;) {
			int rc = put(1000 + (uint64_t)step * 11 % 2000, 1);
			while (take()) /* what an earlier step published */
				;
			acknowledge();
			assert_true(rc == 0 || rc == -EAGAIN);
		}
		stream_publish_held(stream);
	}
	close_all();
}

static void what_was_held_back_is_gone_with_its_life(void **state)
{
	struct stream_status before, after;

	(void)state;
	open_all();
	assert_int_equal(put(100, 1), 0);
	stream_count_dropped(stream, 3);
	stream_publish_held(stream);
	assert_int_equal(stream_read_status(path, &before, NULL), 0);
	assert_int_equal(before.dropped_rows, 3);
	assert_int_equal(put(100, 2), 0);
	stream_count_dropped(stream, 4);
	stream_close(stream, true); /* also a close publishes nothing */
	assert_int_equal(stream_open(path, 0, &stream, NULL), 0);
	stream_hold(stream);
	assert_true(stream_is_successor(stream));
	assert_int_equal(stream_epoch(stream), 2);
	stream_continue_exactly(stream, 3, true);
	assert_false(stream_is_successor(stream));
	assert_int_equal(stream_epoch(stream), 1);
	assert_int_equal(stream_read_status(path, &after, NULL), 0);
	assert_int_equal(after.head, before.head);
	assert_int_equal(after.sequence, 1);
	assert_int_equal(after.dropped_rows, 3);
	assert_int_equal(after.epoch, 1);
	assert_int_equal(put(100, 3), 0);
	stream_publish_held(stream);
	assert_int_equal(take(), 1);
	assert_int_equal(take(), 3);
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_there_before_it_is_published, setup, teardown),
		cmocka_unit_test_setup_teardown(a_claim_that_waits_publishes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_step_fills_half_of_the_ring_at_most, setup, teardown),
		cmocka_unit_test_setup_teardown(a_step_always_finds_its_room, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_held_back_is_gone_with_its_life, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

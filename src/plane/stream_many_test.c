/* stream_many_test.c: many small records at once, by both ways of writing them: order, content, limits, damage, kills,
 * observers. */
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
#include <sys/wait.h>
#include <unistd.h>

#include "fixtures/stream.h"
#include "plane/stream_state.h"

#define RING_BYTES    (1u << 20)
#define PAYLOAD_BYTES 200u /* the largest here */
#define GAP_EVERY     97u
#define ROUTE_EVERY   31u
#define FOR_EVER      UINT64_MAX

static void create_for(uint64_t data_bytes, uint64_t record_bytes_max, bool checks)
{
	struct enrg_error err = {0};
	const struct stream_params params = {.path = path,
		.source = "test",
		.run = "r1",
		.supervisor = "s",
		.data_bytes = data_bytes,
		.record_bytes_max = record_bytes_max,
		.checks = checks};

	if (stream_create(&params, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(stream_add_consumer(path, "store", &err), 0);
}

static void create(uint64_t data_bytes, bool checks)
{
	create_for(data_bytes, PAYLOAD_BYTES, checks);
}

/* `uses_stage`: the way, for good; else it is tried out. */
static struct stream *open_stream(uint64_t hot_bytes, const bool *uses_stage)
{
	struct enrg_error err = {0};
	struct stream *stream = NULL;
	uint16_t route;

	if (stream_open(path, hot_bytes, &stream, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(
		stream_add_route(stream, &(struct stream_route){.tag = "first", .schema = "schema", .schema_bytes = 6},
			&route, &err),
		0);
	assert_int_equal(
		stream_add_route(stream, &(struct stream_route){.tag = "second", .schema = "schema", .schema_bytes = 6},
			&route, &err),
		0);
	if (uses_stage) {
		stream->many.prefers_stage = *uses_stage;
		stream->many.due_ns = UINT64_MAX;
	}
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

/* What record n is like follows from n: long runs that are alike, and now and then one that is not. */
static struct stream_commit commit_of(uint64_t n)
{
	return (struct stream_commit){
		.route = n % ROUTE_EVERY == 0,
		.type = n % GAP_EVERY == 0 ? RECORD_GAP : RECORD_DATA,
		.rows = n / 50 % 2 ? 1 : 7,
		.meta_bytes = n / 40 % 3 ? 0 : 24,
		.body_bytes = n / 60 % 2 ? 100 : 64,
		.acquired_ns = n * 1000,
		.committed_ns = n % 2 ? n : 0,
	};
}

static uint8_t byte_of(uint64_t n, uint32_t i)
{
	return (uint8_t)(n * 31 + i * 7);
}

/* Up to `count` records from `first` on. How many, or what the claim said. */
static int write_some(struct stream *stream, uint64_t first, uint32_t count, bool hold, uint64_t timeout_ns)
{
	struct stream_commit commits[300];
	struct stream_claim_many claim;
	int rc = stream_claim_many(stream, PAYLOAD_BYTES, count, timeout_ns, &claim);

	if (rc < 0)
		return rc;
	assert_in_range(claim.count, 1, count);
	for (uint32_t i = 0; i < claim.count; i++) {
		uint8_t *payload = claim.payload + (size_t)i * claim.stride_bytes;
		commits[i] = commit_of(first + i);
		assert_int_equal((uintptr_t)payload % SEGMENT_LINE, 0);
		for (uint32_t byte = 0; byte < commits[i].meta_bytes + commits[i].body_bytes; byte++)
			payload[byte] = byte_of(first + i, byte);
	}
	stream_commit_many(stream, commits, claim.count, hold);
	return (int)claim.count;
}

static void check_one(const struct consumer *consumer, const struct consumer_record *record, uint64_t n)
{
	const struct record *header = record->header;
	const struct stream_commit expected = commit_of(n);

	assert_int_equal(header->sequence, n);
	assert_int_equal(header->route, expected.route);
	assert_int_equal(header->type, expected.type);
	assert_int_equal(header->rows, expected.rows);
	assert_int_equal(header->meta_bytes, expected.meta_bytes);
	assert_int_equal(header->body_bytes, expected.body_bytes);
	assert_int_equal(header->acquired_ns, expected.acquired_ns);
	assert_true(n % 2 ? header->committed_ns == n : header->committed_ns > 0);
	assert_int_equal(consumer_check(consumer, record, NULL), 0);
	for (uint32_t byte = 0; byte < header->meta_bytes + header->body_bytes; byte++)
		if (record->payload[byte] != byte_of(n, byte))
			fail_msg("record %llu, byte %u", (unsigned long long)n, byte);
}

/* Reads all that is published, by turns many at once and one by one. */
static void read_all(struct consumer *consumer, uint64_t *seen)
{
	struct consumer_record records[CONSUMER_MANY];
	uint32_t ask = 1;
	int got;

	for (;;) {
		ask = ask * 5 % (CONSUMER_MANY + 7) + 1;
		got = ask % 4 ? consumer_acquire_many(consumer, records, ask, NULL)
			      : consumer_acquire(consumer, records, NULL);
		if (got <= 0)
			break;
		assert_in_range(got, 1, ask < CONSUMER_MANY ? ask : CONSUMER_MANY);
		for (int i = 0; i < got; i++)
			check_one(consumer, &records[i], ++*seen);
		assert_int_equal(records[got - 1].end, consumer_position(consumer));
		consumer_release(consumer, records[got - 1].end, *seen);
	}
	assert_int_equal(got, 0);
}

static void run_order_and_content(bool checks, bool uses_stage, uint64_t hot_bytes)
{
	create(RING_BYTES, checks);
	struct stream *stream = open_stream(hot_bytes, &uses_stage);
	struct consumer *consumer = open_consumer();
	struct stream_status status;
	uint64_t written = 0, seen = 0, on_second = 0;

	while (written < 30000) {
		uint32_t count = (uint32_t)(written * 13 % 300) + 1;
		int done = write_some(stream, written + 1, count, written % 3 == 0, 0);
		written += done > 0 ? (uint64_t)done : 0;
		if (done == -EAGAIN || written % 5 == 0)
			read_all(consumer, &seen);
	}
	stream_publish(stream);
	read_all(consumer, &seen);
	assert_int_equal(seen, written);
	on_second = written / ROUTE_EVERY;
	assert_int_equal(stream_route_sequence(stream, 0), written - on_second + 1);
	assert_int_equal(stream_route_sequence(stream, 1), on_second + 1);
	consumer_close(consumer);
	stream_close(stream, true);
	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	assert_int_equal(status.sequence, written);
	assert_int_equal(status.batches, written);
	assert_int_equal(status.gaps, written / GAP_EVERY);
	unlink(path);
}

static void test_order_and_content(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++)
		run_order_and_content(i & 1, i & 2, i & 4 ? 200000 : 0);
}

static void run_counters(bool checks, bool uses_stage)
{
	create(RING_BYTES, checks);
	struct stream *stream = open_stream(0, &uses_stage);
	struct stream_status status;
	uint64_t rows = 0, bytes = 0, written = 0;

	while (written < 500)
		written += (uint64_t)write_some(stream, written + 1, 100, false, 0);
	for (uint64_t n = 1; n <= written; n++) {
		rows += commit_of(n).rows;
		bytes += commit_of(n).meta_bytes + commit_of(n).body_bytes;
	}
	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	assert_int_equal(status.rows, rows);
	assert_int_equal(status.bytes, bytes);
	assert_int_equal(status.gaps, written / GAP_EVERY);
	stream_close(stream, true);
	unlink(path);
}

static void test_counters(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		run_counters(i & 1, i & 2);
}

static void test_limits(void **state)
{
	(void)state;
	create(64 << 10, true);
	struct stream *stream = open_stream(0, NULL);
	struct consumer *consumer = open_consumer();
	struct stream_claim_many claim;
	struct stream_commit commits[2] = {commit_of(1), commit_of(2)};
	struct consumer_record record;
	uint64_t seen = 0;

	assert_int_equal(stream_claim_many(stream, 100000, 1, 0, &claim), -EMSGSIZE);
	assert_int_equal(stream_claim_many(stream, PAYLOAD_BYTES, 100000, 0, &claim), 0);
	assert_int_equal(claim.count, (32 << 10) / claim.stride_bytes); /* half the ring */
	memset(claim.payload, 'x', claim.stride_bytes - sizeof(struct record));
	stream_abort(stream);
	stream_commit_many(stream, commits, 2, false); /* there is no claim: nothing happens */
	assert_int_equal(consumer_acquire_many(consumer, &record, 1, NULL), 0);
	/* Two of those claimed; the next claim begins behind them. */
	assert_int_equal(stream_claim_many(stream, PAYLOAD_BYTES, 50, 0, &claim), 0);
	for (uint32_t n = 1; n <= 2; n++)
		for (uint32_t byte = 0; byte < PAYLOAD_BYTES; byte++)
			claim.payload[(n - 1) * claim.stride_bytes + byte] = byte_of(n, byte);
	stream_commit_many(stream, commits, 2, true);
	assert_int_equal(consumer_acquire_many(consumer, &record, 1, NULL), 0); /* held */
	assert_int_equal(write_some(stream, 3, 50, false, 0), 50);
	read_all(consumer, &seen);
	assert_int_equal(seen, 52);
	int done;
	for (uint64_t n = 53; (done = write_some(stream, n, 50, false, 0)) > 0;)
		n += (uint64_t)done;
	assert_int_equal(done, -EAGAIN);
	read_all(consumer, &seen);
	assert_int_equal(write_some(stream, seen + 1, 50, false, 0), 50);
	consumer_close(consumer);
	stream_close(stream, true);
}

/* A claim that came to nothing leaves none open, though one was open before. */
static void test_failed_claim(void **state)
{
	(void)state;
	create(RING_BYTES, false);
	struct stream *stream = open_stream(0, NULL);
	struct stream_claim_many claim;
	const struct stream_commit commit = commit_of(1);

	assert_int_equal(stream_claim_many(stream, PAYLOAD_BYTES, 1, 0, &claim), 0);
	assert_int_equal(stream_claim_many(stream, 100000, 1, 0, &claim), -EMSGSIZE);
	stream_commit_many(stream, &commit, 1, false);
	assert_int_equal(stream_in_flight(stream), 0);
	assert_int_equal(stream->sequence, 0);
	stream_close(stream, true);
}

/* A full ring: nothing is handed out, what is held comes out, and an interruption ends the wait. */
static void test_full_ring(void **state)
{
	(void)state;
	create(64 << 10, true);
	struct stream *stream = open_stream(0, NULL);
	struct consumer *consumer = open_consumer();
	uint64_t written = 0, seen = 0;
	int done;

	while ((done = write_some(stream, written + 1, 30, true, 0)) > 0)
		written += (uint64_t)done;
	assert_int_equal(done, -EAGAIN);
	assert_int_equal(stream->tail, stream->published);
	assert_int_equal(stream_in_flight(stream), stream->tail);
	assert_int_equal(write_some(stream, written + 1, 30, true, 1000000), -EAGAIN);
	stream_interrupt(stream);
	assert_int_equal(write_some(stream, written + 1, 30, true, FOR_EVER), ENRG_E_STOPPED);
	read_all(consumer, &seen);
	assert_int_equal(seen, written);
	assert_int_equal(stream_in_flight(stream), 0);
	/* There is room: no wait, no stop. */
	assert_int_equal(write_some(stream, written + 1, 30, false, FOR_EVER), 30);
	read_all(consumer, &seen);
	assert_int_equal(seen, written + 30);
	consumer_close(consumer);
	stream_close(stream, true);
}

/* Both kinds of claims by turns, and an acknowledgement in the middle of many: the next life of the consumer goes on
 * behind it. */
static void run_release_in_the_middle(bool uses_stage)
{
	create(RING_BYTES, false);
	struct stream *stream = open_stream(0, &uses_stage);
	struct consumer *consumer = open_consumer();
	struct consumer_record records[CONSUMER_MANY];
	struct stream_claim claim;

	for (uint64_t n = 1; n <= 60; n += 20) {
		const struct stream_commit commit = commit_of(n);
		assert_int_equal(stream_claim(stream, PAYLOAD_BYTES, 0, &claim), 0);
		for (uint32_t byte = 0; byte < commit.meta_bytes + commit.body_bytes; byte++)
			claim.payload[byte] = byte_of(n, byte);
		stream_commit(stream, &commit);
		assert_int_equal(write_some(stream, n + 1, 19, n == 21, 0), 19);
	}
	assert_int_equal(consumer_acquire_many(consumer, records, CONSUMER_MANY, NULL), 60);
	for (uint32_t i = 0; i < 60; i++)
		check_one(consumer, &records[i], i + 1);
	consumer_release(consumer, records[32].end, 33);
	assert_int_equal(stream_in_flight(stream), records[59].end - records[32].end);
	consumer_close(consumer);
	consumer = open_consumer();
	assert_int_equal(consumer_acquire_many(consumer, records, CONSUMER_MANY, NULL), 27);
	for (uint32_t i = 0; i < 27; i++)
		check_one(consumer, &records[i], i + 34);
	consumer_close(consumer);
	stream_close(stream, true);
	unlink(path);
}

static void test_release_in_the_middle(void **state)
{
	(void)state;
	run_release_in_the_middle(false);
	run_release_in_the_middle(true);
}

/* However far a scribbled head promises records that are all alike, none is read beyond the ring. */
static void test_scribbled_head(void **state)
{
	(void)state;
	enum { RECORDS = 16, RECORD_BYTES = 4096 };
	create_for(RECORDS * RECORD_BYTES, 8000, false);
	struct stream *stream = open_stream(0, NULL);
	struct consumer *consumer = open_consumer();
	struct consumer_record records[CONSUMER_MANY];
	struct stream_claim claim;
	const uint64_t body_bytes = RECORD_BYTES - sizeof(struct record);

	for (unsigned i = 0; i < RECORDS; i++) {
		assert_int_equal(stream_claim(stream, body_bytes, 0, &claim), 0);
		stream_commit(
			stream, &(struct stream_commit){.type = RECORD_DATA, .rows = 1, .body_bytes = body_bytes});
	}
	assert_int_equal(stream->tail, RECORDS * RECORD_BYTES);
	atomic_store(&stream->mapping.producer->head, UINT64_C(1) << 40);
	assert_int_equal(consumer_acquire_many(consumer, records, CONSUMER_MANY, NULL), CONSUMER_MANY);
	for (size_t i = 0; i < CONSUMER_MANY; i++) {
		assert_int_equal(records[i].position, i * RECORD_BYTES);
		assert_ptr_equal(records[i].payload, records[0].payload + i % RECORDS * RECORD_BYTES);
	}
	consumer_close(consumer);
	stream_close(stream, false);
}

/* Both ways are tried while it runs, and what was written by either comes out. */
static void test_trials(void **state)
{
	(void)state;
	create(RING_BYTES, false);
	struct stream *stream = open_stream(0, NULL);
	struct consumer *consumer = open_consumer();
	uint64_t written = 0, seen = 0;
	bool was_staged = false, was_direct = false;

	while (stream->many.period_ns == 0) {
		written += (uint64_t)write_some(stream, written + 1, 200, false, 0);
		was_staged |= stream->many.uses_stage;
		was_direct |= !stream->many.uses_stage;
		read_all(consumer, &seen);
	}
	assert_true(was_staged);
	assert_true(was_direct);
	assert_int_equal(stream->many.step, 0);
	assert_int_equal(seen, written);
	consumer_close(consumer);
	stream_close(stream, true);
}

/* Scribbles over one record of `count`: those before it come, then the error, then those behind it. */
static void run_damage(bool checks, uint64_t damaged, void (*scribble)(struct record *header))
{
	create(RING_BYTES, checks);
	const bool uses_stage = false;
	struct stream *stream = open_stream(0, &uses_stage);
	struct consumer *consumer = open_consumer();
	struct consumer_record records[CONSUMER_MANY];
	struct stream_claim_many claim;
	struct stream_commit commits[40];
	struct enrg_error err = {0};

	assert_int_equal(stream_claim_many(stream, 64, 40, 0, &claim), 0);
	for (uint32_t i = 0; i < 40; i++)
		commits[i] = (struct stream_commit){.type = RECORD_DATA, .rows = 1, .body_bytes = 64};
	stream_commit_many(stream, commits, 40, true);
	scribble((struct record *)(void *)(claim.payload + damaged * claim.stride_bytes - sizeof(struct record)));
	stream_publish(stream);
	assert_int_equal(consumer_acquire_many(consumer, records, CONSUMER_MANY, &err), damaged);
	assert_int_equal(err.code, 0);
	assert_int_equal(records[damaged - 1].header->sequence, damaged);
	assert_int_equal(consumer_acquire_many(consumer, records, CONSUMER_MANY, &err), ENRG_E_CORRUPT);
	assert_non_null(strstr(err.text, "position"));
	assert_int_equal(consumer_skip(consumer), 0);
	assert_int_equal(consumer_acquire_many(consumer, records, CONSUMER_MANY, &err), 40 - damaged - 1);
	assert_int_equal(records[0].header->sequence, damaged + 2);
	consumer_close(consumer);
	stream_close(stream, true);
	unlink(path);
}

static void make_type_unknown(struct record *header)
{
	header->type = 77;
}

static void make_body_too_long(struct record *header)
{
	header->body_bytes = 65;
}

static void make_lead(struct record *header)
{
	header->lead_bytes = 64;
}

static void test_damage(void **state)
{
	(void)state;
	for (int checks = 0; checks < 2; checks++) {
		run_damage(checks, 13, make_type_unknown);
		run_damage(checks, 13, make_body_too_long);
		run_damage(checks, 38, make_lead);
	}
}

/* A longer record among shorter ones, and one that only looks as long as what is published. */
static void test_other_lengths(void **state)
{
	(void)state;
	create(RING_BYTES, false);
	struct stream *stream = open_stream(0, NULL);
	struct consumer *consumer = open_consumer();
	struct consumer_record records[CONSUMER_MANY];
	struct stream_claim claim;
	static const uint64_t lengths[] = {64, 64, 64, 200, 64, 0, 0, 64};

	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(stream_claim(stream, lengths[i], 0, &claim), 0);
		stream_commit(stream, &(struct stream_commit){
					      .type = RECORD_DATA, .rows = 1, .body_bytes = lengths[i], .hold = i < 7});
	}
	assert_int_equal(consumer_acquire_many(consumer, records, CONSUMER_MANY, NULL), 8);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(records[i].header->sequence, i + 1);
		assert_int_equal(records[i].header->body_bytes, lengths[i]);
		assert_int_equal(records[i].end - records[i].position, records[i].header->length);
	}
	consumer_close(consumer);
	stream_close(stream, true);
}

/* Lives of a producer, each killed at a random moment; the stream continues without a hole. */
static void test_killed_producer(void **state)
{
	(void)state;
	unsigned seed = 3;
	uint64_t seen = 0;
	struct stream_status status;

	create(RING_BYTES, true);
	struct consumer *consumer = open_consumer();
	for (int life = 0; life < 200; life++) {
		uint64_t before = seen;
		bool uses_stage = life % 2;
		pid_t child = fork();
		if (child == 0) {
			struct stream *stream = open_stream(life % 3 ? 300000 : 0, &uses_stage);
			for (;;)
				write_some(stream, stream->sequence + 1, (uint32_t)(rand_r(&seed) % 200) + 1,
					rand_r(&seed) % 4 == 0, FOR_EVER);
		}
		while (seen == before)
			read_all(consumer, &seen);
		usleep((useconds_t)(rand_r(&seed) % 1000)); /* the moment of the kill is random */
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		read_all(consumer, &seen);
		assert_int_equal(stream_read_status(path, &status, NULL), 0);
		assert_int_equal(status.sequence, seen);
		assert_int_equal(status.batches, seen);
		assert_int_equal(status.epoch, life + 1);
	}
	consumer_close(consumer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order_and_content, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_claim, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(test_release_in_the_middle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_scribbled_head, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trials, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_lengths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_producer, setup, teardown),
	};

	return cmocka_run_group_tests_name("plane.stream_many", tests, NULL, NULL);
}

/* boundary_test.c: runs begin and end in a stream: records, tallies, sequences of tables, kills around them. */
#include "fixtures/stream.h"

#include <errno.h>
#include <string.h>

#include "plane/observer.h"
#include "plane/stream_state.h"

static struct stream *make(void)
{
	const struct stream_params params = {.path = path,
		.source = "source",
		.run = "life",
		.data_bytes = 1 << 20,
		.record_bytes_max = 4096,
		.checks = true};
	struct stream *stream;

	assert_int_equal(stream_create(&params, NULL), 0);
	assert_int_equal(stream_add_consumer(path, "store", NULL), 0);
	assert_int_equal(stream_open(path, 0, &stream, NULL), 0);
	return stream;
}

static uint16_t add_route(struct stream *stream, const char *tag)
{
	uint16_t route;

	assert_int_equal(
		stream_add_route(stream, &(struct stream_route){.tag = tag, .schema = "schema", .schema_bytes = 6},
			&route, NULL),
		0);
	return route;
}

static void put(struct stream *stream, uint16_t route, bool hold)
{
	struct stream_claim claim;

	assert_int_equal(stream_claim(stream, 8, 0, &claim), 0);
	memset(claim.payload, 7, 8);
	stream_commit(stream,
		&(struct stream_commit){.route = route, .type = RECORD_DATA, .rows = 3, .body_bytes = 8, .hold = hold});
}

static int mark(struct stream *stream, enum run_edge edge, const char *run, const char *label)
{
	struct boundary boundary = {.edge = edge, .number = 12, .wall_ns = 99};

	snprintf(boundary.run, sizeof(boundary.run), "%s", run);
	snprintf(boundary.label, sizeof(boundary.label), "%s", label);
	return boundary_commit(stream, &boundary, 0);
}

static void next_is(struct consumer *consumer, unsigned type, uint64_t sequence, struct consumer_record *ret_record)
{
	assert_int_equal(consumer_acquire(consumer, ret_record, NULL), 1);
	assert_int_equal(ret_record->header->type, type);
	assert_int_equal(ret_record->header->sequence, sequence);
	assert_int_equal(consumer_check(consumer, ret_record, NULL), 0);
}

static void counted_and_read(void **state)
{
	struct stream *stream = make();
	struct consumer_record record;
	struct consumer *consumer;
	struct stream_status status;
	struct boundary boundary;
	uint16_t route = add_route(stream, "a");

	(void)state;
	put(stream, route, false);
	assert_int_equal(mark(stream, RUN_BEGINS, "r1", "r1"), 0);
	put(stream, route, false);
	put(stream, route, false);
	assert_int_equal(mark(stream, RUN_ENDED, "r1", "between"), 0);
	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	/* as gap records: counted as records, and as what is no batch; no bytes, no rows */
	assert_int_equal(status.batches, 5);
	assert_int_equal(status.gaps, 2);
	assert_int_equal(status.rows, 9);
	assert_int_equal(status.bytes, 24);
	assert_int_equal(status.boundary_count, 2);
	assert_int_equal(status.boundaries[1].rows - status.boundaries[0].rows, 6);
	assert_int_equal(status.boundaries[0].edge, RUN_BEGINS);
	assert_int_equal(status.boundaries[0].number, 12);
	assert_string_equal(boundary_run(&status.boundaries[0]), "r1");
	assert_string_equal(boundary_run(&status.boundaries[1]), "");
	assert_string_equal(status.boundaries[1].label, "between");

	assert_int_equal(consumer_open(path, "store", UINT64_MAX, &consumer, NULL), 0);
	next_is(consumer, RECORD_DATA, 1, &record);
	next_is(consumer, RECORD_RUN, 2, &record);
	assert_int_equal(record.end, status.boundaries[0].position);
	assert_null(boundary_find(status.boundaries, 2, record.position));
	assert_ptr_equal(boundary_find(status.boundaries, 2, record.end), &status.boundaries[0]);
	assert_int_equal(
		boundary_parse(record.payload, record.header->meta_bytes + record.header->body_bytes, &boundary), 0);
	assert_string_equal(boundary.run, "r1");
	assert_int_equal(boundary.rows, 3);
	assert_int_equal(boundary_parse(record.payload, 8, &boundary), ENRG_E_CORRUPT);
	next_is(consumer, RECORD_DATA, 3, &record);
	next_is(consumer, RECORD_DATA, 4, &record);
	next_is(consumer, RECORD_RUN, 5, &record);
	assert_int_equal(consumer_acquire(consumer, &record, NULL), 0);
	consumer_close(consumer);
	stream_close(stream, true);
}

/* Sequences of tables: from 1 in each run; between runs they go on. */
static void sequences(void **state)
{
	struct stream *stream = make();
	uint16_t a = add_route(stream, "a"), b;

	(void)state;
	assert_int_equal(mark(stream, RUN_ENDED, "", "between"), 0);
	put(stream, a, false);
	put(stream, a, true);
	assert_int_equal(stream_route_sequence(stream, a), 3);
	assert_int_equal(mark(stream, RUN_BEGINS, "r1", "r1"), 0);
	assert_int_equal(stream_route_sequence(stream, a), 1);
	put(stream, a, false);
	b = add_route(stream, "b");
	put(stream, b, false);
	/* what is kept survives the producer */
	stream_close(stream, false);
	assert_int_equal(stream_open(path, 0, &stream, NULL), 0);
	assert_int_equal(boundary_last(stream)->edge, RUN_BEGINS);
	assert_string_equal(boundary_last(stream)->label, "r1");
	assert_int_equal(stream_route_sequence(stream, a), 2);
	assert_int_equal(stream_route_sequence(stream, b), 2);
	assert_int_equal(mark(stream, RUN_ENDED, "r1", "between"), 0);
	assert_int_equal(stream_route_sequence(stream, a), 3);
	assert_int_equal(stream_route_sequence(stream, b), 1);
	put(stream, a, false);
	assert_int_equal(mark(stream, RUN_BEGINS, "r2", "r2"), 0);
	assert_int_equal(stream_route_sequence(stream, a), 1);
	assert_int_equal(mark(stream, RUN_ENDED, "r2", "between"), 0);
	assert_int_equal(stream_route_sequence(stream, a), 4);
	/* said once more, nothing changes; under another label they begin anew */
	assert_int_equal(mark(stream, RUN_ENDED, "", "between"), 0);
	assert_int_equal(stream_route_sequence(stream, a), 4);
	assert_int_equal(mark(stream, RUN_ENDED, "", "later"), 0);
	assert_int_equal(stream_route_sequence(stream, a), 1);
	stream_close(stream, true);
}

/* Killed after the boundary was written and before head: it does not exist, nor do its sequences. */
static void killed_before_head(void **state)
{
	struct stream *stream = make();
	struct stream_status status;
	uint16_t a = add_route(stream, "a");

	(void)state;
	put(stream, a, false);
	put(stream, a, false);
	uint64_t head = atomic_load(&stream->mapping.producer->head);
	assert_int_equal(mark(stream, RUN_BEGINS, "r1", "r1"), 0);
	atomic_store(&stream->mapping.producer->head, head); /* the last instruction never came */
	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	assert_int_equal(status.boundary_count, 0);
	stream_close(stream, false);
	assert_int_equal(stream_open(path, 0, &stream, NULL), 0);
	assert_int_equal(boundary_last(stream)->edge, 0);
	assert_int_equal(stream_route_sequence(stream, a), 3);
	put(stream, a, false);
	put(stream, a, false);
	/* head is beyond the place where it was */
	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	assert_int_equal(status.boundary_count, 0);
	assert_int_equal(status.sequence, 4);
	assert_int_equal(mark(stream, RUN_BEGINS, "r1", "r1"), 0);
	assert_int_equal(boundary_last(stream)->index, 1);
	stream_close(stream, true);
}

static void last_ones_are_kept(void **state)
{
	struct stream *stream = make();
	struct stream_status status;

	(void)state;
	for (int i = 0; i < 10; i++) {
		char run[16];
		snprintf(run, sizeof(run), "r%d", i);
		assert_int_equal(mark(stream, RUN_BEGINS, run, run), 0);
		assert_int_equal(mark(stream, RUN_ENDED, run, "between"), 0);
	}
	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	assert_int_equal(status.boundary_count, SEGMENT_BOUNDARIES);
	for (uint32_t i = 0; i < SEGMENT_BOUNDARIES; i++)
		assert_int_equal(status.boundaries[i].index, 20 - SEGMENT_BOUNDARIES + 1 + i);
	stream_close(stream, true);
}

static uint32_t version_of_file(void)
{
	uint32_t head[3] = {0};
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	assert_int_equal(fread(head, sizeof(head), 1, file), 1);
	fclose(file);
	return head[2];
}

/* Earlier programs refuse streams that were made now, with boundaries or without. */
static void version_follows(void **state)
{
	struct stream *stream = make();

	(void)state;
	put(stream, add_route(stream, "a"), false);
	assert_int_equal(version_of_file(), SEGMENT_VERSION);
	assert_int_equal(mark(stream, RUN_BEGINS, "r1", "r1"), 0);
	assert_int_equal(version_of_file(), SEGMENT_VERSION);
	stream_close(stream, true);
	assert_int_equal(stream_open(path, 0, &stream, NULL), 0);
	stream_close(stream, true);
}

/* To an observer there are batches and gaps alone; a boundary is none that it missed. */
static void observers_step_over(void **state)
{
	struct stream *stream = make();
	struct observer *observer;
	struct observer_record record;
	uint16_t a = add_route(stream, "a");

	(void)state;
	assert_int_equal(observer_open(path, &observer, NULL), 0);
	put(stream, a, false);
	assert_int_equal(mark(stream, RUN_BEGINS, "r1", "r1"), 0);
	put(stream, a, false);
	assert_int_equal(observer_next(observer, &record, NULL), 1);
	assert_int_equal(observer_next(observer, &record, NULL), 1);
	assert_int_equal(record.header.type, RECORD_DATA);
	assert_int_equal(record.header.sequence, 3);
	assert_int_equal(record.skipped, 0);
	assert_int_equal(observer_next(observer, &record, NULL), 0);
	observer_close(observer);
	stream_close(stream, true);
}

static void waits_for_room(void **state)
{
	struct stream *stream = make();
	struct consumer_record record;
	struct consumer *consumer;
	struct stream_claim claim;
	uint16_t a = add_route(stream, "a");

	(void)state;
	while (stream_claim(stream, 8, 0, &claim) == 0)
		stream_commit(stream, &(struct stream_commit){.route = a, .type = RECORD_DATA, .body_bytes = 8});
	assert_int_equal(mark(stream, RUN_BEGINS, "r1", "r1"), -EAGAIN);
	assert_int_equal(boundary_last(stream)->edge, 0);
	assert_int_equal(consumer_open(path, "store", UINT64_MAX, &consumer, NULL), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(consumer_acquire(consumer, &record, NULL), 1);
	consumer_release(consumer, consumer_position(consumer), 0);
	assert_int_equal(mark(stream, RUN_BEGINS, "r1", "r1"), 0);
	consumer_close(consumer);
	stream_close(stream, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(counted_and_read, setup, teardown),
		cmocka_unit_test_setup_teardown(sequences, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_before_head, setup, teardown),
		cmocka_unit_test_setup_teardown(last_ones_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(version_follows, setup, teardown),
		cmocka_unit_test_setup_teardown(observers_step_over, setup, teardown),
		cmocka_unit_test_setup_teardown(waits_for_room, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

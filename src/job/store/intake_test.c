/* intake_test.c: what a store says that it has still to store. In the test process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixtures/messages.h"
#include "job/store/intake.h"

/* A store that is one message behind a producer which uses the first part of its ring alone: what fills the rest of a
 * lap is nothing that it has to store. */
static void a_pad_is_no_backlog(void **state)
{
	struct plan_input plan = {.stream_path = path};
	struct intake_input input = {.plan = &plan};
	struct intake_input *inputs[] = {&input};
	const struct intake intake = {.count = 1, .inputs = inputs};
	uint64_t widest = 0;
	struct consumer_record record;
	struct stream *stream;
	uint16_t route;

	(void)state;
	assert_int_equal(stream_open(path, 1 << 20, &stream, NULL), 0);
	assert_int_equal(
		stream_add_route(stream, &(struct stream_route){.tag = "tag", .schema = "schema", .schema_bytes = 6},
			&route, NULL),
		0);
	assert_int_equal(consumer_open(path, "store", UINT64_MAX, &input.consumer, NULL), 0);
	commit(stream);
	for (int i = 0; i < 100; i++) {
		commit(stream);
		uint64_t positions = consumer_head(input.consumer) - input.committed.position;
		widest = positions > widest ? positions : widest;
		assert_in_range(intake_backlog(&intake), 2 * MESSAGE_BYTES, 2 * MESSAGE_BYTES + 8192);
		assert_int_equal(consumer_acquire(input.consumer, &record, NULL), 1);
		input.committed.position = record.end;
		input.committed.bytes += MESSAGE_BYTES;
		consumer_release(input.consumer, record.end, 0);
	}
	assert_true(widest > 10u << 20);
	consumer_close(input.consumer);
	stream_close(stream, true);
}

/* Behind a wait only those inputs are read in which it has found something. */
static void a_wait_says_what_to_read(void **state)
{
	struct process process = {.page = calloc(1, sizeof(*process.page))};
	struct plan_input plan = {.stream_path = path};
	struct intake_input input = {.plan = &plan};
	struct intake_input *inputs[] = {&input};
	struct consumer *rings[1];
	struct intake intake = {.process = &process, .count = 1, .ring_count = 1, .inputs = inputs, .rings = rings};
	struct consumer_record record;
	struct stream *stream;
	uint16_t route;

	(void)state;
	assert_non_null(process.page);
	assert_int_equal(stream_open(path, 1 << 20, &stream, NULL), 0);
	assert_int_equal(
		stream_add_route(stream, &(struct stream_route){.tag = "tag", .schema = "schema", .schema_bytes = 6},
			&route, NULL),
		0);
	assert_int_equal(consumer_open(path, "store", UINT64_MAX, &input.consumer, NULL), 0);
	assert_true(intake_may_have(&intake, &input)); /* nothing is known yet */
	intake_wait(&intake, 0, 1000);
	assert_false(intake_may_have(&intake, &input));
	intake_forget(&intake);
	assert_true(intake_may_have(&intake, &input));
	commit(stream);
	intake_wait(&intake, 0, 1000000000);
	assert_true(intake_may_have(&intake, &input));
	assert_int_equal(consumer_acquire(input.consumer, &record, NULL), 1);
	assert_false(intake_may_have(&intake, &input)); /* of several, this one has nothing more */
	input.retry_ns = 1;
	assert_true(intake_may_have(&intake, &input));
	intake_wait(&intake, 0, 1000);
	assert_true(intake_may_have(&intake, &input)); /* it was not waited for */
	consumer_close(input.consumer);
	stream_close(stream, true);
	free(process.page);
}

/* A journal that is full makes room for a new stream, but not at the cost of one that is opened behind it. */
static void a_full_journal_keeps_what_is_read(void **state)
{
	char other[200], journal_path[200];
	struct plan_input inputs[] = {{.source = "new", .stream_path = other}, {.source = "kept", .stream_path = path}};
	struct plan plan = {.name = "store", .inputs = inputs, .input_count = 2};
	struct process process = {.plan = &plan};
	const struct journal_stream_state stored = {.rows = 5};
	struct stream_status status;
	struct journal *journal;
	struct intake intake = {0};
	uint8_t uuid[16] = "gone";
	uint32_t index;

	(void)state;
	snprintf(other, sizeof(other), "%s/other.stream", folder);
	snprintf(journal_path, sizeof(journal_path), "%s/store.journal", folder);
	const struct stream_params params = {
		.path = other, .source = "new", .run = "r", .data_bytes = 1 << 20, .record_bytes_max = 4096};
	assert_int_equal(stream_create(&params, NULL), 0);
	assert_int_equal(stream_add_consumer(other, "store", NULL), 0);
	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	assert_int_equal(journal_open(journal_path, &journal, NULL), 0);
	assert_int_equal(journal_add_stream(journal, status.uuid, "kept", &index, NULL), 0);
	journal_set_stream(journal, index, &stored);
	journal_commit(journal);
	for (uint32_t i = 1; i < JOURNAL_STREAMS; i++) {
		memcpy(uuid + 8, &i, sizeof(i));
		assert_int_equal(journal_add_stream(journal, uuid, "gone", &index, NULL), 0);
	}
	journal_close(journal);
	assert_int_equal(journal_open(journal_path, &journal, NULL), 0);
	assert_int_equal(intake_open(&intake, &process, journal, NULL), 0);
	assert_int_equal(intake.inputs[1]->now.rows, 5);
	intake_close(&intake);
	journal_close(journal);
	unlink(other);
	unlink(journal_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_pad_is_no_backlog, set_up, teardown),
		cmocka_unit_test_setup_teardown(a_wait_says_what_to_read, set_up, teardown),
		cmocka_unit_test_setup_teardown(a_full_journal_keeps_what_is_read, set_up, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* drain_test.c: what stores have still to store, as a stop says it. In the test process. */
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
#include "supervisor/drain.h"

/* The first lap of a producer that uses the first part of its ring alone ends with a pad of 15 MB. */
static void a_pad_is_no_backlog(void **state)
{
	struct plan plan = {.name = "source", .stream_path = path};
	struct member member = {.plan = &plan};
	struct member *by_name[] = {&member};
	const struct roster roster = {.count = 1, .members = by_name, .by_name = by_name};
	struct stream_status status = {0};
	struct consumer_record record;
	struct consumer *consumer;
	struct stream *stream;
	uint64_t sent = 0;
	uint16_t route;

	(void)state;
	assert_int_equal(stream_open(path, 1 << 20, &stream, NULL), 0);
	assert_int_equal(
		stream_add_route(stream, &(struct stream_route){.tag = "tag", .schema = "schema", .schema_bytes = 6},
			&route, NULL),
		0);
	assert_int_equal(consumer_open(path, "store", UINT64_MAX, &consumer, NULL), 0);
	commit(stream);
	for (sent = 1; sent < 100 && status.head < 16u << 20; sent++) {
		commit(stream);
		assert_int_equal(stream_read_status(path, &status, NULL), 0);
		if (status.head >= 16u << 20)
			continue;
		assert_int_equal(consumer_acquire(consumer, &record, NULL), 1);
		consumer_release(consumer, record.end, 0);
	}
	assert_true(status.consumers[0].backlog_bytes > 10u << 20);
	assert_in_range(drain_left_bytes(&roster), 2 * MESSAGE_BYTES, sent * (MESSAGE_BYTES + 8192));
	consumer_close(consumer);
	stream_close(stream, true);
}

/* Sources, then processors in the order in which data passes them, whatever stands first, then stores. */
static void processors_end_behind_all_that_they_read(void **state)
{
	struct plan plans[] = {{.name = "last", .is_processor = true, .level = 3}, {.name = "store", .is_store = true},
		{.name = "first", .is_processor = true, .level = 1}, {.name = "source"},
		{.name = "beside", .is_processor = true, .level = 1}};
	struct member members[5];
	struct member *list[] = {&members[0], &members[1], &members[2], &members[3], &members[4]};
	struct roster roster = {.count = 5, .members = list};
	struct drain drain = {0};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		members[i] = (struct member){.plan = &plans[i], .state = MEMBER_PAUSING, .restart.due_ns = UINT64_MAX};
	members[3].state = MEMBER_STOPPED;
	drain_begin(&drain, &roster, 1);
	assert_int_equal(drain.phase, DRAIN_PROCESSORS);
	assert_int_equal(drain.level, 1);
	assert_int_equal(members[2].restart.due_ns, 1); /* one that pauses may hold rows: it is started at once */
	assert_int_equal(members[0].restart.due_ns, UINT64_MAX);
	members[2].state = MEMBER_STOPPED;
	drain_step(&drain, &roster, 2);
	assert_int_equal(drain.level, 1);
	members[4].state = MEMBER_STOPPED;
	drain_step(&drain, &roster, 3);
	assert_int_equal(drain.phase, DRAIN_PROCESSORS);
	assert_int_equal(drain.level, 3);
	members[0].state = MEMBER_STOPPED;
	drain_step(&drain, &roster, 4);
	assert_int_equal(drain.phase, DRAIN_ENDED); /* the store had nothing to drain */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_pad_is_no_backlog, set_up, teardown),
		cmocka_unit_test(processors_end_behind_all_that_they_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

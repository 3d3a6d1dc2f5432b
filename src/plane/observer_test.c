/* observer_test.c: looking at a stream from beside it: whole copies or none, what was missed is counted, nothing is
 * left in the file, nobody waits; cut, replaced and scribbled files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "fixtures/stream.h"
#include "plane/observer.h"
#include "plane/stream_state.h"

static struct stream *make_stream(uint64_t data_bytes, bool checks)
{
	const struct stream_params params = {.path = path,
		.source = "test",
		.run = "r1",
		.supervisor = "s",
		.data_bytes = data_bytes,
		.record_bytes_max = 8000,
		.checks = checks};
	struct stream *stream = NULL;
	struct enrg_error err = {0};
	uint16_t route;

	if (stream_create(&params, &err) != 0 || stream_open(path, 0, &stream, &err) != 0 ||
		stream_add_route(stream,
			&(struct stream_route){.group = 3, .tag = "tag", .schema = "schema", .schema_bytes = 6}, &route,
			&err) != 0)
		fail_msg("%s", err.text);
	return stream;
}

static struct observer *look_at(void)
{
	struct observer *observer = NULL;
	struct enrg_error err = {0};

	if (observer_open(path, &observer, &err) != 0)
		fail_msg("%s", err.text);
	return observer;
}

/* All bytes of a payload are the low byte of its sequence, so that a mixture shows. */
static void write_one(struct stream *stream, uint64_t bytes)
{
	struct stream_claim claim;

	assert_int_equal(stream_claim(stream, bytes, 0, &claim), 0);
	memset(claim.payload, (int)((stream->sequence + 1) & 0xff), bytes);
	stream_commit(stream, &(struct stream_commit){.type = RECORD_DATA, .rows = 1, .body_bytes = bytes});
}

static void assert_payload(const struct observer_record *record, const uint8_t *payload)
{
	for (uint32_t i = 0; i < record->header.body_bytes; i++)
		if (payload[i] != (record->header.sequence & 0xff))
			fail_msg("byte %u of batch %llu", i, (unsigned long long)record->header.sequence);
}

static void test_order_and_content(void **state)
{
	(void)state;
	struct stream *stream = make_stream(1 << 20, true);
	struct observer_record record;
	const struct observer_route *route;
	const uint8_t *payload;

	write_one(stream, 100); /* before it looked */
	struct observer *observer = look_at();
	assert_string_equal(observer_info(observer)->source, "test");
	assert_string_equal(observer_info(observer)->run, "r1");
	assert_int_equal(observer_next(observer, &record, NULL), 0);
	for (uint64_t i = 0; i < 300; i++) { /* three laps */
		write_one(stream, 7000 + i);
		assert_int_equal(observer_next(observer, &record, NULL), 1);
		assert_int_equal(record.header.sequence, i + 2);
		assert_int_equal(record.skipped, 0);
		assert_int_equal(observer_copy(observer, &payload, NULL), 0);
		assert_payload(&record, payload);
	}
	assert_int_equal(observer_next(observer, &record, NULL), 0);
	assert_int_equal(observer_copy(observer, &payload, NULL), -EINVAL);
	assert_int_equal(observer_route(observer, 0, &route), 0);
	assert_int_equal(route->group, 3);
	assert_string_equal(route->tag, "tag");
	assert_memory_equal(route->schema_ipc, "schema", 6);
	assert_int_equal(observer_route(observer, 1, &route), ENRG_E_CORRUPT);
	assert_int_equal(observer_route(observer, 60000, &route), ENRG_E_CORRUPT);
	assert_false(observer_is_at_end(observer));
	write_one(stream, 100);
	stream_close(stream, true);
	assert_false(observer_is_at_end(observer));
	assert_int_equal(observer_next(observer, &record, NULL), 1);
	assert_true(observer_is_at_end(observer));
	observer_close(observer);
}

/* Nobody waits for it, nothing of it is in the file, and it knows what it missed. */
static void test_lapped(void **state)
{
	(void)state;
	struct stream *stream = make_stream(64 << 10, true);
	struct observer *observer = look_at();
	struct observer_record record;
	struct stream_status status;
	const uint8_t *payload;

	write_one(stream, 1000);
	assert_int_equal(observer_next(observer, &record, NULL), 1);
	for (int i = 0; i < 1000; i++)
		write_one(stream, 1000);
	assert_int_equal(observer_copy(observer, &payload, NULL), -EOVERFLOW);
	assert_int_equal(observer_next(observer, &record, NULL), 0); /* all of that is gone: at the newest */
	write_one(stream, 1000);
	assert_int_equal(observer_next(observer, &record, NULL), 1);
	assert_int_equal(record.header.sequence, 1002);
	assert_int_equal(record.skipped, 1001); /* with the one whose copy came too late */
	assert_int_equal(observer_copy(observer, &payload, NULL), 0);
	assert_payload(&record, payload);
	for (int i = 0; i < 5; i++)
		write_one(stream, 1000);
	observer_skip(observer);
	write_one(stream, 1000);
	assert_int_equal(observer_next(observer, &record, NULL), 1);
	assert_int_equal(record.skipped, 5);
	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	assert_int_equal(status.consumer_count, 0);
	assert_int_equal(status.blocked_ns, 0);
	observer_close(observer);
	stream_close(stream, true);
}

/* A claim that was filled and given back has overwritten an old record, though what follows it is short; also by a
 * successor of the one that claimed. */
static void test_aborted_claim(void **state)
{
	(void)state;
	struct stream *stream = make_stream(16384, false);
	struct observer *observer = look_at();
	struct observer_record record;
	struct stream_claim claim;
	const uint8_t *payload;

	for (int restarts = 0; restarts < 2; restarts++) {
		for (int i = 0; i < 15; i++)
			write_one(stream, 960);
		for (int i = 0; i < 2; i++)
			assert_int_equal(observer_next(observer, &record, NULL), 1);
		assert_int_equal(observer_copy(observer, &payload, NULL), 0);
		assert_int_equal(stream_claim(stream, 6000, 0, &claim), 0);
		memset(claim.payload, 'y', 6000);
		if (restarts) {
			stream_close(stream, false);
			assert_int_equal(stream_open(path, 0, &stream, NULL), 0);
		} else {
			stream_abort(stream);
		}
		write_one(stream, 64);
		assert_int_equal(observer_copy(observer, &payload, NULL), -EOVERFLOW);
		observer_skip(observer);
	}
	observer_close(observer);
	stream_close(stream, false);
}

/* A producer at full speed in another process: every copy that is handed over is whole. */
static void test_beside_a_fast_producer(void **state)
{
	(void)state;
	struct stream *stream = make_stream(1 << 20, false);
	struct observer *observer = look_at();
	struct observer_record record;
	struct enrg_error err = {0};
	const uint8_t *payload;
	uint64_t whole = 0, lost = 0, until = clock_mono_ns() + 30000000000u;
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			write_one(stream, 6000);
	}
	while (whole < 3000 && clock_mono_ns() < until) {
		int rc = observer_next(observer, &record, &err);
		if (rc < 0)
			fail_msg("%s", err.text);
		rc = rc ? observer_copy(observer, &payload, &err) : -EAGAIN;
		assert_true(rc == 0 || rc == -EOVERFLOW || rc == -EAGAIN);
		lost += rc == -EOVERFLOW;
		whole += rc == 0;
		if (rc == 0)
			assert_payload(&record, payload);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	print_message("%llu whole, %llu overwritten while they were copied\n", (unsigned long long)whole,
		(unsigned long long)lost);
	assert_true(whole >= 3000);
	observer_close(observer);
	stream_close(stream, false);
}

/* In a process of its own: cmocka's handler of SIGBUS would come before the guard's. */
static void cut_under_it(struct stream *stream)
{
	struct observer_record record;
	struct enrg_error err = {0};
	const uint8_t *payload;

	signal(SIGBUS, SIG_DFL);
	struct observer *observer = look_at();
	write_one(stream, 6000);
	bool is_right = observer_next(observer, &record, &err) == 1;
	is_right =
		is_right && truncate(path, SEGMENT_ARENA_AT) == 0 && observer_copy(observer, &payload, &err) == -ESTALE;
	is_right = is_right && truncate(path, 0) == 0 && observer_next(observer, &record, &err) == -ESTALE &&
		   !observer_is_at_end(observer);
	observer_skip(observer);
	observer_close(observer);
	_exit(is_right ? 0 : 1);
}

static void test_cut(void **state)
{
	(void)state;
	struct stream *stream = make_stream(1 << 20, true);
	pid_t child = fork();
	int status;

	if (child == 0)
		cut_under_it(stream);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(truncate(path, SEGMENT_DATA_AT + (1 << 20)), 0); /* for the producer, which would fault */
	stream_close(stream, false);
}

static void test_replaced(void **state)
{
	(void)state;
	struct stream *stream = make_stream(1 << 20, true);
	struct observer *observer = look_at();
	struct observer_record record;
	struct enrg_error err = {0};
	int rc;

	assert_int_equal(unlink(path), 0);
	struct stream *second = make_stream(1 << 20, true);
	for (int i = 0; (rc = observer_next(observer, &record, &err)) == 0 && i < 2000; i++)
		usleep(10000);
	assert_int_equal(rc, -ESTALE);
	assert_non_null(strstr(err.text, "replaced"));
	observer_close(observer);
	stream_close(stream, false);
	stream_close(second, false);
	assert_int_equal(observer_open("/dev/shm/not-there.stream", &observer, &err), -ENOENT);
}

/* Whatever is written into the file, a call ends with an error and reads nothing outside. */
static void test_scribbled(void **state)
{
	(void)state;
	struct stream *stream = make_stream(64 << 10, true);
	unsigned seed = 1;
	uint8_t *map = mmap(
		NULL, SEGMENT_DATA_AT + (64 << 10), PROT_READ | PROT_WRITE, MAP_SHARED, stream->mapping.descriptor, 0);
	struct segment_producer *producer = (void *)(map + SEGMENT_PRODUCER_AT);

	assert_true(map != MAP_FAILED);
	for (int round = 0; round < 2000; round++) {
		struct observer *observer = look_at();
		struct observer_record record;
		const struct observer_route *route;
		const uint8_t *payload;

		for (int i = 0; i < 3; i++)
			write_one(stream, 500);
		uint64_t head = atomic_load(&producer->head), claimed = atomic_load(&producer->claimed);
		map[SEGMENT_DATA_AT + (head - 64 - (unsigned)rand_r(&seed) % 1600) % (64 << 10)] ^=
			(uint8_t)(1 << (seed & 7));
		if (round % 3 == 0)
			atomic_store(&producer->head, round % 2 ? UINT64_MAX - 63 : (uint64_t)rand_r(&seed));
		if (round % 7 == 0)
			atomic_store(&producer->claimed, (uint64_t)rand_r(&seed) << (seed % 33));
		if (round % 5 == 0)
			atomic_store(&producer->route_count, (uint32_t)rand_r(&seed));
		for (int i = 0; i < 5; i++)
			if (observer_next(observer, &record, NULL) == 1)
				(void)observer_copy(observer, &payload, NULL);
		(void)observer_route(observer, (uint16_t)(seed % 300), &route);
		observer_close(observer);
		atomic_store(&producer->head, head);
		atomic_store(&producer->claimed, claimed);
		atomic_store(&producer->route_count, 1);
	}
	munmap(map, SEGMENT_DATA_AT + (64 << 10));
	stream_close(stream, false);
}

/* A head far away over a ring of pads, with a `claimed` that says that all is there: no call goes through them all. */
static void test_pads_without_end(void **state)
{
	(void)state;
	struct stream *stream = make_stream(64 << 10, false);
	struct observer *observer = look_at();
	struct observer_record record;
	const struct record pad = {.length = sizeof(pad), .type = RECORD_PAD};
	uint8_t *data = stream->mapping.data;

	for (size_t at = 0; at < 64 << 10; at += sizeof(pad))
		memcpy(data + at, &pad, sizeof(pad));
	atomic_store(&stream->mapping.producer->head, UINT64_C(1) << 60);
	alarm(60);
	assert_int_equal(observer_next(observer, &record, NULL), 0);
	alarm(0);
	observer_close(observer);
	stream_close(stream, false);
}

/* What came is known also of what could not be read. */
static void test_published(void **state)
{
	(void)state;
	struct stream *stream = make_stream(64 << 10, true);
	struct observer *observer = look_at();

	assert_int_equal(observer_published(observer), 0);
	for (uint64_t i = 1; i <= 300; i++) {
		write_one(stream, 1000);
		assert_int_equal(observer_published(observer), i);
	}
	observer_close(observer);
	stream_close(stream, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown), /* before this process has a guard */
		cmocka_unit_test_setup_teardown(test_order_and_content, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lapped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_aborted_claim, setup, teardown),
		cmocka_unit_test_setup_teardown(test_beside_a_fast_producer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_scribbled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pads_without_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_published, setup, teardown),
	};

	return cmocka_run_group_tests_name("plane.observer", tests, NULL, NULL);
}

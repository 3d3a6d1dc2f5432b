/* stream_join_test.c: consumers that come to a stream in use and leave it: from where on each gets data, kills in the
 * middle of the handshake, all entries, files of version 1. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fixtures/stream.h"
#include "plane/mapping.h"
#include "plane/stream.h"

#define PAYLOAD 200u

static void create(uint64_t data_bytes)
{
	struct enrg_error err = {0};
	const struct stream_params params = {.path = path,
		.source = "test",
		.run = "r1",
		.supervisor = "s",
		.data_bytes = data_bytes,
		.record_bytes_max = 8192,
		.checks = true};

	if (stream_create(&params, &err) != 0)
		fail_msg("%s", err.text);
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
	return stream;
}

static int write_one(struct stream *stream, bool hold, uint64_t timeout_ns)
{
	struct stream_claim claim;
	int rc = stream_claim(stream, PAYLOAD, timeout_ns, &claim);

	if (rc < 0)
		return rc;
	memset(claim.payload, 7, PAYLOAD);
	stream_commit(
		stream, &(struct stream_commit){.type = RECORD_DATA, .rows = 2, .body_bytes = PAYLOAD, .hold = hold});
	return 0;
}

static int join(const char *name)
{
	struct enrg_error err = {0};
	int rc = stream_join_consumer(path, name, &err);

	if (rc < 0)
		print_message("%s\n", err.text);
	return rc;
}

static struct stream_consumer_status find(const char *name)
{
	static struct stream_status status;

	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	for (uint32_t i = 0; i < status.consumer_count; i++)
		if (!strcmp(status.consumers[i].name, name))
			return status.consumers[i];
	return (struct stream_consumer_status){.pid = UINT32_MAX};
}

static bool is_there(const char *name)
{
	return find(name).pid != UINT32_MAX;
}

static struct consumer *open_consumer(const char *name)
{
	struct enrg_error err = {0};
	struct consumer *consumer = NULL;

	if (consumer_open(path, name, UINT64_MAX, &consumer, &err) != 0)
		fail_msg("%s", err.text);
	return consumer;
}

/* Reads what is there; the sequence behind *seen goes on without a hole. */
static uint64_t read_on(struct consumer *consumer, uint64_t *seen)
{
	struct consumer_record record;
	uint64_t count = 0;

	for (; consumer_acquire(consumer, &record, NULL) == 1; count++) {
		assert_int_equal(record.header->sequence, ++*seen);
		consumer_release(consumer, record.end, *seen);
	}
	return count;
}

/* --- the handshake ------------------------------------------------------------------------------------------------ */

static void test_running_producer_admits(void **state)
{
	(void)state;
	create(1 << 20);
	struct stream *stream = open_stream(0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(write_one(stream, false, 0), 0);
	assert_int_equal(join("late"), 0);
	assert_false(is_there("late"));
	assert_int_equal(join("late"), 0); /* asked again: one entry */
	assert_int_equal(write_one(stream, false, 0), 0);
	assert_int_equal(join("late"), 1);
	struct stream_consumer_status late = find("late");
	assert_int_equal(late.joined.sequence, 11);
	assert_int_equal(late.joined.rows, 22);
	assert_int_equal(late.joined.position, late.ack);
	struct consumer *consumer = open_consumer("late");
	uint64_t seen = late.joined.sequence;
	assert_int_equal(read_on(consumer, &seen), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(write_one(stream, false, 0), 0);
	assert_int_equal(read_on(consumer, &seen), 5);
	consumer_close(consumer);
	stream_close(stream, true);
}

/* What is held is not published: the newcomer gets it, and its counts are those of what was published. */
static void test_held_batches_are_for_it(void **state)
{
	(void)state;
	create(1 << 20);
	struct stream *stream = open_stream(0);
	assert_int_equal(write_one(stream, false, 0), 0);
	assert_int_equal(write_one(stream, true, 0), 0);
	assert_int_equal(write_one(stream, true, 0), 0);
	assert_int_equal(join("late"), 0);
	stream_admit(stream);
	assert_int_equal(join("late"), 1);
	assert_int_equal(find("late").joined.sequence, 1);
	stream_publish(stream);
	uint64_t seen = 1;
	struct consumer *consumer = open_consumer("late");
	assert_int_equal(read_on(consumer, &seen), 2);
	consumer_close(consumer);
	stream_close(stream, true);
}

static void test_without_a_producer(void **state)
{
	(void)state;
	create(1 << 20);
	struct stream *stream = open_stream(0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(write_one(stream, false, 0), 0);
	stream_close(stream, true);
	assert_int_equal(join("late"), 1);
	assert_int_equal(find("late").joined.sequence, 3);
	stream = open_stream(0); /* nobody holds its place */
	stream_close(stream, true);
}

/* The producer is killed before it has answered: its successor does, or whoever asks again. */
static void test_producer_killed_in_the_handshake(void **state)
{
	(void)state;
	create(1 << 20);
	struct stream *stream = open_stream(0);
	assert_int_equal(write_one(stream, false, 0), 0);
	assert_int_equal(join("a"), 0);
	assert_int_equal(join("b"), 0);
	stream_close(stream, false); /* without a word, as after a kill */
	assert_false(is_there("a"));
	assert_int_equal(join("a"), 1);
	stream = open_stream(0);
	assert_true(is_there("b"));
	assert_int_equal(write_one(stream, false, 0), 0);
	uint64_t seen = 1;
	struct consumer *consumer = open_consumer("b");
	assert_int_equal(read_on(consumer, &seen), 1);
	consumer_close(consumer);
	stream_close(stream, true);
}

/* The supervisor is killed in the middle, and its successor does not know that consumer: nobody waits for it. */
static void test_asked_for_by_nobody_any_more(void **state)
{
	(void)state;
	create(64 << 10);
	assert_int_equal(stream_add_consumer(path, "store", NULL), 0);
	struct stream *stream = open_stream(0);
	assert_int_equal(join("guest"), 0);
	stream_close(stream, false);
	assert_int_equal(stream_drop_joining(path, NULL), 0);
	stream = open_stream(0);
	assert_false(is_there("guest"));
	assert_true(is_there("store"));
	uint64_t seen = 0;
	struct consumer *consumer = open_consumer("store");
	for (int lap = 0; lap < 3; lap++) {
		while (write_one(stream, false, 0) == 0)
			;
		assert_true(read_on(consumer, &seen) > 100);
	}
	consumer_close(consumer);
	stream_close(stream, true);
}

/* The supervisor is killed in the middle: what it had asked for comes true once, and its successor finds that. */
static void test_supervisor_killed_in_the_handshake(void **state)
{
	struct stream_status status;

	(void)state;
	create(1 << 20);
	struct stream *stream = open_stream(0);
	assert_int_equal(join("a"), 0);
	assert_int_equal(write_one(stream, false, 0), 0);
	assert_int_equal(write_one(stream, false, 0), 0);
	assert_int_equal(join("a"), 1);
	assert_int_equal(stream_add_consumer(path, "a", NULL), 0); /* as a start does */
	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	assert_int_equal(status.consumer_count, 1);
	assert_int_equal(status.consumers[0].joined.sequence, 1);
	stream_close(stream, true);
}

static void test_leaving_frees_a_blocked_producer(void **state)
{
	(void)state;
	create(64 << 10);
	assert_int_equal(stream_add_consumer(path, "slow", NULL), 0);
	struct stream *stream = open_stream(0);
	while (write_one(stream, false, 0) == 0)
		;
	assert_int_equal(write_one(stream, false, 1000000), -EAGAIN);
	assert_int_equal(join("late"), 0);
	assert_int_equal(write_one(stream, false, 1000000), -EAGAIN); /* admits it while it waits */
	assert_int_equal(join("late"), 1);
	assert_int_equal(stream_drop_consumer(path, "slow", NULL), 0);
	assert_int_equal(write_one(stream, false, 1000000), 0);
	while (write_one(stream, false, 0) == 0)
		;
	uint64_t seen = find("late").joined.sequence;
	struct consumer *consumer = open_consumer("late");
	assert_true(read_on(consumer, &seen) > 100);
	consumer_close(consumer);
	stream_close(stream, true);
}

static void test_all_entries(void **state)
{
	char name[32];
	struct stat before, after;

	(void)state;
	create(64 << 10);
	assert_int_equal(stat(path, &before), 0);
	struct stream *stream = open_stream(0);
	for (uint32_t i = 0; i < SEGMENT_CONSUMERS; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		assert_int_equal(join(name), 0);
	}
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(
		after.st_blocks - before.st_blocks, (48 * 1024 + 2 * 4096) / 512); /* the others', route and schema */
	assert_int_equal(join("one more"), -ENOSPC);
	stream_admit(stream);
	while (write_one(stream, false, 0) == 0)
		;
	for (uint32_t i = 0; i < SEGMENT_CONSUMERS; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		struct consumer *consumer = open_consumer(name);
		uint64_t seen = 0;
		assert_int_equal(write_one(stream, false, 0), -EAGAIN); /* waits for each of them */
		assert_true(read_on(consumer, &seen) > 100);
		consumer_close(consumer);
	}
	assert_int_equal(write_one(stream, false, 0), 0);
	stream_close(stream, true);
}

/* --- a crowd, with kills ------------------------------------------------------------------------------------------ */

static pid_t start_producer(unsigned life)
{
	pid_t child = fork();

	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct stream *stream;
	struct enrg_error err = {0};
	uint16_t route;

	if (stream_open(path, life % 2 ? 20000 : 0, &stream, &err) ||
		stream_add_route(stream, &(struct stream_route){.tag = "tag", .schema = "schema", .schema_bytes = 6},
			&route, &err))
		_exit(1); /* and its guests wait in vain: cmocka's jump would run the other tests here as well */
	for (unsigned i = 0;; i++)
		write_one(stream, i % 4 == 0, UINT64_MAX);
}

/* Each joins while the producer writes as fast as it can, and is killed now and then; gets all from its joining on. */
static void test_coming_and_going(void **state)
{
	uint64_t watched = 0;
	unsigned seed = 3;

	(void)state;
	create(128 << 10);
	assert_int_equal(stream_add_consumer(path, "steady", NULL), 0);
	struct consumer *steady = open_consumer("steady");
	pid_t child = start_producer(0);
	for (unsigned i = 0; i < 300; i++) {
		int rc = 0;
		bool is_kill = rand_r(&seed) % 5 == 0;
		uint64_t seen, wanted;

		while (is_kill ? rc++ < 3 : (rc = join("guest")) == 0) {
			if (is_kill)
				(void)join("guest");
			read_on(steady, &watched);
		}
		if (is_kill) {
			kill(child, SIGKILL);
			waitpid(child, NULL, 0);
			assert_int_equal(join("guest"), 1);
			child = start_producer(i);
		}
		struct stream_consumer_status guest = find("guest");
		struct consumer *consumer = open_consumer("guest");
		seen = guest.joined.sequence;
		for (wanted = seen + 1 + (unsigned)rand_r(&seed) % 50; seen < wanted;) {
			read_on(steady, &watched);
			read_on(consumer, &seen);
		}
		consumer_close(consumer);
		assert_int_equal(stream_drop_consumer(path, "guest", NULL), 0);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	read_on(steady, &watched);
	struct stream_status status;
	assert_int_equal(stream_read_status(path, &status, NULL), 0);
	assert_int_equal(status.sequence, watched);
	consumer_close(steady);
}

/* --- files of version 1 ------------------------------------------------------------------------------------------- */

static void write_at(int descriptor, size_t at, const void *bytes, size_t count)
{
	assert_int_equal(pwrite(descriptor, bytes, count, (off_t)at), count);
}

/* As the first released program made them: fewer entries, and the data area before where the others are now. */
static void create_first(uint64_t data_bytes)
{
	const uint32_t version = 1;
	const uint64_t file_bytes = SEGMENT_DATA_AT_1 + data_bytes, data_at = SEGMENT_DATA_AT_1;

	create(data_bytes);
	int descriptor = open(path, O_RDWR | O_CLOEXEC);
	assert_true(descriptor >= 0);
	assert_int_equal(ftruncate(descriptor, (off_t)file_bytes), 0);
	write_at(descriptor, offsetof(struct segment_header, version), &version, sizeof(version));
	write_at(descriptor, offsetof(struct segment_header, file_bytes), &file_bytes, sizeof(file_bytes));
	write_at(descriptor, offsetof(struct segment_header, data_offset), &data_at, sizeof(data_at));
	close(descriptor);
}

static void test_version_1_continues(void **state)
{
	char name[32];
	uint64_t seen = 0;

	(void)state;
	create_first(64 << 10);
	assert_int_equal(stream_add_consumer(path, "store", NULL), 0);
	struct stream *stream = open_stream(0);
	struct consumer *consumer = open_consumer("store");
	for (int lap = 0; lap < 10; lap++) {
		while (write_one(stream, false, 0) == 0)
			;
		assert_true(read_on(consumer, &seen) > 100);
	}
	for (uint32_t i = 1; i < SEGMENT_FIRST; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		assert_int_equal(join(name), 0);
	}
	assert_int_equal(join("one more"), -ENOSPC);
	consumer_close(consumer);
	stream_close(stream, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_running_producer_admits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_held_batches_are_for_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_a_producer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_producer_killed_in_the_handshake, setup, teardown),
		cmocka_unit_test_setup_teardown(test_asked_for_by_nobody_any_more, setup, teardown),
		cmocka_unit_test_setup_teardown(test_supervisor_killed_in_the_handshake, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leaving_frees_a_blocked_producer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(test_coming_and_going, setup, teardown),
		cmocka_unit_test_setup_teardown(test_version_1_continues, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* stream_look_test.c: looks at a stream by a file that stays open: what changes is seen, and so is what becomes of the
 * file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plane/doorbell.h"
#include "plane/stream.h"

#define DATA_BYTES (256u << 10)
#define BATCHES    50000u

static char folder[64], path[128];

static void make_stream(void)
{
	const struct stream_params params = {.path = path,
		.source = "test",
		.run = "r1",
		.supervisor = "s",
		.data_bytes = DATA_BYTES,
		.record_bytes_max = 1000,
		.checks = true};

	assert_int_equal(stream_create(&params, NULL), 0);
}

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/dev/shm/enrgdaq-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.stream", folder);
	make_stream();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	rmdir(folder);
	return 0;
}

static void commit(struct stream *stream, uint32_t rows)
{
	struct stream_claim claim;

	assert_int_equal(stream_claim(stream, 40, UINT64_MAX, &claim), 0);
	stream_commit(stream, &(struct stream_commit){.type = RECORD_DATA, .rows = rows, .body_bytes = 40});
}

static void sees_batches_and_consumers(void **state)
{
	(void)state;
	struct stream_look look = STREAM_LOOK_NONE;
	struct stream_status status;
	struct stream *stream;

	assert_int_equal(stream_look(&look, path, &status, NULL), 0);
	int descriptor = look.descriptor;
	assert_int_equal(status.consumer_count, 0);
	assert_int_equal(stream_open(path, 0, &stream, NULL), 0);
	assert_int_equal(stream_add_consumer(path, "one", NULL), 0);
	commit(stream, 3);
	assert_int_equal(stream_look(&look, path, &status, NULL), 0);
	assert_int_equal(status.batches, 1);
	assert_int_equal(status.rows, 3);
	assert_int_equal(status.pid, getpid());
	assert_int_equal(status.consumer_count, 1);
	assert_int_equal(status.consumers[0].backlog_bytes, status.head);
	assert_int_equal(stream_add_consumer(path, "two", NULL), 0);
	assert_int_equal(stream_drop_consumer(path, "one", NULL), 0);
	assert_int_equal(stream_look(&look, path, &status, NULL), 0);
	assert_int_equal(status.consumer_count, 1);
	assert_string_equal(status.consumers[0].name, "two");
	assert_int_equal(status.consumers[0].backlog_bytes, 0);
	stream_close(stream, true);
	assert_int_equal(stream_look(&look, path, &status, NULL), 0);
	assert_true(status.is_closed);
	assert_int_equal(look.descriptor, descriptor);
	stream_look_close(&look);
}

static void sees_what_becomes_of_the_file(void **state)
{
	(void)state;
	struct stream_look look = STREAM_LOOK_NONE;
	struct stream_status status;
	uint8_t uuid[16];

	assert_int_equal(stream_look(&look, path, &status, NULL), 0);
	memcpy(uuid, status.uuid, sizeof(uuid));
	unlink(path);
	assert_int_equal(stream_look(&look, path, &status, NULL), -ENOENT);
	make_stream(); /* another one under the name */
	assert_int_equal(stream_look(&look, path, &status, NULL), 0);
	assert_memory_not_equal(uuid, status.uuid, sizeof(uuid));
	assert_int_equal(truncate(path, SEGMENT_DATA_AT + 4096), 0);
	assert_int_equal(stream_look(&look, path, &status, NULL), ENRG_E_CORRUPT);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(stream_look(&look, path, &status, NULL), ENRG_E_CORRUPT);
	unlink(path);
	make_stream();
	assert_int_equal(stream_look(&look, path, &status, NULL), 0);
	stream_look_close(&look);
}

/* Notes where each batch ended. */
static int produce(uint64_t *heads)
{
	struct stream_look look = STREAM_LOOK_NONE;
	struct stream_status status;
	struct stream *stream;

	if (stream_open(path, 0, &stream, NULL))
		return 1;
	for (uint32_t i = 1; i <= BATCHES; i++) {
		for (int spin = 0; spin < rand() % 3000; spin++)
			doorbell_pause();
		commit(stream, 1 + i % 7);
		if (stream_look(&look, path, &status, NULL))
			return 2;
		heads[i] = status.head;
	}
	stream_look_close(&look);
	stream_close(stream, true);
	return 0;
}

/* Figures of one moment, however fast they change. */
static void figures_belong_together(void **state)
{
	(void)state;
	uint64_t *heads = mmap(NULL, 2 * (BATCHES + 1) * sizeof(*heads), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0),
		 *seen = heads + BATCHES + 1;
	struct stream_look look = STREAM_LOOK_NONE;
	struct stream_status status = {0};
	int rc = 0;
	pid_t child = fork();

	assert_ptr_not_equal(heads, MAP_FAILED);
	if (child == 0)
		_exit(produce(heads));
	while (status.batches < BATCHES) {
		assert_int_equal(stream_look(&look, path, &status, NULL), 0);
		assert_int_equal(status.sequence, status.batches);
		assert_int_equal(status.bytes, 40 * status.batches);
		if (seen[status.batches] && seen[status.batches] != status.head)
			fail_msg("two heads of batch %llu", (unsigned long long)status.batches);
		seen[status.batches] = status.head;
	}
	assert_int_equal(waitpid(child, &rc, 0), child);
	assert_int_equal(rc, 0);
	for (uint32_t i = 1; i <= BATCHES; i++)
		if (seen[i])
			assert_int_equal(seen[i], heads[i]);
	stream_look_close(&look);
	munmap(heads, 2 * (BATCHES + 1) * sizeof(*heads));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sees_batches_and_consumers, setup, teardown),
		cmocka_unit_test_setup_teardown(sees_what_becomes_of_the_file, setup, teardown),
		cmocka_unit_test_setup_teardown(figures_belong_together, setup, teardown),
	};

	return cmocka_run_group_tests_name("plane.stream_look", tests, NULL, NULL);
}

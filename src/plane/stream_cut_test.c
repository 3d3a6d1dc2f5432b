/* stream_cut_test.c: a stream's file that another process cuts short while it is opened, and an entry that somebody did
 * not live to announce. */
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plane/mapping.h"
#include "plane/stream.h"

#define DATA_BYTES (64u << 10)
#define CUTS       2000u

static char folder[64], path[128];

static int setup(void **state)
{
	const struct stream_params params = {.path = path,
		.source = "test",
		.run = "r1",
		.supervisor = "s",
		.data_bytes = DATA_BYTES,
		.record_bytes_max = 1000,
		.checks = true};

	(void)state;
	snprintf(folder, sizeof(folder), "/dev/shm/enrgdaq-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.stream", folder);
	assert_int_equal(stream_create(&params, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	rmdir(folder);
	return 0;
}

static bool cuts_at_fstat;

/* In front of the C library's. The file loses all but its header once its length has been looked at, and before the
 * first access behind the header: what a writer hits by chance alone. */
int fstat(int descriptor, struct stat *status)
{
	int rc = fstatat(descriptor, "", status, AT_EMPTY_PATH);

	return rc == 0 && cuts_at_fstat ? ftruncate(descriptor, SEGMENT_PAGE) : rc;
}

/* In a process of its own, in which nobody has looked before, and where a fault that is not guarded against kills. */
static void meet_cut(int (*look)(void))
{
	int rc = 0;
	struct stat status;
	pid_t child = fork();

	if (child == 0) {
		signal(SIGBUS, SIG_DFL);
		cuts_at_fstat = true;
		_exit(look() == ENRG_E_CORRUPT ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &rc, 0), child);
	assert_int_equal(rc, 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, SEGMENT_PAGE); /* it did meet the cut */
}

/* Takes the file down to the header, which says what it said, and gives the rest back, until both sides have had
 * enough. */
static int cut(_Atomic uint32_t *looks, _Atomic uint32_t *cuts)
{
	int file = open(path, O_RDWR | O_CLOEXEC);

	while (atomic_load(looks) < CUTS || atomic_load(cuts) < CUTS) {
		if (ftruncate(file, SEGMENT_PAGE) != 0 || ftruncate(file, SEGMENT_DATA_AT + DATA_BYTES) != 0)
			return 1;
		atomic_fetch_add(cuts, 1);
	}
	return 0;
}

/* May succeed or fail, and must come back. */
static int look_for_long(int (*look)(void), _Atomic uint32_t *looks, _Atomic uint32_t *cuts)
{
	signal(SIGBUS, SIG_DFL); /* cmocka's own handler would come before the guard's */
	while (atomic_load(looks) < CUTS || atomic_load(cuts) < CUTS) {
		int rc = look();
		if (rc != 0 && rc != ENRG_E_CORRUPT && rc != -ENOENT && rc != -ENOSPC)
			return 2;
		atomic_fetch_add(looks, 1);
	}
	return 0;
}

/* Both in processes of their own, that a failure leaves none behind. */
static void survive_cuts(int (*look)(void))
{
	_Atomic uint32_t *counters = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int codes[2] = {0};
	pid_t children[2];

	assert_ptr_not_equal(counters, MAP_FAILED);
	for (int i = 0; i < 2; i++) {
		children[i] = fork();
		if (children[i] != 0)
			continue;
		alarm(60);
		_exit(i ? look_for_long(look, &counters[0], &counters[1]) : cut(&counters[0], &counters[1]));
	}
	assert_int_equal(waitpid(children[1], &codes[1], 0), children[1]);
	if (codes[1] != 0)
		kill(children[0], SIGKILL);
	assert_int_equal(waitpid(children[0], &codes[0], 0), children[0]);
	assert_int_equal(codes[1], 0);
	assert_int_equal(codes[0], 0);
	munmap((void *)counters, 4096);
}

static int add_consumer(void)
{
	return stream_add_consumer(path, "store", NULL);
}

/* Without the guard, which is for the children to set up. */
static void put_entry(void)
{
	struct mapping mapping;

	assert_int_equal(mapping_open(&mapping, path, MAPPING_CONTROL, NULL), 0);
	struct segment_consumer *slot = mapping_consumer(&mapping, 0);
	snprintf(slot->name, sizeof(slot->name), "store");
	atomic_store(&slot->kind, CONSUMER_REQUIRED);
	mapping_close(&mapping);
}

static int open_and_close(void)
{
	struct consumer *consumer = NULL;
	int rc = consumer_open(path, "store", UINT64_MAX, &consumer, NULL);

	/* Without a look at the shared memory, which may be gone again. */
	if (rc == 0)
		consumer_close(consumer);
	return rc;
}

static int read_status(void)
{
	struct stream_status status;

	return stream_read_status(path, &status, NULL);
}

static int ring_all(void)
{
	return stream_ring_all(path, NULL);
}

static void test_add_consumer_meets_cut(void **state)
{
	(void)state;
	meet_cut(add_consumer);
}

static void test_consumer_open_meets_cut(void **state)
{
	(void)state;
	put_entry();
	meet_cut(open_and_close);
}

static void test_looks_meet_cut(void **state)
{
	(void)state;
	meet_cut(read_status);
	assert_int_equal(truncate(path, SEGMENT_DATA_AT + DATA_BYTES), 0);
	meet_cut(ring_all);
}

static void test_add_consumer_survives_cuts(void **state)
{
	(void)state;
	survive_cuts(add_consumer);
}

static void test_consumer_open_survives_cuts(void **state)
{
	(void)state;
	put_entry();
	survive_cuts(open_and_close);
}

/* A supervisor that was killed between the entry and the roster: the next one announces the entry. */
static void test_entry_that_was_not_announced(void **state)
{
	(void)state;
	struct stream *stream = NULL;
	struct stream_claim claim;
	int written = 0;

	assert_int_equal(stream_open(path, 0, &stream, NULL), 0);
	put_entry();
	assert_int_equal(add_consumer(), 0);
	for (; written < 1000 && stream_claim(stream, 1000, 0, &claim) == 0; written++)
		stream_commit(stream, &(struct stream_commit){.type = RECORD_DATA, .rows = 1, .body_bytes = 1000});
	assert_in_range(written, 1, DATA_BYTES / 1000); /* the consumer holds it back */
	stream_close(stream, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_add_consumer_meets_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_consumer_open_meets_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_looks_meet_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_add_consumer_survives_cuts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_consumer_open_survives_cuts, setup, teardown),
		/* The last one: it is the one that uses the guard in this process. */
		cmocka_unit_test_setup_teardown(test_entry_that_was_not_announced, setup, teardown),
	};

	return cmocka_run_group_tests_name("plane.stream_cut", tests, NULL, NULL);
}

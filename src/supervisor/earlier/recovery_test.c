/* recovery_test.c: left-over batches in files, and a left-over file that is cut short while it is read. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plane/stream.h"
#include "supervisor/earlier/recovery.h"

#define DATA_BYTES    (4u << 20)
#define BATCHES       30u
#define PAYLOAD_BYTES 100000u
#define ROUNDS        40u

static char folder[64], path[128], out[128];

static void fill(void)
{
	const struct stream_params params = {.path = path,
		.source = "camera",
		.run = "r1",
		.supervisor = "s",
		.data_bytes = DATA_BYTES,
		.record_bytes_max = PAYLOAD_BYTES,
		.checks = true};
	struct stream *stream = NULL;
	uint16_t route;

	assert_int_equal(stream_create(&params, NULL), 0);
	assert_int_equal(stream_add_consumer(path, "store", NULL), 0);
	assert_int_equal(stream_open(path, 0, &stream, NULL), 0);
	assert_int_equal(
		stream_add_route(
			stream, &(struct stream_route){.tag = "", .schema = "schema", .schema_bytes = 6}, &route, NULL),
		0);
	for (unsigned i = 0; i < BATCHES; i++) {
		struct stream_claim claim;
		assert_int_equal(stream_claim(stream, PAYLOAD_BYTES, 0, &claim), 0);
		memset(claim.payload, (int)i, PAYLOAD_BYTES);
		stream_commit(
			stream, &(struct stream_commit){.type = RECORD_DATA, .rows = 10, .body_bytes = PAYLOAD_BYTES});
	}
	stream_close(stream, true);
}

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/dev/shm/enrgdaq-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.stream", folder);
	snprintf(out, sizeof(out), "%s/out", folder);
	return 0;
}

static int remove_one(const char *entry, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(entry);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int save(struct recovery_result *ret_result)
{
	struct enrg_error err = {0};
	const struct recovery_params params = {.stream_path = path,
		.source = "camera",
		.consumer = "store",
		.position = 0,
		.out_folder = out,
		.now_wall_ns = 1};

	return recovery_save(&params, ret_result, &err);
}

static int fill_alone(void)
{
	fill();
	return 0;
}

static void test_saves_all(void **state)
{
	struct recovery_result result;

	(void)state;
	fill();
	assert_int_equal(save(&result), 0);
	assert_int_equal(result.batches, BATCHES);
	assert_int_equal(result.rows, BATCHES * 10);
	assert_int_equal(result.corrupted, 0);
	assert_int_equal(result.files, 1);
	int file = open(result.first_file, O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(file, 0, SEEK_END), 6 + BATCHES * PAYLOAD_BYTES);
	close(file);
}

/* A clock that was set back: what was saved under that time before stays. */
static void test_saves_beside_an_earlier_file(void **state)
{
	struct recovery_result first, second;

	(void)state;
	fill();
	assert_int_equal(save(&first), 0);
	assert_int_equal(save(&second), 0);
	assert_non_null(strstr(second.first_file, "recovered_camera_19700101T000000Z_2.arrows"));
	assert_int_equal(access(first.first_file, F_OK), 0);
	assert_int_equal(access(second.first_file, F_OK), 0);
}

/* Cuts the second half of the ring off and gives it back, empty: a reader that is in it finds nothing there. */
static int cut_for_ever(void)
{
	int file = open(path, O_RDWR | O_CLOEXEC);

	for (;;)
		if (ftruncate(file, SEGMENT_DATA_AT + DATA_BYTES / 2) || ftruncate(file, SEGMENT_DATA_AT + DATA_BYTES))
			return 1;
}

static int save_for_long(void)
{
	struct recovery_result result;

	signal(SIGBUS, SIG_DFL); /* cmocka's own handler would come before the guard's */
	for (unsigned saved = 0; saved < ROUNDS;) {
		if (save(&result) != 0) /* found cut when it was opened */
			continue;
		saved++;
		if (result.batches < BATCHES / 3 || (result.batches < BATCHES && result.corrupted == 0))
			return 2;
	}
	return 0;
}

static pid_t start(int (*function)(void))
{
	pid_t child = fork();

	if (child != 0)
		return child;
	alarm(60);
	_exit(function());
}

static void test_survives_cuts(void **state)
{
	int rc = 0;

	(void)state;
	assert_int_equal(waitpid(start(fill_alone), &rc, 0) > 0, true);
	assert_int_equal(rc, 0);
	pid_t cutter = start(cut_for_ever), saver = start(save_for_long);
	assert_int_equal(waitpid(saver, &rc, 0), saver);
	kill(cutter, SIGKILL);
	waitpid(cutter, NULL, 0);
	assert_int_equal(rc, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* The first one must find the guard unused in this process. */
		cmocka_unit_test_setup_teardown(test_survives_cuts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_saves_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_saves_beside_an_earlier_file, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

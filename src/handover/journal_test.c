/* journal_test.c: commits are all or nothing, over a kill at any moment; damage is found. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "handover/journal.h"

static const uint8_t UUID_A[16] = "stream number A", UUID_B[16] = "stream number B";
static char folder[64], path[96];

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/dev/shm/journal_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/store.journal", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	rmdir(folder);
	return 0;
}

static struct journal *open_journal(void)
{
	struct journal *journal = NULL;
	struct enrg_error err = {0};

	if (journal_open(path, &journal, &err) != 0)
		fail_msg("%s", err.text);
	return journal;
}

static void keeps_only_what_was_committed(void **state)
{
	(void)state;
	struct journal *journal = open_journal();
	struct journal_stream_state want = {.position = 4096, .sequence = 7, .batches = 6, .lost_batches = 9};
	uint32_t a, b, file;
	bool known;
	uint64_t length;

	assert_int_equal(journal_add_stream(journal, UUID_A, "a", &a, NULL), 0);
	assert_int_equal(journal_add_stream(journal, UUID_B, "b", &b, NULL), 0);
	assert_int_equal(journal_add_file(journal, "/out/x.csv", &file, &known, &length, NULL), 0);
	assert_false(known);
	journal_reset_file(journal, file, 11);
	journal_set_stream(journal, a, &want);
	journal_set_file(journal, file, 100);
	assert_int_equal(journal_stream(journal, a).position, 0);
	uint64_t first = journal_commit(journal);
	assert_int_equal(journal_stream(journal, a).position, 4096);
	/* A commit of b alone, twice: a must hold in both sets. */
	struct journal_stream_state other = {.position = 64};
	for (int i = 0; i < 2; i++) {
		other.sequence++;
		journal_set_stream(journal, b, &other);
		assert_int_equal(journal_commit(journal), first + 1 + (uint64_t)i);
		assert_int_equal(journal_stream(journal, a).sequence, 7);
		assert_int_equal(journal_stream(journal, b).sequence, other.sequence);
	}
	want.position = 9999;
	journal_set_stream(journal, a, &want); /* never committed */
	journal_set_file(journal, file, 9999);
	journal_close(journal);

	journal = open_journal();
	assert_int_equal(journal_add_stream(journal, UUID_A, "a", &a, NULL), 0);
	assert_int_equal(journal_stream(journal, a).position, 4096);
	assert_int_equal(journal_stream(journal, a).lost_batches, 9);
	assert_int_equal(journal_add_file(journal, "/out/x.csv", &file, &known, &length, NULL), 0);
	assert_true(known);
	assert_int_equal(length, 100);
	journal_commit(journal); /* nothing prepared: nothing changes */
	assert_int_equal(journal_stream(journal, a).position, 4096);
	journal_forget_file(journal, file);
	assert_int_equal(journal_add_file(journal, "/out/x.csv", &file, &known, &length, NULL), 0);
	assert_false(known);
	journal_close(journal);
}

static void is_read_from_outside(void **state)
{
	(void)state;
	struct journal_stream_state want = {.position = 640, .rows = 5}, got;
	uint32_t index;

	assert_int_equal(journal_read_stream(path, UUID_A, &got, NULL), -ENOENT);
	struct journal *journal = open_journal();
	assert_int_equal(journal_read_stream(path, UUID_A, &got, NULL), -ENOENT);
	assert_int_equal(journal_add_stream(journal, UUID_A, "a", &index, NULL), 0);
	journal_set_stream(journal, index, &want);
	assert_int_equal(journal_read_stream(path, UUID_A, &got, NULL), 0);
	assert_int_equal(got.rows, 0);
	journal_commit(journal);
	assert_int_equal(journal_read_stream(path, UUID_A, &got, NULL), 0);
	assert_int_equal(got.rows, 5);
	assert_int_equal(got.position, 640);
	journal_close(journal);
}

/* The file stays open: only a commit is news, also where it is one of a journal that has grown. */
static void is_watched_from_outside(void **state)
{
	(void)state;
	struct journal_watch watch = JOURNAL_WATCH_NONE;
	struct journal_stream_state want = {.position = 640, .rows = 5}, got;
	uint32_t a, b, any, at = JOURNAL_NONE;
	uint8_t uuid[16] = "others";

	assert_int_equal(journal_watch_look(&watch, path, NULL), -ENOENT);
	struct journal *journal = open_journal();
	assert_int_equal(journal_add_stream(journal, UUID_A, "a", &a, NULL), 0);
	assert_int_equal(journal_add_stream(journal, UUID_B, "b", &b, NULL), 0);
	journal_set_stream(journal, b, &want);
	assert_int_equal(journal_watch_look(&watch, path, NULL), 0);
	uint64_t news = watch.news;
	int descriptor = watch.descriptor;
	assert_int_equal(journal_watch_stream(&watch, UUID_B, &at, &got), 0);
	assert_int_equal(at, b);
	assert_int_equal(got.rows, 0);
	assert_int_equal(journal_watch_look(&watch, path, NULL), 0);
	assert_int_equal(watch.news, news);
	journal_commit(journal);
	assert_int_equal(journal_watch_look(&watch, path, NULL), 0);
	assert_int_equal(watch.news, news + 1);
	at = a; /* a wrong guess */
	assert_int_equal(journal_watch_stream(&watch, UUID_B, &at, &got), 0);
	assert_int_equal(got.rows, 5);
	assert_int_equal(watch.descriptor, descriptor);
	journal_add_loss(journal, &(struct journal_loss){1, 2, 3});
	assert_int_equal(journal_watch_look(&watch, path, NULL), 0);
	assert_int_equal(watch.loss.rows, 3);
	for (uint32_t i = 0; i < JOURNAL_STREAMS; i++) {
		memcpy(uuid + 8, &i, sizeof(i));
		assert_int_equal(journal_add_stream(journal, uuid, "s", &any, NULL), 0);
	}
	want.rows = 6;
	journal_set_stream(journal, b, &want);
	journal_commit(journal);
	assert_int_equal(journal_watch_look(&watch, path, NULL), 0);
	assert_int_equal(journal_watch_stream(&watch, UUID_B, &at, &got), 0);
	assert_int_equal(got.rows, 6);
	unlink(path); /* the store goes on with what it has, and so does who watches it */
	assert_int_equal(journal_watch_look(&watch, path, NULL), 0);
	journal_close(journal);
	journal_watch_close(&watch);
}

static void lets_one_process_in(void **state)
{
	(void)state;
	struct journal *journal = open_journal(), *second = NULL;
	struct enrg_error err = {0};
	char pid[16];

	assert_int_equal(journal_open(path, &second, &err), -EBUSY);
	snprintf(pid, sizeof(pid), "%d", getpid());
	assert_non_null(strstr(err.text, pid));
	journal_close(journal);
	journal_close(open_journal());
}

static void scribble(long offset, const void *bytes, size_t count)
{
	int descriptor = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(descriptor, bytes, count, offset), (ssize_t)count);
	close(descriptor);
}

static void damage_is_an_error(void **state)
{
	(void)state;
	struct journal *journal;
	struct journal_stream_state got;
	struct enrg_error err = {0};
	const struct {
		long offset;
		uint8_t byte;
	} harm[] = {{0, 'x'}, {8, 77}, {12, 1}, {16, 1}, {24, 1}, {4096, 9}, {135168 + 1024, 200}};

	for (size_t i = 0; i < sizeof(harm) / sizeof(harm[0]); i++) {
		unlink(path);
		journal_close(open_journal());
		scribble(harm[i].offset, &harm[i].byte, 1);
		assert_int_equal(journal_open(path, &journal, &err), ENRG_E_CORRUPT);
		assert_non_null(strstr(err.text, path));
		assert_non_null(strstr(err.text, "move it away"));
		/* who asks for a stream does not look at files */
		assert_int_equal(journal_read_stream(path, UUID_A, &got, NULL),
			harm[i].offset < 135168 ? ENRG_E_CORRUPT : -ENOENT);
	}
	unlink(path);
	journal_close(open_journal());
	assert_int_equal(truncate(path, 5000), 0);
	assert_int_equal(journal_open(path, &journal, &err), ENRG_E_CORRUPT);
	assert_int_equal(journal_read_stream(path, UUID_A, &got, NULL), ENRG_E_CORRUPT);
	/* Made half-way: no magic yet. */
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(truncate(path, 5000), 0);
	journal_close(open_journal());
}

static void gives_up_streams_of_old_runs(void **state)
{
	(void)state;
	struct journal *journal = open_journal();
	uint8_t uuid[16] = {0};
	uint32_t index;

	for (unsigned i = 0; i < JOURNAL_STREAMS; i++) {
		uuid[0] = (uint8_t)i;
		uuid[1] = 1;
		assert_int_equal(journal_add_stream(journal, uuid, "s", &index, NULL), 0);
		struct journal_stream_state value = {.rows = i};
		journal_set_stream(journal, index, &value);
		journal_commit(journal);
	}
	journal_close(journal);
	journal = open_journal();
	assert_int_equal(journal_add_stream(journal, UUID_A, "s", &index, NULL), 0);
	assert_int_equal(journal_stream(journal, index).rows, 0);
	uuid[0] = 0;
	assert_int_equal(journal_find_stream(journal, uuid, &index), -ENOENT);
	uuid[0] = 1;
	assert_int_equal(journal_find_stream(journal, uuid, &index), 0);
	assert_int_equal(journal_stream(journal, index).rows, 1);
	journal_close(journal);
}

/* More streams and files than it begins with, all in use: it grows, and what was committed and what is prepared stay;
 * for a reader from outside too, and in the next life. */
static void grows(void **state)
{
	(void)state;
	struct journal *journal = open_journal();
	struct journal_stream_state value = {0}, got;
	uint8_t uuid[16] = {0};
	uint32_t index, streams = 3 * JOURNAL_STREAMS, files = 3 * JOURNAL_FILES;
	uint64_t length;
	char name[32];
	bool known;

	for (uint32_t i = 0; i < streams; i++) {
		uuid[0] = (uint8_t)i;
		uuid[1] = (uint8_t)(i >> 8);
		uuid[2] = 1;
		assert_int_equal(journal_add_stream(journal, uuid, "s", &index, NULL), 0);
		value.rows = i + 1;
		journal_set_stream(journal, index, &value);
		if (i % 2) /* the other half is prepared while the table grows */
			journal_commit(journal);
	}
	journal_add_loss(journal, &(struct journal_loss){1, 2, 3});
	const char *first = NULL;
	for (uint32_t i = 0; i < files; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		assert_int_equal(journal_add_file(journal, name, &index, &known, &length, NULL), 0);
		assert_false(known);
		journal_reset_file(journal, index, 0);
		journal_set_file(journal, index, i);
		first = i ? first : journal_first_file(journal);
	}
	journal_commit(journal);
	assert_string_equal(first, "f0"); /* handed out before it grew */
	struct journal_loss loss = journal_read_loss(path);
	assert_int_equal(loss.files, 1);
	assert_int_equal(loss.bytes, 2);
	assert_int_equal(loss.rows, 3);
	for (int life = 0; life < 2; life++) {
		for (uint32_t i = 0; i < streams; i++) {
			uuid[0] = (uint8_t)i;
			uuid[1] = (uint8_t)(i >> 8);
			assert_int_equal(journal_find_stream(journal, uuid, &index), 0);
			assert_int_equal(journal_stream(journal, index).rows, i + 1);
			assert_int_equal(journal_read_stream(path, uuid, &got, NULL), 0);
			assert_int_equal(got.rows, i + 1);
		}
		for (uint32_t i = 0; i < files; i++) {
			snprintf(name, sizeof(name), "f%u", i);
			assert_int_equal(journal_add_file(journal, name, &index, &known, &length, NULL), 0);
			assert_true(known);
			assert_int_equal(length, i);
		}
		struct journal *other = NULL;
		assert_int_equal(journal_open(path, &other, NULL), -EBUSY); /* locked, as grown as it is */
		journal_close(journal);
		journal = open_journal();
	}
	journal_close(journal);
}

/* Files that can't be reached (a disk that is away) keep their lengths, however many come. */
static void forgets_no_length(void **state)
{
	(void)state;
	struct journal *journal = open_journal();
	uint32_t index, at = 0;
	uint64_t length;
	char name[32];
	bool known;

	for (uint32_t i = 0; i < JOURNAL_FILES; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		assert_int_equal(journal_add_file(journal, name, &index, &known, &length, NULL), 0);
		if (i) /* one without anything committed: its place may be taken */
			journal_reset_file(journal, index, i);
	}
	journal_close(journal);
	journal = open_journal();
	for (uint32_t i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "new%u", i);
		assert_int_equal(journal_add_file(journal, name, &index, &known, &length, NULL), 0);
		assert_int_equal(i == 0, index == 0);
	}
	for (uint32_t i = 1; i < JOURNAL_FILES; i++, at++) {
		const char *path_of;
		assert_true(journal_next_file(journal, &at, &path_of, &length));
		assert_int_equal(length, i);
	}
	journal_close(journal);
}

static void counts_lives_lost_on_one_record(void **state)
{
	(void)state;
	struct journal *journal = open_journal();
	uint32_t stream;
	uint64_t position;

	assert_int_equal(journal_count_crash(journal, &stream, &position), 0);
	for (uint32_t life = 1; life <= 3; life++) {
		journal_set_reading(journal, 2, 6400);
		journal_close(journal);
		journal = open_journal();
		assert_int_equal(journal_count_crash(journal, &stream, &position), life);
		assert_int_equal(stream, 2);
		assert_int_equal(position, 6400);
		assert_int_equal(journal_count_crash(journal, &stream, &position), 0);
	}
	journal_set_reading(journal, 2, 6464);
	assert_int_equal(journal_count_crash(journal, &stream, &position), 1);
	journal_set_reading(journal, JOURNAL_NONE, 0);
	assert_int_equal(journal_count_crash(journal, &stream, &position), 0);
	journal_close(journal);
}

#define KILL_STREAMS 5u
#define KILL_FILES   3u

static void set_all(struct journal *journal, const uint32_t *streams, const uint32_t *files, uint64_t number)
{
	/* Streams and files that change each time, and one each that changes every third. */
	for (uint32_t i = 0; i < KILL_STREAMS; i++) {
		uint64_t n = i == 0 ? number / 3 : number;
		struct journal_stream_state value = {n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n};
		if (i > 0 || number % 3 == 0)
			journal_set_stream(journal, streams[i], &value);
	}
	for (uint32_t i = 0; i < KILL_FILES; i++)
		if (i > 0 || number % 3 == 0)
			journal_set_file(journal, files[i], i == 0 ? number / 3 : number);
}

static uint64_t check_all(struct journal *journal, uint32_t *streams, uint32_t *files)
{
	uint64_t number = UINT64_MAX, length;
	bool known;
	char name[32];

	for (uint32_t i = KILL_STREAMS; i-- > 0;) {
		uint8_t uuid[16] = {(uint8_t)(i + 1)};
		assert_int_equal(journal_add_stream(journal, uuid, "s", &streams[i], NULL), 0);
		struct journal_stream_state value = journal_stream(journal, streams[i]);
		const uint64_t *values = (const uint64_t *)&value;
		if (number == UINT64_MAX)
			number = value.position;
		for (size_t v = 0; v < sizeof(value) / 8; v++)
			assert_int_equal(values[v], i == 0 ? number / 3 : number);
	}
	for (uint32_t i = 0; i < KILL_FILES; i++) {
		snprintf(name, sizeof(name), "/file%u", i);
		assert_int_equal(journal_add_file(journal, name, &files[i], &known, &length, NULL), 0);
		if (!known)
			journal_reset_file(journal, files[i], 0);
		assert_int_equal(length, i == 0 ? number / 3 : number);
	}
	return number;
}

/* A child commits as fast as it can and is killed: the next life finds one state, not older than what the child saw
 * committed. */
static void a_kill_never_mixes_two_commits(void **state)
{
	(void)state;
	_Atomic uint64_t *seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t streams[KILL_STREAMS], files[KILL_FILES];

	srand(1);
	for (int round = 0; round < 300; round++) {
		struct journal *journal = open_journal();
		uint64_t number = check_all(journal, streams, files);
		assert_in_range(number, *seen, *seen + 1);
		journal_close(journal);
		*seen = number;
		pid_t child = fork();
		if (child == 0) {
			journal = open_journal();
			check_all(journal, streams, files);
			for (uint64_t n = number + 1;; n++) {
				set_all(journal, streams, files, n);
				journal_commit(journal);
				atomic_store(seen, n);
			}
		}
		uint64_t target = number + 1 + (uint64_t)(rand() % 2000);
		while (atomic_load(seen) < target) {
		}
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	munmap((void *)seen, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_only_what_was_committed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(is_read_from_outside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(is_watched_from_outside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lets_one_process_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damage_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(gives_up_streams_of_old_runs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(grows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(forgets_no_length, set_up, tear_down),
		cmocka_unit_test_setup_teardown(counts_lives_lost_on_one_record, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_kill_never_mixes_two_commits, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

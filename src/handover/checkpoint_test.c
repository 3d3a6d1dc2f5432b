/* Unit tests of a processor's checkpoints: what is read back, what is damaged, and which commit counts after a kill. */
#include "fixtures/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "handover/checkpoint.h"
#include "handover/journal.h"

static char journal_path[160];
static const uint8_t uuid[16] = {1, 2, 3}, other_uuid[16] = {4};

static int set_up(void **state)
{
	setup(state);
	snprintf(journal_path, sizeof(journal_path), "%s/a.journal", folder);
	return 0;
}

static int tear_down(void **state)
{
	unlink(journal_path);
	return teardown(state);
}

static struct checkpoint_stream streams[] = {{{7}, 640, 12}};
static struct checkpoint_input inputs[] = {{11, 0, 1, 2, 3}, {12, 0, 4, 5, 6}};
static struct checkpoint_policy policies[] = {{1, 0, 99, "range"}};
static char text[9000] = "what the state holds";

static struct checkpoint make(uint64_t number, uint64_t position)
{
	struct checkpoint made = {.number = number,
		.output_position = position,
		.dropped_rows = 5,
		.run = "r1",
		.stream_count = 1,
		.input_count = 2,
		.policy_count = 1,
		.flags = CHECKPOINT_ENDED,
		.streams = streams,
		.inputs = inputs,
		.policies = policies,
		.state_bytes = sizeof(text),
		.state = text};

	memcpy(made.output_uuid, uuid, sizeof(uuid));
	return made;
}

static void write_one(uint64_t number, uint64_t position)
{
	struct checkpoint made = make(number, position);
	struct checkpoint_file *file;

	assert_int_equal(checkpoint_open(path, &file, NULL), 0);
	assert_int_equal(checkpoint_reserve(file, &made, NULL), 0);
	checkpoint_write(file, &made);
	checkpoint_close(file);
}

static void what_was_written_is_read(void **state)
{
	struct checkpoint read;

	(void)state;
	write_one(3, 4096);
	write_one(4, 8192);
	for (uint64_t number = 3; number <= 4; number++) {
		assert_int_equal(checkpoint_read(path, number, true, &read, NULL), 0);
		assert_int_equal(read.output_position, number == 3 ? 4096 : 8192);
		assert_memory_equal(read.output_uuid, uuid, 16);
		assert_int_equal(read.dropped_rows, 5);
		assert_int_equal(read.flags, CHECKPOINT_ENDED);
		assert_string_equal(read.run, "r1");
		assert_memory_equal(read.streams, streams, sizeof(streams));
		assert_memory_equal(read.inputs, inputs, sizeof(inputs));
		assert_memory_equal(read.policies, policies, sizeof(policies));
		assert_int_equal(read.state_bytes, sizeof(text));
		assert_memory_equal(read.state, text, sizeof(text));
		checkpoint_fini(&read);
	}
	assert_int_equal(checkpoint_read(path, 2, true, &read, NULL), -ENOENT);
	assert_int_equal(checkpoint_read(path, 5, true, &read, NULL), -ENOENT);
	assert_int_equal(checkpoint_read("/nowhere", 5, true, &read, NULL), -ENOENT);
}

/* Whatever byte changes, it is found, and nothing is read beyond what is there. */
static void no_byte_may_change(void **state)
{
	struct checkpoint made = make(4, 8192), read;
	off_t slot = 4096, used = 144 + 32 + 64 + 128 + (off_t)made.state_bytes;
	int descriptor;

	(void)state;
	write_one(4, 8192);
	descriptor = open(path, O_RDWR);
	for (off_t at = 0; at < used; at += at < 400 ? 1 : 997) {
		uint8_t byte, changed;
		assert_int_equal(pread(descriptor, &byte, 1, slot + at), 1);
		changed = (uint8_t)(byte ^ 0x40);
		assert_int_equal(pwrite(descriptor, &changed, 1, slot + at), 1);
		int rc = checkpoint_read(path, 4, true, &read, NULL);
		assert_true(rc == ENRG_E_CORRUPT || (at < 8 && rc == -ENOENT));
		assert_int_equal(pwrite(descriptor, &byte, 1, slot + at), 1);
	}
	assert_int_equal(checkpoint_read(path, 4, true, &read, NULL), 0);
	checkpoint_fini(&read);
	assert_int_equal(ftruncate(descriptor, slot + 200), 0);
	assert_int_equal(checkpoint_read(path, 4, true, &read, NULL), ENRG_E_CORRUPT);
	close(descriptor);
}

static void other_files_are_refused(void **state)
{
	struct checkpoint_file *file;
	struct checkpoint read;
	uint32_t version = CHECKPOINT_VERSION + 1;
	int descriptor;

	(void)state;
	write_one(4, 8192);
	descriptor = open(path, O_RDWR);
	assert_int_equal(pwrite(descriptor, &version, sizeof(version), 8), sizeof(version));
	assert_int_equal(checkpoint_open(path, &file, NULL), ENRG_E_VERSION);
	assert_int_equal(checkpoint_read(path, 4, true, &read, NULL), ENRG_E_VERSION);
	assert_int_equal(pwrite(descriptor, "something", 9, 0), 9);
	assert_int_equal(checkpoint_open(path, &file, NULL), ENRG_E_CORRUPT);
	assert_int_equal(checkpoint_read(path, 4, true, &read, NULL), ENRG_E_CORRUPT);
	close(descriptor);
}

/* --- which commit counts ------------------------------------------------------------------------------------------ */

/* A journal whose commit `number` is valid, and whose next set says that position. */
static void make_journal(uint64_t number, uint64_t next_position)
{
	struct journal_stream_state values = {.position = 64};
	struct journal *journal;
	uint32_t index;

	assert_int_equal(journal_open(journal_path, &journal, NULL), 0);
	assert_int_equal(journal_add_stream(journal, uuid, "a", &index, NULL), 0);
	for (uint64_t i = 0; i < number; i++) {
		journal_set_stream(journal, index, &values);
		journal_commit(journal);
	}
	values.position = next_position;
	journal_set_stream(journal, index, &values);
	journal_complete(journal);
	journal_close(journal);
}

static uint64_t position_in_journal(void)
{
	struct journal_stream_state values;

	assert_int_equal(journal_read_stream(journal_path, uuid, &values, NULL), 0);
	return values.position;
}

static void head_decides(void **state)
{
	uint64_t number;

	(void)state;
	make_journal(6, 128);
	write_one(6, 4096);
	write_one(7, 8192);
	assert_int_equal(checkpoint_roll_forward(path, journal_path, uuid, 8191, NULL), 0);
	assert_int_equal(position_in_journal(), 64);
	assert_int_equal(checkpoint_roll_forward(path, journal_path, other_uuid, 8192, NULL), 0);
	assert_int_equal(checkpoint_roll_forward(path, journal_path, NULL, 8192, NULL), 0);
	assert_int_equal(checkpoint_roll_forward(path, journal_path, uuid, 8192, NULL), 1);
	assert_int_equal(position_in_journal(), 128);
	assert_int_equal(journal_read_number(journal_path, &number), 0);
	assert_int_equal(number, 7);
	assert_int_equal(checkpoint_roll_forward(path, journal_path, uuid, UINT64_MAX, NULL), 0);
}

static void what_a_killed_life_had_begun_is_cleared(void **state)
{
	struct checkpoint_file *file;
	struct checkpoint read;

	(void)state;
	make_journal(6, 128);
	write_one(6, 4096);
	write_one(7, 8192);
	assert_int_equal(checkpoint_open(path, &file, NULL), 0);
	checkpoint_clear_next(file, 6);
	checkpoint_close(file);
	assert_int_equal(checkpoint_read(path, 6, true, &read, NULL), 0);
	checkpoint_fini(&read);
	assert_int_equal(checkpoint_roll_forward(path, journal_path, uuid, UINT64_MAX, NULL), 0);
}

static void a_journal_in_use_is_left_alone(void **state)
{
	struct journal *journal;

	(void)state;
	make_journal(6, 128);
	write_one(7, 8192);
	assert_int_equal(journal_open(journal_path, &journal, NULL), 0);
	assert_int_equal(checkpoint_roll_forward(path, journal_path, uuid, 8192, NULL), -EBUSY);
	journal_close(journal);
}

static void a_commit_for_a_processor_that_is_away(void **state)
{
	struct checkpoint read;

	(void)state;
	write_one(6, 4096);
	assert_int_equal(checkpoint_follow(path, 6, NULL), 0);
	assert_int_equal(checkpoint_read(path, 7, true, &read, NULL), 0);
	assert_int_equal(read.output_position, 4096);
	assert_memory_equal(read.state, text, sizeof(text));
	checkpoint_fini(&read);
	assert_int_equal(checkpoint_follow("/dev/shm/enrgdaq-none", 6, NULL), 0);
	assert_int_equal(access("/dev/shm/enrgdaq-none", F_OK), -1);
}

/* The first checkpoint was begun, and its process killed: it does not become that of a commit which others make. */
static void what_was_begun_does_not_follow(void **state)
{
	struct checkpoint read;

	(void)state;
	write_one(1, 4096);
	assert_int_equal(checkpoint_follow(path, 0, NULL), 0);
	assert_int_equal(checkpoint_read(path, 1, true, &read, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_written_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_byte_may_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_files_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(head_decides, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_killed_life_had_begun_is_cleared, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_journal_in_use_is_left_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_commit_for_a_processor_that_is_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_begun_does_not_follow, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

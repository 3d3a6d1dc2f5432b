/* outbox_test.c: what was heard survives the process that heard it, wherever its file was cut. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outgoing/outbox.h"

static char folder[64], path[80];

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/dev/shm/outbox_test.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/box", folder);
	return 0;
}

static int tear_down(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static int put(struct outbox *outbox, const char *job, const char *message, uint64_t time_ns)
{
	const struct enrg_alert alert = {.sender.supervisor = "lab 1",
		.job = job,
		.severity = ENRG_WARNING,
		.message = message,
		.time_ns = time_ns};
	struct enrg_error err = {0};

	return outbox_put(outbox, &alert, &err);
}

static void what_was_heard_is_there_again(void **state)
{
	struct outbox outbox;
	struct enrg_error err = {0};
	char id[OUTBOX_ID_BYTES];

	(void)state;
	assert_int_equal(outbox_open(&outbox, path, &err), 0);
	assert_int_equal(put(&outbox, "a job", "it's 100 % #1\nnext µ", 7), 0);
	assert_int_equal(put(&outbox, "b", "", 8), 0);
	assert_int_equal(put(&outbox, "b", "c", 9), 0);
	strcpy(id, outbox.first->id);
	outbox.first->is_going = true;
	outbox_note_begin(&outbox);
	outbox_note_end(&outbox);
	outbox.first->is_going = true;
	outbox_note_begin(&outbox);
	outbox_close(&outbox); /* as a kill would */

	assert_int_equal(outbox_open(&outbox, path, &err), 0);
	assert_int_equal(outbox.count, 2);
	assert_int_equal(outbox.serial, 3);
	assert_true(outbox.first->may_have_been_sent);
	assert_string_equal(outbox.first->message, "");
	assert_string_not_equal(outbox.first->id, id);
	assert_false(outbox.first->next->may_have_been_sent);
	assert_int_equal(put(&outbox, "a job", "it's 100 % #1\nnext µ", 7), 0);
	outbox_close(&outbox);

	assert_int_equal(outbox_open(&outbox, path, &err), 0);
	assert_int_equal(outbox.count, 3);
	assert_true(outbox.first->may_have_been_sent);
	const struct outbox_entry *last = outbox.first->next->next;
	assert_string_equal(last->id, id); /* the same alert */
	assert_string_equal(last->job, "a job");
	assert_string_equal(last->supervisor, "lab 1");
	assert_string_equal(last->message, "it's 100 % #1\nnext µ");
	assert_int_equal(last->time_ns, 7);
	assert_int_equal(last->severity, ENRG_WARNING);
	outbox_close(&outbox);
}

/* At every byte: no line that was whole is lost, no torn one counts. */
static void a_cut_file_loses_its_last_line_alone(void **state)
{
	struct outbox outbox;
	struct enrg_error err = {0};
	struct stat facts;

	(void)state;
	assert_int_equal(outbox_open(&outbox, path, &err), 0);
	assert_int_equal(put(&outbox, "a", "first", 1), 0);
	uint64_t first_bytes = outbox.file_bytes;
	assert_int_equal(put(&outbox, "a", "second", 2), 0);
	outbox_close(&outbox);
	assert_int_equal(stat(path, &facts), 0);
	for (off_t size = facts.st_size - 1; size >= (off_t)first_bytes; size--) {
		assert_int_equal(truncate(path, size), 0);
		assert_int_equal(outbox_open(&outbox, path, &err), 0);
		/* the line end alone may be missing */
		assert_int_equal(outbox.count, size == facts.st_size - 1 ? 2 : 1);
		assert_string_equal(outbox.first->message, "first");
		outbox_close(&outbox);
		if (size == facts.st_size - 1)
			continue;
		assert_int_equal(outbox_open(&outbox, path, &err), 0);
		assert_int_equal(put(&outbox, "a", "second", 2), 0);
		outbox_close(&outbox);
	}
}

static void rubbish_does_no_harm(void **state)
{
	struct outbox outbox;
	struct enrg_error err = {0};

	(void)state;
	for (unsigned seed = 0; seed < 300; seed++) {
		assert_int_equal(outbox_open(&outbox, path, &err), 0);
		assert_int_equal(put(&outbox, "a", "first", 1), 0);
		outbox_close(&outbox);
		FILE *file = fopen(path, "r+e");
		assert_non_null(file);
		fseek(file, (long)(seed % 70), SEEK_SET);
		fputc((int)(seed * 37 % 256), file);
		fclose(file);
		assert_int_equal(outbox_open(&outbox, path, &err), 0);
		assert_true(outbox.count <= 300);
		outbox_close(&outbox);
	}
}

static void an_alarm_is_known_until_it_ends(void **state)
{
	struct outbox outbox;
	struct enrg_error err = {0};
	char key[16];

	(void)state;
	assert_int_equal(outbox_open(&outbox, path, &err), 0);
	assert_false(outbox_end_alarm(&outbox, "silent/a"));
	outbox_note_alarm(&outbox, "silent/a");
	outbox_note_alarm(&outbox, "silent/b");
	outbox_note_alarm(&outbox, "silent/a");
	assert_true(outbox_end_alarm(&outbox, "silent/a"));
	const struct enrg_alert alert = {.sender.supervisor = "lab",
		.job = "a",
		.severity = ENRG_INFO,
		.message = "m",
		.time_ns = 1,
		.key = "silent/c d",
		.event = ENRG_ALERT_AGAIN};
	assert_int_equal(outbox_put(&outbox, &alert, &err), 0);
	outbox_close(&outbox);
	for (int i = 0; i < 2; i++) { /* from the lines as they were added, then as they were written anew */
		assert_int_equal(outbox_open(&outbox, path, &err), 0);
		assert_int_equal(outbox.alarm_count, 1);
		assert_string_equal(outbox.first->key, "silent/c d");
		assert_int_equal(outbox.first->event, ENRG_ALERT_AGAIN);
		outbox_close(&outbox);
	}
	assert_int_equal(outbox_open(&outbox, path, &err), 0);
	assert_false(outbox_end_alarm(&outbox, "silent/a"));
	assert_true(outbox_end_alarm(&outbox, "silent/b"));
	for (unsigned i = 0; i < 2 * OUTBOX_ALARMS_MAX; i++) {
		snprintf(key, sizeof(key), "k%u", i);
		outbox_note_alarm(&outbox, key);
	}
	assert_int_equal(outbox.alarm_count, OUTBOX_ALARMS_MAX);
	outbox_close(&outbox);
}

static void too_many_are_counted(void **state)
{
	struct outbox outbox;
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(outbox_open(&outbox, path, &err), 0);
	for (unsigned i = 0; i < OUTBOX_MAX; i++)
		assert_int_equal(put(&outbox, "a", "flood", i), 0);
	assert_int_equal(put(&outbox, "a", "flood", 1), -ENOBUFS);
	assert_int_equal(put(&outbox, "a", "flood", 2), -ENOBUFS);
	outbox_close(&outbox);
	assert_int_equal(outbox_open(&outbox, path, &err), 0);
	assert_int_equal(outbox.count, OUTBOX_MAX);
	assert_int_equal(outbox.overflow, 2);
	assert_int_equal(put(&outbox, "a", "flood", 3), -ENOBUFS); /* while a letter is on its way that tells of 2 */
	outbox_note_overflow_told(&outbox, 2);
	outbox_close(&outbox);
	assert_int_equal(outbox_open(&outbox, path, &err), 0);
	assert_int_equal(outbox.overflow, 1);
	outbox_note_overflow_told(&outbox, 1);
	outbox_close(&outbox);
	assert_int_equal(outbox_open(&outbox, path, &err), 0);
	assert_int_equal(outbox.overflow, 0);
	outbox_close(&outbox);
}

static void the_file_does_not_grow_for_ever(void **state)
{
	struct outbox outbox;
	struct enrg_error err = {0};
	char long_text[2500];

	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	assert_int_equal(outbox_open(&outbox, path, &err), 0);
	for (unsigned i = 0; i < 2000; i++) {
		assert_int_equal(put(&outbox, "a", long_text, i), 0);
		assert_int_equal(strlen(outbox.first->message), OUTBOX_TEXT_MAX);
		outbox.first->is_going = true;
		outbox_note_begin(&outbox);
		assert_int_equal(outbox_sync(&outbox), 0);
		outbox_note_end(&outbox);
		assert_true(outbox.file_bytes < 1100000);
	}
	assert_int_equal(outbox.count, 0);
	outbox_close(&outbox);
}

/* A receiver that is away for days, and a job that does not stop: after a kill the alerts are still there. */
static void nor_while_nothing_gets_through(void **state)
{
	struct outbox outbox;
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(outbox_open(&outbox, path, &err), 0);
	for (unsigned i = 0; i < OUTBOX_MAX; i++)
		assert_int_equal(put(&outbox, "a", "flood", i), 0);
	for (unsigned try = 0; try < 100; try++) {
		for (unsigned i = 0; i < 1000; i++)
			assert_int_equal(put(&outbox, "a", "flood", i), -ENOBUFS);
		for (struct outbox_entry *entry = outbox.first; entry; entry = entry->next)
			entry->is_going = try % 2;
		outbox_note_begin(&outbox);
		assert_true(outbox.file_bytes < 1300000);
	}
	outbox_close(&outbox);
	assert_int_equal(outbox_open(&outbox, path, &err), 0);
	assert_int_equal(outbox.count, OUTBOX_MAX);
	assert_true(outbox.first->may_have_been_sent);
	assert_int_equal(outbox.overflow, 100000);
	outbox_close(&outbox);
}

static void without_a_file_it_is_kept_in_memory(void **state)
{
	struct outbox outbox;
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(outbox_open(&outbox, "/proc/none/box", &err), -ENOENT);
	assert_int_equal(put(&outbox, "a", "b", 1), 0);
	assert_int_equal(outbox.count, 1);
	assert_int_equal(outbox_sync(&outbox), 0);
	outbox_close(&outbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_heard_is_there_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_cut_file_loses_its_last_line_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rubbish_does_no_harm, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_alarm_is_known_until_it_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_many_are_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_file_does_not_grow_for_ever, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nor_while_nothing_gets_through, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_file_it_is_kept_in_memory, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

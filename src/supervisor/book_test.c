/* book_test.c: numbers and entries with the real program, without one, with one that does not answer, and with one that
 * is killed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "supervisor/book.h"

static char folder[64];
static char told[4000]; /* keys of alerts */

static int set_up(void **state)
{
	(void)state;
	told[0] = '\0';
	strcpy(folder, "/dev/shm/enrg-book-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static const char *in_folder(const char *name)
{
	static char paths[4][200];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void tell(void *context, enum enrg_level level, const char *key, const char *text, bool is_over)
{
	size_t used = strlen(told);

	(void)context;
	(void)level;
	snprintf(told + used, sizeof(told) - used, "%s%s: %s\n", key, is_over ? " ends" : "", text);
}

static struct book *open_with(const char *program, const char *database)
{
	static struct book book; /* its program speaks to where it lies */
	const struct book_params params = {.runtime_folder = folder,
		.supervisor = "lab1",
		.database = database,
		.folder = folder,
		.program = program,
		.alert = tell};

	assert_int_equal(book_open(&book, &params, NULL), 0);
	return &book;
}

static struct book *open_real(void)
{
	if (access(ENRG_BINARY_DIR "/enrgdaq-runs", X_OK))
		skip(); /* there is no SQLite */
	return open_with(ENRG_BINARY_DIR "/enrgdaq-runs", in_folder("runs.sqlite"));
}

static const char *uuid_of(unsigned run)
{
	static char uuid[ENTRY_UUID_BYTES];

	snprintf(uuid, sizeof(uuid), "%08x-0000-8000-8000-000000000000", run);
	return uuid;
}

static uint64_t take(struct book *book, unsigned run, uint64_t floor)
{
	struct enrg_error err = {0};
	uint64_t number = 0;
	json_t *begin = json_pack(
		"{s:s, s:s, s:I}", "run", uuid_of(run), "supervisor", "lab1", "wall_ns", (json_int_t)clock_wall_ns());

	if (book_take(book, uuid_of(run), begin, floor, &number, &err))
		fail_msg("%s", err.text);
	return number;
}

static size_t count_entries(void)
{
	glob_t found = {0};

	glob(in_folder("book/0*.json"), 0, NULL, &found);
	size_t count = found.gl_pathc;
	globfree(&found);
	return count;
}

/* What `enrgdaq-runs list` says; static. */
static const char *list(void)
{
	static char text[4000];
	char command[400];

	snprintf(
		command, sizeof(command), ENRG_BINARY_DIR "/enrgdaq-runs list --database %s", in_folder("runs.sqlite"));
	FILE *stream = popen(command, "r");
	assert_non_null(stream);
	text[fread(text, 1, sizeof(text) - 1, stream)] = '\0';
	pclose(stream);
	return text;
}

static void test_numbers_of_the_program(void **state)
{
	struct book *book = open_real();

	(void)state;
	assert_int_equal(take(book, 1, 0), 1);
	assert_int_equal(take(book, 2, 0), 2);
	assert_int_equal(take(book, 3, 40), 41);
	book_put(book, "end", uuid_of(1), "",
		json_pack("{s:I, s:s}", "wall_ns", (json_int_t)clock_wall_ns(), "quality", "complete"));
	book_close(book, 5000000000u);
	assert_int_equal(count_entries(), 0);
	assert_non_null(strstr(list(), "complete"));
	assert_string_equal(told, "");
	/* the supervisor comes again, and continues one of the two that are open */
	book = open_real();
	book_continue(book, uuid_of(2));
	assert_int_equal(take(book, 4, 0), 42);
	book_close(book, 5000000000u);
	const char *text = list(), *aborted = strstr(text, "aborted");
	assert_non_null(aborted);
	assert_null(strstr(aborted + 1, "aborted"));
}

static void test_without_a_program_numbers_come_from_files(void **state)
{
	struct book *book = open_with("/nowhere/enrgdaq-runs", in_folder("runs.sqlite"));

	(void)state;
	assert_int_equal(take(book, 1, 7), 8);
	assert_int_equal(take(book, 2, 7), 9);
	assert_int_equal(count_entries(), 2); /* for the program, when there is one */
	book_close(book, 0);
	book = open_with(NULL, "");
	assert_false(book->is_on);
	assert_int_equal(book_descriptor(book), -1);
	assert_int_equal(take(book, 3, 9), 10);
	book_put(book, "note", uuid_of(3), "", json_object());
	assert_int_equal(count_entries(), 2);
	book_close(book, 0);
}

static void write_program(const char *text)
{
	assert_int_equal(path_write_file(in_folder("program"), text, strlen(text), 0, NULL), 0);
	assert_int_equal(chmod(in_folder("program"), 0700), 0);
}

static void test_nobody_waits_for_one_that_does_not_answer(void **state)
{
	(void)state;
	write_program("#!/bin/sh\nexec cat >/dev/null\n"); /* hears all, says nothing */
	struct book *book = open_with(in_folder("program"), in_folder("runs.sqlite"));
	uint64_t began_ns = clock_mono_ns();

	assert_int_equal(take(book, 1, 3), 4);
	uint64_t span_ns = clock_mono_ns() - began_ns;
	assert_in_range(span_ns, BOOK_ASK_NS - 100000000u, BOOK_ASK_NS + 20000000000u);
	assert_non_null(strstr(told, "book/slow"));
	assert_int_equal(count_entries(), 1);
	book_close(book, 0);
	/* it is entered later, with the number that was taken */
	book = open_real();
	assert_int_equal(take(book, 2, 0), 5);
	book_close(book, 5000000000u);
	assert_int_equal(count_entries(), 0);
	assert_non_null(strstr(list(), " 4  "));
}

static void wait_and_step(struct book *book)
{
	struct pollfd entry = {.fd = book_descriptor(book), .events = POLLIN};

	(void)poll(&entry, 1, 20);
	book_step(book, clock_mono_ns());
}

static void test_one_that_is_killed_is_started_again(void **state)
{
	struct book *book = open_real();

	(void)state;
	assert_int_equal(take(book, 1, 0), 1);
	for (unsigned i = 2; i < 4; i++) {
		kill(book_pid(book), SIGKILL);
		assert_int_equal(take(book, i, 0), i);
	}
	book_close(book, 5000000000u);
	assert_string_equal(told, "");
}

static void test_one_that_always_fails_is_an_alert(void **state)
{
	(void)state;
	write_program("#!/bin/sh\nexit 3\n");
	struct book *book = open_with(in_folder("program"), in_folder("runs.sqlite"));
	for (int i = 0; !*told && i < 1000; i++)
		wait_and_step(book);
	assert_non_null(strstr(told, "book/program"));
	assert_non_null(strstr(told, "exit code 3"));
	book_put(book, "note", uuid_of(1), "", json_object());
	book_close(book, 0);
	assert_int_equal(count_entries(), 1);
}

static void test_a_database_of_another_supervisor_is_refused(void **state)
{
	struct enrg_error err = {0};
	struct book *book = open_real(), other;
	const struct book_params params = {.runtime_folder = in_folder("other"),
		.supervisor = "lab2",
		.database = in_folder("runs.sqlite"),
		.folder = folder,
		.program = ENRG_BINARY_DIR "/enrgdaq-runs",
		.alert = tell};
	uint64_t number;

	(void)state;
	assert_int_equal(take(book, 1, 0), 1);
	assert_int_equal(book_open(&other, &params, NULL), 0);
	assert_int_equal(book_take(&other, uuid_of(2), json_object(), 0, &number, &err), -EPERM);
	assert_non_null(strstr(err.text, "supervisor lab1"));
	while (book_pid(&other))
		wait_and_step(&other);
	book_close(book, 5000000000u);
	assert_int_equal(book_take(&other, uuid_of(2), json_object(), 0, &number, &err), 0); /* that one has ended */
	assert_int_equal(number, 2);
	book_close(&other, 5000000000u);
}

/* A store has written it, while no program was there. */
static void test_what_others_write_starts_the_program(void **state)
{
	struct book *book = open_real();
	unsigned turns = 0;

	(void)state;
	assert_int_equal(take(book, 1, 0), 1);
	kill(book_pid(book), SIGTERM);
	while (book_pid(book))
		wait_and_step(book);
	assert_int_equal(entry_write(folder, "note", uuid_of(1), "", json_pack("{s:s}", "text", "said"), NULL), 0);
	while (count_entries() && turns++ < 500)
		wait_and_step(book);
	assert_int_equal(count_entries(), 0);
	book_close(book, 5000000000u);
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(test_numbers_of_the_program),
		with_folder(test_without_a_program_numbers_come_from_files),
		with_folder(test_nobody_waits_for_one_that_does_not_answer),
		with_folder(test_one_that_is_killed_is_started_again),
		with_folder(test_one_that_always_fails_is_an_alert),
		with_folder(test_a_database_of_another_supervisor_is_refused),
		with_folder(test_what_others_write_starts_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

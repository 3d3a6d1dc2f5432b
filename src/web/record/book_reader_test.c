/* book_reader_test.c: the run book is read by a program of its own; one that hangs, ends or says nonsense costs its
 * asker an answer, and nobody else anything. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "web/record/book_reader.h"

#define PROGRAM ENRG_BINARY_DIR "/enrgdaq-runs"
#define RECORD(description)                                                                                            \
	"{\"v\":1,\"number\":7,\"uuid\":\"00000007-0000-8000-8000-000000000000\",\"supervisor\":\"lab\",\"run\":"      \
	"\"seven\",\"entries\":{\"begin\":[{\"id\":\"0123456789abcdef0123456789abcdef\",\"wall_ns\":"                  \
	"1795000000000000000,\"who\":\"x\",\"body\":{\"number\":7,\"run\":\"seven\",\"supervisor\":\"lab\",\"type\":"  \
	"\"physics\",\"description\":\"" description "\",\"wall_ns\":1795000000000000000}}]}}\n"

static char folder[64];

static void write_file(const char *name, const char *text, int mode)
{
	char path[200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, (mode_t)mode), 0);
}

static void rebuild(const char *name)
{
	char line[600];

	snprintf(line, sizeof(line), PROGRAM " rebuild %s --database %s/%s >/dev/null", folder, folder, name);
	assert_int_equal(system(line), 0);
}

static int make_folder(void **state)
{
	char line[600], path[200];

	(void)state;
	strcpy(folder, "/dev/shm/enrg-reader-XXXXXX");
	assert_non_null(mkdtemp(folder));
	write_file("run_000007.json", RECORD("first light"), 0644);
	rebuild("runs.sqlite");
	write_file("run_000007.json", RECORD("second sight"), 0644);
	rebuild("other.sqlite");
	snprintf(line, sizeof(line), "{\"database\": \"%s/runs.sqlite\", \"folder\": \"%s\"}", folder, folder);
	write_file("book.json", line, 0600);
	snprintf(path, sizeof(path), "%s/fakes", folder);
	return mkdir(path, 0700);
}

static int remove_folder(void **state)
{
	char line[200];

	(void)state;
	snprintf(line, sizeof(line), "rm -rf %s", folder);
	return system(line);
}

static struct book_reader *open_reader(const char *program, uint32_t patience_ms)
{
	const struct book_reader_params params = {
		.runtime_folder = folder, .program = program, .patience_ms = patience_ms};
	struct book_reader *reader = NULL;

	assert_int_equal(book_reader_open(&params, &reader, NULL), 0);
	return reader;
}

/* A program of a few lines that is asked instead. */
static struct book_reader *open_fake(const char *name, const char *script, uint32_t patience_ms)
{
	char path[200], part[100];

	snprintf(part, sizeof(part), "fakes/%s", name);
	write_file(part, script, 0755);
	snprintf(path, sizeof(path), "%s/%s", folder, part);
	return open_reader(path, patience_ms);
}

static int ask(struct book_reader *reader, json_t *question, char ret_text[1000])
{
	struct enrg_error err = {0};
	char *bytes = NULL;
	size_t count = 0;
	int rc = book_reader_ask(reader, question, &bytes, &count, &err);

	snprintf(ret_text, 1000, "%s", rc ? err.text : bytes);
	if (!rc)
		assert_int_equal(strlen(bytes), count);
	free(bytes);
	return rc;
}

static json_t *question_list(void)
{
	return json_pack("{s:s}", "do", "list");
}

static void questions_are_answered(void **state)
{
	struct book_reader *reader = open_reader(PROGRAM, 0);
	char text[1000];

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ask(reader, question_list(), text), 0);
		assert_non_null(strstr(text, "\"first light\""));
	}
	assert_int_equal(ask(reader, json_pack("{s:s, s:s}", "do", "run", "run", "8"), text), -ENOENT);
	assert_non_null(strstr(text, "no run \"8\""));
	assert_int_equal(ask(reader, json_pack("{s:s}", "do", "nonsense"), text), -EINVAL);
	/* another line, a NUL's escape: still one question */
	assert_int_equal(ask(reader, json_pack("{s:s, s:s}", "do", "list", "words", "a\nb\n{}"), text), 0);
	assert_int_equal(ask(reader, question_list(), text), 0);
	book_reader_close(reader);
}

static void too_long_a_question_is_refused(void **state)
{
	struct book_reader *reader = open_reader(PROGRAM, 0);
	static char words[70000];
	char text[1000];

	(void)state;
	memset(words, 'x', sizeof(words) - 1);
	assert_int_equal(ask(reader, json_pack("{s:s, s:s}", "do", "list", "words", words), text), -EINVAL);
	assert_int_equal(ask(reader, question_list(), text), 0);
	book_reader_close(reader);
}

static void a_book_that_is_not_there_is_named(void **state)
{
	struct book_reader *reader = open_reader(PROGRAM, 0);
	char text[1000], path[200], other[200], line[200];

	(void)state;
	snprintf(path, sizeof(path), "%s/runs.sqlite", folder);
	snprintf(other, sizeof(other), "%s/away", folder);
	assert_int_equal(ask(reader, question_list(), text), 0);
	assert_int_equal(rename(path, other), 0);
	snprintf(line, sizeof(line), "%s/other.sqlite", folder);
	assert_int_equal(rename(line, path), 0);
	assert_int_equal(ask(reader, question_list(), text), 0);
	assert_non_null(strstr(text, "second sight")); /* what lies there now */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ask(reader, question_list(), text), -ENODEV);
	assert_non_null(strstr(text, "runs.sqlite"));
	write_file("runs.sqlite", "this was never a database, but it is long enough to be looked at by one", 0644);
	assert_true(ask(reader, question_list(), text) < 0);
	assert_non_null(strstr(text, "runs.sqlite"));
	assert_int_equal(rename(other, path), 0);
	assert_int_equal(ask(reader, question_list(), text), 0); /* it is there again */
	snprintf(path, sizeof(path), "%s/book.json", folder);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(ask(reader, question_list(), text), -ENODEV);
	assert_non_null(strstr(text, "no run book"));
	assert_int_equal(rename(other, path), 0);
	book_reader_close(reader);
	reader = open_reader("/nowhere/enrgdaq-runs", 0);
	assert_int_equal(ask(reader, question_list(), text), -ENOENT);
	book_reader_close(reader);
}

static void one_that_was_killed_is_started_again(void **state)
{
	struct book_reader *reader = open_fake("dies",
		"#!/bin/sh\necho $$ >>\"$0.pids\"\nread line && printf '0 2\\n{}'\nread line && printf '0 2\\n[]'\n",
		0);
	char text[1000], line[200];

	(void)state;
	assert_int_equal(ask(reader, question_list(), text), 0);
	assert_string_equal(text, "{}");
	snprintf(line, sizeof(line), "kill -9 $(cat %s/fakes/dies.pids)", folder);
	assert_int_equal(system(line), 0);
	assert_int_equal(ask(reader, question_list(), text), 0);
	assert_string_equal(text, "{}"); /* of the new one */
	book_reader_close(reader);
}

static void one_that_hangs_is_ended(void **state)
{
	struct book_reader *reader = open_fake("hangs", "#!/bin/sh\nread line\nexec sleep 1000\n", 150);
	uint64_t began_ns = clock_mono_ns();
	char text[1000];

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ask(reader, question_list(), text), -ETIMEDOUT);
		assert_non_null(strstr(text, "disk hangs"));
	}
	assert_true(clock_mono_ns() - began_ns < 60000000000ull);
	book_reader_close(reader);
}

static void *ask_once(void *context)
{
	char text[1000];

	(void)ask(context, question_list(), text); /* whatever comes */
	return NULL;
}

/* Else all workers would wait for it, and nobody could end a run. */
static void one_asker_waits_for_a_disk_that_hangs(void **state)
{
	struct book_reader *reader = open_fake("slow",
		"#!/bin/sh\nread line\n[ -e \"$0.first\" ] && : >\"$0.asked\"\n: >\"$0.first\"\nexec sleep 1000\n",
		1500);
	const struct timespec pause = {.tv_nsec = 1000000};
	char text[1000], path[200];
	pthread_t thread;

	(void)state;
	snprintf(path, sizeof(path), "%s/fakes/slow.asked", folder);
	assert_int_equal(ask(reader, question_list(), text), -ETIMEDOUT);
	assert_non_null(strstr(text, "not answered in time"));
	assert_int_equal(pthread_create(&thread, NULL, ask_once, reader), 0);
	while (access(path, F_OK) != 0)
		nanosleep(&pause, NULL);
	assert_int_equal(ask(reader, question_list(), text), -ETIMEDOUT);
	assert_non_null(strstr(text, "still waits"));
	assert_int_equal(pthread_join(thread, NULL), 0);
	book_reader_close(reader);
}

static void nonsense_is_no_answer(void **state)
{
	static const char *const scripts[] = {"#!/bin/sh\nexit 3\n",
		"#!/bin/sh\nread line\necho hello\nexec sleep 1000\n",
		"#!/bin/sh\nread line\necho '0 99999999999'\nexec sleep 1000\n",
		"#!/bin/sh\nread line\nprintf '0 5\\nab'\n", "#!/bin/sh\nread line\necho '7 1'\nexec sleep 1000\n",
		"#!/bin/sh\nread line\necho '0 -1'\nexec sleep 1000\n",
		"#!/bin/sh\nread line\nhead -c 1000 /dev/zero | tr '\\0' 1\nexec sleep 1000\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		char name[20], text[1000];
		snprintf(name, sizeof(name), "odd%zu", i);
		struct book_reader *reader = open_fake(name, scripts[i], 20000);
		int rc = ask(reader, question_list(), text);
		if (rc != -EPIPE && rc != -EPROTO)
			fail_msg("%zu: %d, %s", i, rc, text);
		assert_non_null(strstr(text, "instead of answering"));
		book_reader_close(reader);
	}
}

static void *ask_often(void *context)
{
	char text[1000];

	for (int i = 0; i < 20; i++)
		if (ask(context, question_list(), text) || !strstr(text, "first light"))
			return context;
	return NULL;
}

static void many_ask_at_once(void **state)
{
	struct book_reader *reader = open_reader(PROGRAM, 60000);
	pthread_t threads[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_often, reader), 0);
	for (int i = 0; i < 8; i++) {
		void *failed = NULL;
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	book_reader_close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_answered),
		cmocka_unit_test(too_long_a_question_is_refused),
		cmocka_unit_test(a_book_that_is_not_there_is_named),
		cmocka_unit_test(one_that_was_killed_is_started_again),
		cmocka_unit_test(one_that_hangs_is_ended),
		cmocka_unit_test(one_asker_waits_for_a_disk_that_hangs),
		cmocka_unit_test(nonsense_is_no_answer),
		cmocka_unit_test(many_ask_at_once),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

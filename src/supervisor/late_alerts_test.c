/* late_alerts_test.c: what a supervisor finds of the alerts of a killed one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/late_alerts.h"

static char folder[64], path[100];

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/enrgdaq-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/alerts.jsonl", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	late_alerts_drop(folder);
	return rmdir(folder);
}

static void keep(struct late_alerts *late, unsigned number)
{
	struct envelope envelope = {.job = "dice", .sent_wall_ns = 1000 + number};

	envelope.id[0] = (uint8_t)number;
	envelope.body = json_pack("{s:i}", "message", (int)number);
	late_alerts_keep(late, &envelope, number);
	json_decref(envelope.body);
}

static unsigned number_of(const struct late_alerts *late, uint32_t index)
{
	return (unsigned)json_integer_value(json_object_get(late_alerts_get(late, index)->body, "message"));
}

/* As one that is killed: the file stays. */
static void reopen(struct late_alerts *late, uint64_t now_ns)
{
	late_alerts_fini(late);
	late_alerts_open(late, folder, now_ns);
}

static void the_last_ones_are_there(void **state)
{
	struct late_alerts late = {0};
	struct stat status;

	(void)state;
	late_alerts_open(&late, folder, 0);
	assert_int_equal(late.count, 0);
	for (unsigned i = 1; i <= 5000; i++)
		keep(&late, i);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_true(status.st_size < 200 * 5 * (int)LATE_ALERTS_MAX); /* it does not grow for ever */
	reopen(&late, 6000);
	assert_int_equal(late.count, LATE_ALERTS_MAX);
	assert_int_equal(number_of(&late, 0), 5001 - LATE_ALERTS_MAX);
	assert_int_equal(number_of(&late, LATE_ALERTS_MAX - 1), 5000);
	assert_string_equal(late_alerts_get(&late, 0)->job, "dice");
	assert_int_equal(late_alerts_get(&late, LATE_ALERTS_MAX - 1)->sent_wall_ns, 6000);
	reopen(&late, 10); /* the machine was started since: another clock */
	assert_int_equal(late.count, 0);
	late_alerts_fini(&late);
}

static void who_was_there_has_heard_them(void **state)
{
	struct late_alerts late = {0};
	struct late_listener *listener;

	(void)state;
	late_alerts_open(&late, folder, 0);
	keep(&late, 10);
	listener = late_alerts_find_listener(&late, "there");
	listener->gone_ns = UINT64_MAX; /* as late_alerts_send has it */
	late_alerts_note(&late, NULL, listener);
	listener = late_alerts_find_listener(&late, "gone");
	listener->gone_ns = UINT64_MAX;
	late_alerts_note(&late, NULL, listener);
	late_alerts_note_end(&late, "gone", 15);
	keep(&late, 20);
	reopen(&late, 100);
	assert_int_equal(late_alerts_find_listener(&late, "there")->gone_ns, 21);
	assert_int_equal(late_alerts_find_listener(&late, "gone")->gone_ns, 15);
	reopen(&late, 100); /* written anew at the start */
	assert_int_equal(late_alerts_find_listener(&late, "there")->gone_ns, 21);
	assert_int_equal(late.count, 2);
	late_alerts_fini(&late);
}

static void a_line_that_was_cut_is_left_out(void **state)
{
	static const char *const bad[] = {"{\"heard_ns\":3,\"job\":\"cu", "[]", "7", "{\"listener\":5}",
		"{\"job\":\"a\"}", "{\"job\":\"a\",\"body\":3,\"heard_ns\":1}", "\xff\xfe"};
	struct late_alerts late = {0};

	(void)state;
	late_alerts_open(&late, folder, 0);
	keep(&late, 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		FILE *file = fopen(path, "a");
		fprintf(file, "%s\n", bad[i]);
		fclose(file);
		keep(&late, 2 + (unsigned)i);
	}
	reopen(&late, 100);
	assert_int_equal(late.count, 1 + sizeof(bad) / sizeof(bad[0]));
	assert_int_equal(late.listener_count, 0);
	late_alerts_fini(&late);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(the_last_ones_are_there),
		CASE(who_was_there_has_heard_them),
		CASE(a_line_that_was_cut_is_left_out),
	};

	return cmocka_run_group_tests_name("supervisor.late_alerts", tests, NULL, NULL);
}

/* healthcheck_record_test.c: what the next process knows of this one; what the supervisor says; both as rubbish. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "sample.h"

#define S 1000000000ull

static const struct rule rule = {.daq_job_type = "DAQJobTest",
	.figure = RULE_RESTARTS,
	.alert_if = RULE_SATISFIED,
	.interval = "60s",
	.alert = {"restarted", ENRG_ERROR}};

/* Through the file into a new watch of the same rule and job. */
static struct watch *pass_on(const struct watch *watch, const char *run, uint64_t now_ns)
{
	char *text = record_format(watch, "run1");
	struct record *record = record_parse(text);
	struct watch *next = watch_create(&rule, "dice", now_ns);

	assert_non_null(record);
	record_restore(record, next, run, now_ns);
	record_destroy(record);
	free(text);
	return next;
}

static void a_restart_meanwhile_is_seen(void **state)
{
	struct watch *watch = watch_create(&rule, "dice", 100 * S);

	(void)state;
	watch_look(watch, 0, false, 100 * S);
	assert_int_equal(watch_look(watch, 1, false, 101 * S), WATCH_BEGINS);
	assert_int_equal(watch_look(watch, 1, false, 161 * S), WATCH_ENDS);
	struct watch *next = pass_on(watch, "run1", 170 * S);
	assert_false(next->is_active);
	assert_int_equal(watch_look(next, 1, false, 171 * S), WATCH_SAME);
	watch_destroy(next);
	next = pass_on(watch, "run1", 170 * S);
	assert_int_equal(watch_look(next, 2, false, 171 * S), WATCH_BEGINS);
	watch_destroy(next);
	/* also the first one */
	struct watch *fresh = watch_create(&rule, "dice", 100 * S);
	watch_look(fresh, 0, false, 100 * S);
	next = pass_on(fresh, "run1", 170 * S);
	assert_int_equal(watch_look(next, 1, false, 171 * S), WATCH_BEGINS);
	watch_destroy(next);
	watch_destroy(fresh);
	/* another run begins at 0 again */
	next = pass_on(watch, "run2", 170 * S);
	assert_int_equal(watch_look(next, 5, false, 171 * S), WATCH_SAME);
	watch_destroy(next);
	watch_destroy(watch);
}

static void what_is_there_does_not_begin_twice(void **state)
{
	struct watch *watch = watch_create(&rule, "dice", 100 * S);

	(void)state;
	watch_look(watch, 0, false, 100 * S);
	watch_look(watch, 1, false, 101 * S);
	watch->word = strdup("it's \"restarted\"");
	watch->severity = ENRG_WARNING;
	struct watch *next = pass_on(watch, "run1", 120 * S);
	assert_true(next->is_active);
	assert_string_equal(next->word, "it's \"restarted\"");
	assert_int_equal(next->severity, ENRG_WARNING);
	assert_int_equal(next->said_ns, 0);
	assert_int_equal(watch_look(next, 1, false, 121 * S), WATCH_SAME);
	assert_int_equal(watch_look(next, 1, false, 161 * S), WATCH_ENDS);
	watch_destroy(next);
	/* the machine was started anew: the time of before says nothing */
	next = pass_on(watch, "run1", 5 * S);
	assert_int_equal(next->since_ns, 5 * S);
	assert_int_equal(watch_look(next, 1, false, 6 * S), WATCH_ENDS);
	watch_destroy(next);
	watch_destroy(watch);
}

static void rubbish_is_no_record_and_no_sample(void **state)
{
	static const char *const texts[] = {"", "[]", "{", "{\"watches\": 3}", "{\"watches\": {\"x\": []}}", "null",
		"{\"jobs\": {}, \"run\": \"r\", \"state\": \"running\"}", "{\"jobs\": [], \"run\": 1}"};
	struct sample sample;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct record *record = record_parse(texts[i]);
		struct watch *watch = watch_create(&rule, "dice", S);
		if (record)
			record_restore(record, watch, "run1", S);
		assert_false(watch->is_active);
		watch_destroy(watch);
		record_destroy(record);
		assert_true(sample_parse(texts[i], &sample) < 0);
	}
	assert_null(record_parse(NULL));
}

static void a_sample_is_what_the_supervisor_says(void **state)
{
	struct sample sample;

	(void)state;
	assert_int_equal(
		sample_parse(
			"{\"run\": \"r1\", \"state\": \"running\", \"jobs\": ["
			"{\"name\": \"dice\", \"type\": \"DAQJobTest\", \"state\": \"running\", \"is_store\": false, "
			"\"in\": {\"batches\": 0}, \"out\": {\"batches\": 7}, \"backlog_batches\": 3, \"restarts\": 2},"
			"{\"name\": 3}, 5,"
			"{\"name\": \"csv\", \"type\": \"S\", \"state\": \"stopped\", \"is_store\": true, "
			"\"in\": {\"batches\": 4}, \"backlog_batches\": 9, \"restarts\": -1}]}",
			&sample),
		0);
	assert_true(sample.is_running);
	assert_string_equal(sample.run, "r1");
	assert_int_equal(sample.count, 2);
	assert_int_equal(sample.jobs[0].counts[RULE_OUT], 7);
	assert_int_equal(sample.jobs[0].counts[RULE_OUT_QUEUE], 3);
	assert_int_equal(sample.jobs[0].counts[RULE_IN_QUEUE], 0);
	assert_int_equal(sample.jobs[0].counts[RULE_RESTARTS], 2);
	assert_false(sample.jobs[0].is_at_rest);
	assert_string_equal(sample.jobs[1].name, "csv");
	assert_int_equal(sample.jobs[1].counts[RULE_IN], 4);
	assert_int_equal(sample.jobs[1].counts[RULE_IN_QUEUE], 9);
	assert_int_equal(sample.jobs[1].counts[RULE_RESTARTS], 0);
	assert_true(sample.jobs[1].is_at_rest);
	sample_fini(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_restart_meanwhile_is_seen),
		cmocka_unit_test(what_is_there_does_not_begin_twice),
		cmocka_unit_test(rubbish_is_no_record_and_no_sample),
		cmocka_unit_test(a_sample_is_what_the_supervisor_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

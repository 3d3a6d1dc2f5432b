/* healthcheck_watch_test.c: when an alert begins and when it is over, second by second. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "watch.h"

#define S 1000000000ull

static struct rule rule_of(int figure, int alert_if, const char *interval, int64_t amount)
{
	return (struct rule){.daq_job_type = "DAQJobTest",
		.figure = figure,
		.alert_if = alert_if,
		.interval = interval,
		.amount = amount,
		.alert = {"dice", ENRG_ERROR}};
}

/* Looks once a second at counts; a letter each: 'b' begins, 'e' ends, '.' the same. */
static void expect(const struct rule *rule, const unsigned *counts, const char *wanted)
{
	struct watch *watch = watch_create(rule, "dice", 100 * S);
	char found[100] = "";

	for (size_t i = 0; wanted[i]; i++)
		found[i] = ".be"[watch_look(watch, counts[i], false, (100 + i) * S)];
	assert_string_equal(found, wanted);
	watch_destroy(watch);
}

static void silence_is_an_alert(void **state)
{
	const struct rule rule = rule_of(RULE_OUT, RULE_UNSATISFIED, "3s", 0);
	const unsigned talks[] = {5, 6, 7, 7, 7, 7, 7, 8, 9, 9, 9, 9, 9}, never[] = {5, 5, 5, 5, 5, 6};

	(void)state;
	expect(&rule, talks, ".....b.e...b.");
	expect(&rule, never, "...b.e");
}

static void a_restart_is_one_until_its_minute_is_over(void **state)
{
	const struct rule rule = rule_of(RULE_RESTARTS, RULE_SATISFIED, "3s", 0);
	const unsigned counts[] = {2, 2, 3, 3, 4, 4, 4, 4, 4, 0, 0, 1};

	(void)state;
	expect(&rule, counts, "..b....e...b");
}

static void an_amount_is_one_in_this_run(void **state)
{
	const struct rule rule = rule_of(RULE_IN, RULE_SATISFIED, NULL, 10),
			  not_yet = rule_of(RULE_IN, RULE_UNSATISFIED, NULL, 10);
	const unsigned counts[] = {5, 9, 10, 11, 2, 12};

	(void)state;
	expect(&rule, counts, "..b.eb");
	expect(&not_yet, counts, "b.e.be");
}

static void an_amount_in_an_interval_is_a_rate(void **state)
{
	const struct rule many = rule_of(RULE_OUT, RULE_SATISFIED, "3s", 10),
			  few = rule_of(RULE_OUT, RULE_UNSATISFIED, "3s", 10);
	const unsigned counts[] = {100, 101, 102, 103, 112, 113, 114, 115, 116};

	(void)state;
	expect(&many, counts, "....b..e.");
	expect(&few, counts, "...be..b.");
}

static void a_queue_is_what_waits_now(void **state)
{
	const struct rule now = rule_of(RULE_IN_QUEUE, RULE_SATISFIED, NULL, 10),
			  never = rule_of(RULE_OUT_QUEUE, RULE_UNSATISFIED, "2s", 0),
			  lately = rule_of(RULE_IN_QUEUE, RULE_SATISFIED, "2s", 5);
	const unsigned counts[] = {0, 9, 10, 11, 9, 0, 0, 0, 1};

	(void)state;
	expect(&now, counts, "..b.e....");
	expect(&never, counts, "......b.e");
	expect(&lately, counts, ".b....e..");
}

static void a_job_at_rest_is_no_fault(void **state)
{
	const struct rule rule = rule_of(RULE_OUT, RULE_UNSATISFIED, "3s", 0);
	struct watch *watch = watch_create(&rule, "dice", 100 * S);

	(void)state;
	assert_int_equal(watch_look(watch, 1, false, 100 * S), WATCH_SAME);
	assert_int_equal(watch_look(watch, 1, false, 103 * S), WATCH_BEGINS);
	assert_int_equal(watch_look(watch, 1, true, 104 * S), WATCH_ENDS);
	assert_int_equal(watch_look(watch, 1, true, 204 * S), WATCH_SAME);
	assert_int_equal(watch_look(watch, 1, false, 205 * S), WATCH_SAME);
	assert_int_equal(watch_look(watch, 1, false, 208 * S), WATCH_BEGINS);
	watch_destroy(watch);
}

static void words_say_which_job_and_what(void **state)
{
	const struct rule rule = rule_of(RULE_OUT, RULE_UNSATISFIED, "3s", 0);
	struct watch *watch = watch_create(&rule, "hall/dice", 0);

	(void)state;
	watch->is_active = true;
	watch->since_ns = 5 * S;
	char *text = watch_describe(watch, 6 * S);
	assert_string_equal(text, "dice (hall/dice: no batches sent in the last 3s)");
	free(text);
	watch->is_active = false;
	text = watch_describe(watch, 15 * S);
	assert_string_equal(text, "over after 10 s: dice (hall/dice)");
	free(text);
	watch_destroy(watch);
	assert_int_not_equal(watch_id(&rule, "a"), watch_id(&rule, "b"));
}

static void intervals_are_parsed(void **state)
{
	static const char *const bad[] = {
		"", "s", "30", "30 s", "-1s", "1d", "0.5s", "99999999999999999999h", "0s", "1ss"};

	(void)state;
	assert_int_equal(rules_parse_interval("30s"), 30 * S);
	assert_int_equal(rules_parse_interval("5m"), 300 * S);
	assert_int_equal(rules_parse_interval("1h"), 3600 * S);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(rules_parse_interval(bad[i]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_is_an_alert),
		cmocka_unit_test(a_restart_is_one_until_its_minute_is_over),
		cmocka_unit_test(an_amount_is_one_in_this_run),
		cmocka_unit_test(an_amount_in_an_interval_is_a_rate),
		cmocka_unit_test(a_queue_is_what_waits_now),
		cmocka_unit_test(a_job_at_rest_is_no_fault),
		cmocka_unit_test(words_say_which_job_and_what),
		cmocka_unit_test(intervals_are_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* choose_test.c: a flood goes out as a few letters, and no alert is in none or two of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outgoing/choose.h"

static struct outbox outbox;
static struct quota quota;

static int set_up(void **state)
{
	(void)state;
	quota = (struct quota){.most = 4, .most_of_job = 2, .window_ns = QUOTA_WINDOW_NS};
	return outbox_open(&outbox, NULL, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	outbox_close(&outbox);
	return 0;
}

static void put(const char *job, const char *message, enum enrg_level severity)
{
	const struct enrg_alert alert = {
		.sender.supervisor = "lab", .job = job, .severity = severity, .message = message, .time_ns = 1};

	assert_int_equal(outbox_put(&outbox, &alert, NULL), 0);
}

/* The next letter, as sent; "" where none may go. */
static const char *next(uint64_t now_ns, bool is_last_chance)
{
	static char text[3000];
	struct notice notice = {0};
	struct choice choice;

	if (!choose(&outbox, &quota, is_last_chance, now_ns, &choice))
		return "";
	char *made = choice_describe(&choice, &outbox, &notice);
	snprintf(text, sizeof(text), "%s %s: %s", notice_severity(notice.severity), notice.job, made);
	free(made);
	outbox_note_end(&outbox);
	return text;
}

static void a_flood_of_one_job_becomes_one_letter(void **state)
{
	(void)state;
	for (int i = 0; i < 9; i++)
		put("dice", "six", i == 5 ? ENRG_ERROR : ENRG_WARNING);
	put("csv", "full", ENRG_INFO);
	assert_string_equal(next(10, false), "warning dice: six");
	assert_string_equal(next(10, false), "warning dice: six");
	assert_string_equal(next(10, false), "info csv: full");
	assert_string_equal(next(11, false), "");
	assert_int_equal(outbox.count, 7);
	assert_string_equal(next(10 + QUOTA_WINDOW_NS, false),
		"error dice: 7 more alerts of dice (1 errors, 6 warnings); the last: six");
	assert_int_equal(outbox.count, 0);
	put("dice", "one", ENRG_INFO);
	assert_string_equal(next(11 + QUOTA_WINDOW_NS, false), "info dice: one");
}

static void one_that_was_held_is_no_summary(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		put("dice", "six", ENRG_INFO);
	next(10, false);
	next(10, false);
	assert_string_equal(next(10, false), "");
	assert_string_equal(next(10 + QUOTA_WINDOW_NS, false), "info dice: six");
}

static void many_jobs_are_told_of_together(void **state)
{
	char job[16];

	(void)state;
	for (int i = 0; i < 200; i++) {
		snprintf(job, sizeof(job), "job%d", i);
		put(job, "disk full", ENRG_ERROR);
	}
	for (int i = 0; i < 4; i++)
		assert_non_null(strstr(next(10, false), ": disk full"));
	assert_string_equal(next(10, false), "");
	assert_string_equal(next(10 + QUOTA_WINDOW_NS, false), "error (several): 196 more alerts of many jobs (196 "
							       "errors, 0 warnings); the last, of job199: disk full");
	assert_int_equal(outbox.count, 0);
}

static void at_the_end_all_goes_in_few_letters(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++)
		put(i % 2 ? "a" : "b", "x", ENRG_INFO);
	next(10, false);
	assert_string_equal(next(10, true), "info a: 25 more alerts of a (0 errors, 0 warnings); the last: x");
	assert_string_equal(next(10, true), "info b: 24 more alerts of b (0 errors, 0 warnings); the last: x");
	assert_int_equal(outbox.count, 0);
	put("a", "y", ENRG_INFO);
	assert_string_equal(next(10, true), "info a: y");
}

static void what_was_not_kept_is_said(void **state)
{
	(void)state;
	put("a", "x", ENRG_INFO);
	outbox.overflow = 12;
	outbox.first->may_have_been_sent = true;
	assert_string_equal(next(10, false), "info a: x [12 further alerts were not kept, since too many waited; they "
					     "stand in the log] [this may be a "
					     "repetition: it is not known whether it came before]");
}

/* A receiver that is away for three days loses what is three days old, and nothing of the last hours. */
static void what_is_given_up_takes_no_other_along(void **state)
{
	struct choice choice;

	(void)state;
	for (int i = 0; i < 5; i++)
		put("dice", "six", ENRG_ERROR);
	for (struct outbox_entry *entry = outbox.first; entry; entry = entry->next) {
		entry->time_ns = 100 * entry->serial;
		entry->is_held = true;
	}
	assert_true(choose(&outbox, &quota, false, 10, &choice));
	assert_int_equal(choice.count, 5);
	struct choice_failure failure = {.wall_ns = 1200, .patience_ns = 1000};
	assert_int_equal(choice_keep_hopeless(&outbox, &failure), 1);
	outbox_note_end(&outbox);
	assert_int_equal(outbox.count, 4);
	assert_int_equal(outbox.first->time_ns, 200);
	assert_false(outbox.first->is_going);
	failure.wall_ns = 5000;
	assert_int_equal(choice_keep_hopeless(&outbox, &failure), 0); /* none is going */
	outbox.first->is_going = true;
	failure.patience_ns = 0;
	assert_int_equal(choice_keep_hopeless(&outbox, &failure), 0);
	failure.is_refused = true;
	for (uint32_t refusals = 1; refusals <= 3; refusals++) {
		outbox.first->is_going = true;
		assert_int_equal(choice_keep_hopeless(&outbox, &failure), refusals == 3);
	}
	outbox_note_end(&outbox);
	assert_int_equal(outbox.count, 3);
}

/* A receiver that can't digest one letter gets the others, and that one not for ever. */
static void one_that_fails_alone_holds_nobody_up(void **state)
{
	struct choice_failure failure = {.now_ns = 1};

	(void)state;
	quota.most = quota.most_of_job = 100;
	put("a", "poison", ENRG_ERROR);
	put("b", "one", ENRG_INFO);
	put("b", "two", ENRG_INFO);
	struct outbox_entry *poison = outbox.first;
	struct choice choice;
	for (; failure.now_ns <= CHOICE_TRIES; failure.now_ns++) {
		assert_true(choose(&outbox, &quota, false, 10, &choice));
		assert_true(poison->is_going);
		assert_int_equal(choice_keep_hopeless(&outbox, &failure), 0);
	}
	assert_string_equal(next(10, false), "info b: one");
	failure.succeeded_ns = failure.now_ns;
	assert_string_equal(next(10, false), "info b: two");
	for (unsigned i = 1; i <= CHOICE_REFUSALS; i++) {
		assert_true(choose(&outbox, &quota, false, 10, &choice));
		failure.now_ns = failure.succeeded_ns + 1;
		assert_int_equal(choice_keep_hopeless(&outbox, &failure), i == CHOICE_REFUSALS);
		assert_int_equal(poison->refusals, i);
		if (i == CHOICE_REFUSALS)
			break;
		/* nothing else went through since: it is not to blame */
		assert_true(choose(&outbox, &quota, false, 10, &choice));
		failure.now_ns++;
		assert_int_equal(choice_keep_hopeless(&outbox, &failure), 0);
		failure.succeeded_ns = failure.now_ns + 1;
	}
	outbox_note_end(&outbox);
	assert_int_equal(outbox.count, 0);
}

static void who_may_have_come_says_so(void **state)
{
	const struct choice_failure failure = {.may_have_arrived = true};
	struct choice choice;

	(void)state;
	put("a", "x", ENRG_INFO);
	assert_true(choose(&outbox, &quota, false, 10, &choice));
	assert_int_equal(choice_keep_hopeless(&outbox, &failure), 0);
	assert_string_equal(
		next(10, false), "info a: x [this may be a repetition: it is not known whether it came before]");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_flood_of_one_job_becomes_one_letter),
		TEST(one_that_was_held_is_no_summary),
		TEST(many_jobs_are_told_of_together),
		TEST(at_the_end_all_goes_in_few_letters),
		TEST(what_was_not_kept_is_said),
		TEST(what_is_given_up_takes_no_other_along),
		TEST(one_that_fails_alone_holds_nobody_up),
		TEST(who_may_have_come_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

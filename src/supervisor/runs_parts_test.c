/* runs_parts_test.c: what a run that is on becomes by its parts, by alarms, and by what it has made. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/runs_state.h"

#define S 1000000000ull

static char folder[] = "/tmp/enrg-runs-parts-XXXXXX";
static struct runtime runtime;
static const struct enrg_job_type job = {.size = sizeof(job)};
static const struct type_entry type = {.job = &job};
static const struct job_config config = {.type = &type};
static struct plan source_plan = {.name = "beam", .stream_path = "/x"};
static struct plan store_plan = {.name = "csv", .is_store = true};
static struct plan mail_plan = {.name = "mail"};
static struct member members[3];
static struct member *by_name[] = {&members[0], &members[1], &members[2]};
static struct roster roster = {.count = 3, .members = by_name, .by_name = by_name};
static struct runs runs;
static struct ledger *ledger;

static int set_up(void **state)
{
	struct account_source *source = calloc(1, sizeof(*source));

	(void)state;
	members[0] = (struct member){.plan = &source_plan, .config = &config, .state = MEMBER_RUNNING};
	members[1] = (struct member){.plan = &store_plan, .config = &config, .index = 1, .state = MEMBER_RUNNING};
	members[2] = (struct member){.plan = &mail_plan, .config = &config, .index = 2, .state = MEMBER_RUNNING};
	snprintf(runtime.folder, sizeof(runtime.folder), "%s", folder);
	if (ledger_create(1, &ledger) || !source)
		return -1;
	strcpy(ledger->sources[0].name, "beam");
	runs = (struct runs){.is_open = true,
		.is_on = true,
		.runtime = &runtime,
		.roster = &roster,
		.ledger = ledger,
		.state = RUNS_ON,
		.account = account_create("one", 7)};
	strcpy(source->name, "beam");
	source->begin = (struct boundary){.rows = 100, .bytes = 1000, .batches = 1};
	runs.account->sources = source;
	runs.account->source_count = 1;
	return run_facts_set(&runs.account->facts, json_pack("{s:i, s:i}", "stop_after_events", 50, "repeat", 2), NULL);
}

static int tear_down(void **state)
{
	(void)state;
	account_destroy(runs.account);
	ledger_destroy(ledger);
	return 0;
}

static bool has(const char *flag)
{
	return run_facts_has_flag(&runs.account->facts, flag);
}

static void a_part_that_was_down_is_remembered(void **state)
{
	(void)state;
	runs_judge(&runs, 10 * S);
	assert_false(has("degraded"));
	members[2].state = MEMBER_PAUSING; /* who sends mails is no part */
	runs_note_end(&runs, &members[2]);
	runs_judge(&runs, 11 * S);
	assert_false(has("degraded"));
	members[1].state = MEMBER_PAUSING;
	runs_note_end(&runs, &members[1]);
	members[1].state = MEMBER_RUNNING;
	assert_true(has("degraded"));
	runs_judge(&runs, 13 * S);
	assert_int_equal(runs.account->facts.live_ns, 3 * S);
	assert_int_equal(runs.account->facts.dead_ns, 0); /* it came back between two looks */
	members[0].state = MEMBER_STOPPED;
	runs_judge(&runs, 14 * S);
	assert_string_equal(runs.missing, "beam is stopped");
	runs_judge(&runs, 16 * S);
	assert_int_equal(runs.account->facts.dead_ns, 2 * S);
	members[0].wish = WISH_REMOVE; /* somebody takes it away */
	runs_judge(&runs, 17 * S);
	assert_string_equal(runs.missing, "");
}

static void a_part_that_has_given_up_is_an_error(void **state)
{
	(void)state;
	runs.end_due_ns = 5;
	members[1].state = MEMBER_GIVEN_UP;
	runs_judge(&runs, 10 * S);
	assert_int_equal(runs.state, RUNS_ERROR);
	assert_non_null(strstr(runs.reason, "csv has given up"));
	assert_int_equal(runs.end_due_ns, 5); /* its end stays */
	members[1].state = MEMBER_RUNNING;
	runs_judge(&runs, 11 * S);
	assert_int_equal(runs.state, RUNS_ON);
	assert_true(has("degraded"));
}

static void alarms_of_a_kind_taint_it(void **state)
{
	static const char *const names[] = {"silent", "lag/csv"};
	const struct enrg_string_list kinds = {2, names};
	struct runs_alarm alarm = {
		.key = "silently", .event = "begins", .severity = "WARNING", .text = "", .begins = true};

	(void)state;
	runs_note_alarm(&runs, &alarm, &kinds);
	alarm.key = "lag/arrow";
	runs_note_alarm(&runs, &alarm, &kinds);
	alarm = (struct runs_alarm){.key = "silent/beam", .event = "ends", .severity = "INFO", .text = ""};
	runs_note_alarm(&runs, &alarm, &kinds);
	assert_false(has("tainted"));
	alarm.begins = true;
	runs.state = RUNS_STOPPING; /* it is not on any more */
	runs_note_alarm(&runs, &alarm, &kinds);
	assert_false(has("tainted"));
	runs.state = RUNS_ON;
	alarm.key = "lag/csv";
	runs_note_alarm(&runs, &alarm, &kinds);
	assert_true(has("tainted"));
}

static void it_ends_with_what_was_made_in_it(void **state)
{
	(void)state;
	ledger->sources[0].rows = 149; /* 100 of them before it began */
	runs_judge(&runs, 10 * S);
	assert_string_equal(runs.end_due, "");
	ledger->sources[0].rows = 150;
	runs_judge(&runs, 11 * S);
	assert_string_equal(runs.end_due, "it has 50 of 50 events");
	json_t *next = runs_make_next(runs.account);
	assert_int_equal(json_integer_value(json_object_get(next, "repeat")), 1);
	assert_int_equal(json_integer_value(json_object_get(next, "stop_after_events")), 50);
	json_decref(next);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_part_that_was_down_is_remembered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_part_that_has_given_up_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(alarms_of_a_kind_taint_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_ends_with_what_was_made_in_it, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

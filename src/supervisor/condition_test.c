/* condition_test.c: what may stand in stop_when, what can be met, and when it is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "supervisor/condition.h"
#include "supervisor/run_facts.h"

#define S 1000000000ull

static struct plan source_plan = {.name = "hall.dice", .stream_path = "/x"};
static struct plan store_plan = {.name = "csv", .is_store = true};
static struct member members[] = {{.plan = &source_plan, .index = 0}, {.plan = &store_plan, .index = 1}};
static struct member *by_name[] = {&members[1], &members[0]};
static const struct roster roster = {.count = 2, .members = by_name, .by_name = by_name};

static void reads_what_is_written(void **state)
{
	struct condition condition;
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(condition_parse("hall.dice.out_rows_per_s<1.5 for 10 s", &condition, &err), 0);
	assert_string_equal(condition.job, "hall.dice");
	assert_string_equal(enrg_statistics_get(condition.statistic)->name, "out_rows_per_s");
	assert_int_equal(condition.op, CONDITION_LESS);
	assert_true(condition.value == 1.5);
	assert_int_equal(condition.hold_ns, 10 * S);
	assert_int_equal(condition_parse("  csv.restarts  >= 3", &condition, &err), 0);
	assert_int_equal(condition.op, CONDITION_GREATER_EQUAL);
	assert_int_equal(condition.hold_ns, 0);
	assert_int_equal(condition_parse("ledger open for 2.5", &condition, &err), 0);
	assert_true(condition.is_ledger);
	assert_int_equal(condition.hold_ns, 5 * S / 2);
	assert_int_equal(condition_parse("ledger open", &condition, &err), 0);
}

static void says_what_is_wrong(void **state)
{
	static const char *const cases[][2] = {
		{"", "none of the operators"},
		{"csv.restarts", "none of the operators"},
		{"csv.restarts ! 3", "none of the operators"},
		{"restarts > 3", "no JOB.STATISTIC"},
		{".restarts > 3", "no JOB.STATISTIC"},
		{"csv. > 3", "no JOB.STATISTIC"},
		{"csv.restart > 3", "no statistic \"restart\""},
		{"csv.restarts > ", "no number"},
		{"csv.restarts > nan", "no number"},
		{"csv.restarts > 3 4", "not \"for SECONDS\""},
		{"csv.restarts > 3 for", "not \"for SECONDS\""},
		{"csv.restarts > 3 for ever", "between 0 and a year"},
		{"csv.restarts > 3 for -1", "between 0 and a year"},
		{"csv.restarts > 3 for 1 h", "behind the seconds"},
		{"ledger closed", "\"open\" alone"},
		{"ledger opened", "\"open\" alone"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct condition condition;
		struct enrg_error err = {0};
		assert_int_equal(condition_parse(cases[i][0], &condition, &err), ENRG_E_CONFIG);
		if (!strstr(err.text, cases[i][1]))
			fail_msg("\"%s\": %s", cases[i][0], err.text);
	}
}

static void what_cant_be_met_is_refused(void **state)
{
	static const char *const cases[][2] = {
		{"cvs.restarts > 3", "there is no job \"cvs\"; did you mean csv?"},
		{"csv.restarts < 0", "no statistic is below 0"},
		{"csv.restarts <= -1", "no statistic is below 0"},
		{"csv.restarts == -1", "no statistic is below 0"},
		{"hall.dice.blocked_percent > 100", "100 % at most"},
		{"hall.dice.in_rows > 100", "reads nothing"},
		{"hall.dice.latency_p99_ms > 100", "reads nothing"},
		{"csv.out_rows > 100", "sends nothing"},
		{"hall.dice.out_rows >= 0", NULL},
		{"csv.in_rows > 100", NULL},
		{"csv.restarts != -1", NULL},
		{"ledger open", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct condition condition;
		struct enrg_error err = {0};
		assert_int_equal(condition_parse(cases[i][0], &condition, &err), 0);
		assert_int_equal(condition_check(&condition, &roster, &err), cases[i][1] ? ENRG_E_CONFIG : 0);
		if (cases[i][1] && (!strstr(err.text, cases[i][1]) || !strstr(err.text, cases[i][0])))
			fail_msg("\"%s\": %s", cases[i][0], err.text);
	}
}

static void is_true_when_it_has_held(void **state)
{
	struct condition condition;
	struct ledger *ledger;
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(ledger_create(0, &ledger), 0);
	assert_int_equal(condition_parse("csv.restarts >= 2 for 3", &condition, &err), 0);
	members[1].restart.count = 1;
	assert_false(condition_judge(&condition, &roster, ledger, 10 * S));
	members[1].restart.count = 2;
	assert_false(condition_judge(&condition, &roster, ledger, 11 * S));
	assert_false(condition_judge(&condition, &roster, ledger, 13 * S));
	members[1].restart.count = 0; /* it begins anew */
	assert_false(condition_judge(&condition, &roster, ledger, 14 * S));
	members[1].restart.count = 3;
	assert_false(condition_judge(&condition, &roster, ledger, 15 * S));
	assert_true(condition_judge(&condition, &roster, ledger, 18 * S));
	/* what a job does not have is not true, whatever is asked of it */
	assert_int_equal(condition_parse("hall.dice.latency_p50_ms != 5", &condition, &err), 0);
	assert_false(condition_judge(&condition, &roster, ledger, 20 * S));
	assert_int_equal(condition_parse("ledger open", &condition, &err), 0);
	assert_false(condition_judge(&condition, &roster, ledger, 20 * S));
	losses_set(&ledger->losses, &(struct loss){.kind = LOSS_FILES, .name = "csv", .files = 1});
	assert_true(condition_judge(&condition, &roster, ledger, 21 * S));
	ledger_destroy(ledger);
}

/* All that is wrong is said at once, and what is asked for comes back from runs.json. */
static void terms_are_checked_and_kept(void **state)
{
	struct run_facts facts = {.asked = NULL}, again = {.asked = NULL};
	struct enrg_error err = {0};
	json_t *problems = json_array(), *json;

	(void)state;
	assert_int_equal(run_facts_set(&facts,
				 json_pack("{s:s, s:i, s:[s, s]}", "count_source", "hall.dices", "repeat", 2,
					 "stop_when", "csv.restarts > 3", "csv.restarts"),
				 &err),
		0);
	run_terms_check(facts.terms, &roster, NULL, problems, NULL, NULL);
	assert_int_equal(json_array_size(problems), 2);
	assert_non_null(strstr(json_string_value(json_array_get(problems, 0)), "did you mean hall.dice?"));
	json_decref(problems);
	assert_int_equal(run_facts_set(&facts, json_pack("{s:s}", "stop_after", "x"), &err), ENRG_E_CONFIG);
	assert_int_equal(facts.terms->repeat, 2); /* as it was */
	assert_true(run_facts_set_flag(&facts, "degraded", true, "csv was down", ""));
	assert_false(run_facts_set_flag(&facts, "degraded", true, "csv was down", ""));
	strcpy(facts.by, "ada");
	json = run_facts_format(&facts);
	run_facts_parse(&again, json);
	json_decref(json);
	assert_string_equal(again.by, "ada");
	assert_int_equal(again.terms->repeat, 2);
	assert_int_equal(again.terms->stop_when.count, 2);
	assert_true(run_facts_has_flag(&again, "degraded"));
	assert_true(run_facts_set_flag(&again, "degraded", false, "", ""));
	assert_false(run_facts_has_flag(&again, "degraded"));
	run_facts_fini(&facts);
	run_facts_fini(&again);
	run_facts_parse(&again, NULL); /* of an older version, or damaged */
	assert_non_null(again.terms);
	run_facts_fini(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_is_written),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(what_cant_be_met_is_refused),
		cmocka_unit_test(is_true_when_it_has_held),
		cmocka_unit_test(terms_are_checked_and_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* run_match_test.c: texts that are those of a template, and texts that are not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "config/run_match.h"

static const char template_text[] =
	"[parameters.top]\ntype = 'int'\nrequired = true\nminimum = 2\nmaximum = 20\n"
	"[parameters.rate]\ntype = 'float'\ndefault = 1.5\n"
	"[parameters.file]\ntype = 'string'\ndefault = 'a.csv'\n"
	"[[job]]\ndaq_job_type = 'DAQJobTest'\ndaq_job_unique_id = 'dice'\nrand_min = 1\n"
	"rand_max = { parameter = 'top' }\nagain = { parameter = 'top' }\nrate = { parameter = 'rate' }\n"
	"list = [1, { parameter = 'top' }]\n[job.store_config.csv]\nfile_path = { parameter = 'file' }\n"
	"add_date = false\n";

static struct options_memory *memory;
static struct run_plans *plans;

static int setup(void **state)
{
	const char *const names[] = {"runs/templates/dice.toml"}, *const texts[] = {template_text};
	struct sources sources = {0};
	struct problems problems;

	(void)state;
	problems_init(&problems);
	memory = options_memory_create();
	assert_int_equal(sources_copy(names, texts, 1, &sources, NULL), 0);
	assert_int_equal(run_plans_load(&sources, memory, &plans, &problems, NULL), 0);
	assert_int_equal(problems.errors, 0);
	problems_fini(&problems);
	sources_fini(&sources);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	run_plans_free(plans);
	options_memory_destroy(memory);
	return 0;
}

static char why[700];

static bool is_match(const char *text, bool may_run_code)
{
	struct toml_node *job = NULL;

	assert_int_equal(toml_parse("text", text, strlen(text), &job, NULL), 0);
	const struct run_template *found = run_match_find(plans, job, may_run_code, why, sizeof(why));
	toml_free(job);
	return found != NULL;
}

#define HEAD "daq_job_unique_id = 'dice_1_2'\ndaq_job_type = 'DAQJobTest'\nrand_min = 1\n"
#define REST "rate = 2\n[store_config.csv]\nfile_path = 'x.csv'\nadd_date = false\n"

static void test_alike(void **state)
{
	(void)state;
	assert_true(is_match(HEAD "rand_max = 5\nagain = 5\nlist = [1, 5]\n" REST, false));
	/* comments, order, and a value that has a default are free; so is the name */
	assert_true(is_match("# mine\nlist = [1, 5]\nagain = 5\nrand_max = 5\nrand_min = 1.0\n"
			     "daq_job_type = 'DAQJobTest'\n[store_config.csv]\nadd_date = false\n",
		false));
}

static void assert_differs(const char *text, const char *expected)
{
	assert_false(is_match(text, true));
	if (!strstr(why, expected))
		fail_msg("\"%s\" was expected in: %s", expected, why);
}

static void test_other(void **state)
{
	(void)state;
	assert_differs(HEAD "rand_max = 21\nagain = 21\nlist = [1, 21]\n" REST, "from 2 to 20");
	assert_differs(HEAD "rand_max = 5\nagain = 5\nlist = [1, 6]\n" REST, "another value elsewhere");
	assert_differs(HEAD "again = 5\nlist = [1, 5]\n" REST, "rand_max: the template has it");
	assert_differs(HEAD "rand_max = [5]\nagain = 5\nlist = [1, 5]\n" REST, "parameter top");
	assert_differs(HEAD "rand_max = 5\nagain = 5\nlist = [1, 5, 6]\n" REST, "another length");
	assert_differs(HEAD "rand_max = 5\nagain = 5\nlist = [2, 5]\n" REST, "another value than the template");
	assert_differs(
		HEAD "more = 1\nrand_max = 5\nagain = 5\nlist = [1, 5]\n" REST, "more: the template has no such key");
	assert_differs(HEAD "rand_max = 5\nagain = 5\nlist = [1, 5]\n" REST "daq_job_unique_id = 'x'\n",
		"daq_job_unique_id: the template has no such key");
	assert_differs("daq_job_type = 'DAQJobOther'\n", "no template");
	assert_differs("rand_max = 5\n", "no template");
}

static void test_code(void **state)
{
	(void)state;
	plans->templates[0].runs_code = true;
	assert_true(is_match(HEAD "rand_max = 5\nagain = 5\nlist = [1, 5]\n" REST, true));
	assert_false(is_match(HEAD "rand_max = 5\nagain = 5\nlist = [1, 5]\n" REST, false));
	assert_non_null(strstr(why, "runs no programs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_alike, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other, setup, teardown),
		cmocka_unit_test_setup_teardown(test_code, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

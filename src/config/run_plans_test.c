/* run_plans_test.c: types, templates and sequences with fake jobs: what is refused, and what a run is made of. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/folder.h"
#include "config/run_judge.h"
#include "config/run_setup.h"
#include "config/run_steps.h"
#include "config/secrets.h"
#include "enrgdaq/message.h"

struct pulser_options {
	double amplitude;
	int64_t count;
	const char *label, *password, *program;
	bool is_on;
};

static const struct enrg_option pulser_options[] = {
	{.key = "amplitude",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct pulser_options, amplitude),
		.default_value = "1.0",
		.min = 0,
		.max = 1000,
		.help = "Amplitude."},
	{.key = "count",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct pulser_options, count),
		.default_value = "1",
		.help = "Count."},
	{.key = "label", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct pulser_options, label), .help = "L."},
	{.key = "password",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct pulser_options, password),
		.secret = true,
		.help = "P."},
	{.key = "program",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct pulser_options, program),
		.runs_code = true,
		.help = "C."},
	{.key = "on",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct pulser_options, is_on),
		.default_value = "false",
		.help = "O."},
	{0},
};

static int check_pulser(const void *options, struct enrg_error *err)
{
	const struct pulser_options *own = options;

	return own->count == 13 ? enrg_error_set(err, ENRG_E_CONFIG, "count: no pulser has thirteen") : 0;
}

static const struct enrg_option no_fields[] = {{0}};

static int receive(
	struct enrg_job *job, void *state, const void *body, struct enrg_answer *answer, struct enrg_error *err)
{
	(void)job, (void)state, (void)body, (void)answer, (void)err;
	return 0;
}

static const struct enrg_message_type shell_message = {.size = sizeof(struct enrg_message_type),
	.kind = "shell",
	.summary = "Runs it.",
	.body = {1, no_fields},
	.runs_code = true,
	.receive = receive};
static const struct enrg_message_type *const pulser_messages[] = {&shell_message, NULL};

static const struct enrg_job_type pulser_type = {.size = sizeof(struct enrg_job_type),
	.name = "DAQJobPulser",
	.summary = "Pulser.",
	.check = check_pulser,
	.options = {sizeof(struct pulser_options), pulser_options},
	.messages = pulser_messages};

struct fixture {
	struct types *types;
	struct problems problems;
	struct folder *folder;
	char *printed;
};

static int setup(void **state)
{
	const struct type_entry entries[] = {{.job = &pulser_type}};
	struct fixture *f = calloc(1, sizeof(*f));

	problems_init(&f->problems);
	*state = f;
	return types_create_static(entries, 1, &f->types, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	folder_free(f->folder);
	problems_fini(&f->problems);
	types_free(f->types);
	free(f->printed);
	free(f);
	return 0;
}

static void print(struct fixture *f)
{
	size_t count = 0;
	FILE *stream = open_memstream(&f->printed, &count);

	problems_print(&f->problems, stream);
	fclose(stream);
}

/* Pairs of name and text, NULL at the end; judged as `check` does. */
static void load(struct fixture *f, const char *const *pairs)
{
	const char *names[16], *texts[16];
	size_t count = 0;

	for (; pairs[2 * count]; count++) {
		names[count] = pairs[2 * count];
		texts[count] = pairs[2 * count + 1];
	}
	assert_int_equal(folder_load_texts(
				 &(struct folder_texts){count, names, texts}, f->types, &f->folder, &f->problems, NULL),
		0);
	run_judge_plans(f->folder, f->types, &f->problems);
	print(f);
}

#define SUPERVISOR "supervisor.toml", "info.supervisor_id = 'one'\n"
#define JOB        "clock.toml", "daq_job_type = 'DAQJobPulser'\n"
#define TEMPLATE                                                                                                       \
	"[parameters.height]\ntype = 'float'\ndefault = 100.0\nminimum = 0.0\nmaximum = 500.0\nunit = 'mV'\n"          \
	"[parameters.label]\ntype = 'string'\ndefault = 'none'\n"                                                      \
	"[[job]]\ndaq_job_type = 'DAQJobPulser'\namplitude = { parameter = 'height' }\nlabel = { parameter = "         \
	"'label' }\n"
#define TYPE "templates = ['led']\n[values]\nheight = 250\n"

static const char *const good[] = {SUPERVISOR, JOB, "runs/templates/led.toml", TEMPLATE, "runs/types/calibration.toml",
	TYPE, "runs/sequences/scan.toml",
	"type = 'calibration'\nstop_after_seconds = 2.0\n[values]\nlabel = 'scan'\n[[scan]]\nparameter = 'height'\n"
	"from = 0.1\nto = 0.5\nstep = 0.1\n",
	NULL};

static struct run_setup *make(struct fixture *f, const char *values, bool is_aligned)
{
	json_t *json = values ? json_loads(values, JSON_ALLOW_NUL, NULL) : NULL;
	const struct run_setup_wanted wanted = {
		.type = run_plans_find_type(f->folder->plans, "calibration"), .values = json, .is_aligned = is_aligned};
	struct run_setup *made = NULL;

	assert_non_null(wanted.type);
	assert_int_equal(run_setup_make(f->folder->plans, &wanted, &made, &f->problems, NULL), 0);
	json_decref(json);
	free(f->printed);
	print(f);
	return made;
}

static void test_good(void **state)
{
	struct fixture *f = *state;
	struct run_setup *made;

	load(f, good);
	assert_string_equal(f->printed, "");
	assert_int_equal(f->folder->job_count, 1); /* what lies in runs/ is no job */
	made = make(f, "{\"label\": \"a\"}", false);
	assert_string_equal(f->printed, "");
	assert_int_equal(made->job_count, 1);
	assert_string_equal(made->jobs[0].name, "led");
	assert_string_equal(made->jobs[0].text, "daq_job_unique_id = \"led\"\ndaq_job_type = \"DAQJobPulser\"\n"
						"amplitude = 250.0\nlabel = \"a\"\n");
	assert_true(json_real_value(json_object_get(made->values, "height")) == 250.0);
	run_setup_free(made);
}

/* What a command line gives are texts; a number of another kind is none. */
static void test_values(void **state)
{
	struct fixture *f = *state;
	struct run_setup *made;

	load(f, good);
	made = make(f, "{\"height\": \"42\", \"label\": \"7\"}", false);
	assert_string_equal(f->printed, "");
	assert_non_null(strstr(made->jobs[0].text, "amplitude = 42.0\nlabel = \"7\"\n"));
	run_setup_free(made);
	made = make(f, "{\"height\": 501, \"label\": 7, \"heigth\": 1}", false);
	assert_string_equal(f->printed,
		"values: heigth: run type calibration has no such parameter; it has height, label\n"
		"values: height: expected a number from 0 to 500 mV, found 501\n"
		"values: label: expected a string, found 7\n");
	run_setup_free(made);
}

/* A text that would end its string, begin a key, a table, another job. */
static void test_no_breaking_out(void **state)
{
	static const char *const texts[] = {"x\"\nprogram = \"/bin/sh\"\n#", "x'\nprogram = '/bin/sh'",
		"x\"\"\"\n[a]\nb = 1", "\\\"\nprogram = 1", "\\", "\\u0022", "{ parameter = \"height\" }",
		"\x01\x7f\t\r\n", "\xc3\xa4 \xe2\x82\xac"};
	struct fixture *f = *state;

	load(f, good);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *values = json_pack("{s:s}", "label", texts[i]);
		char *given = json_dumps(values, 0);
		struct run_setup *made = make(f, given, false);
		struct toml_node *root = NULL;

		assert_string_equal(f->printed, "");
		assert_int_equal(toml_parse("x", made->jobs[0].text, strlen(made->jobs[0].text), &root, NULL), 0);
		assert_int_equal(root->count, 4);
		assert_string_equal(toml_find(root, "label")->text, texts[i]);
		toml_free(root);
		run_setup_free(made);
		free(given);
		json_decref(values);
	}
	run_setup_free(make(f, "{\"label\": \"a\\u0000b\"}", false));
	assert_non_null(strstr(f->printed, "label: "));
}

static void test_all_errors(void **state)
{
	struct fixture *f = *state;
	const char *const pairs[] = {SUPERVISOR, "led.toml", "daq_job_type = 'DAQJobPulser'\n",
		"runs/templates/led.toml",
		"[parameters.height]\ntype = 'float'\ndefault = '5'\n[parameters.n]\ntype = 'int'\ndefault = 13\n"
		"[parameters.k]\ntype = 'double'\n[parameters.c]\ntype = 'string'\nchoices = ['a', 3]\n"
		"[[job]]\ndaq_job_type = 'DAQJobPulser'\namplitude = { parameter = 'heigth' }\ncount = { parameter = "
		"'n' "
		"}\non = 1\n[[job]]\ndaq_job_type = { parameter = 'c' }\n",
		"runs/types/t.toml", "templates = ['led', 'lde']\nstop_after_seconds = -1\n[values]\nn = 1.5\nm = 1\n",
		"runs/sequences/s.toml", "type = 'tt'\n", NULL};

	load(f, pairs);
	assert_string_equal(f->printed,
		"runs/sequences/s.toml:1: expected either [[scan]] or [[step]], found neither\n"
		"runs/sequences/s.toml:1: type: there is no run type \"tt\"; `enrgdaq runs types` lists them\n"
		"runs/templates/led.toml:3: parameters.height.default: expected a number without quotes\n"
		"runs/templates/led.toml:8: parameters.k.type: expected one of \"string\", \"int\", \"float\", "
		"\"bool\", "
		"found the string \"double\"\n"
		"runs/templates/led.toml:11: parameters.c.choices[1]: expected a string, found 3\n"
		"runs/templates/led.toml:14: { parameter = \"heigth\" }: the template has no such parameter; did you "
		"mean "
		"height?\n"
		"runs/templates/led.toml:18: job.daq_job_type: the type of the job was expected, a string; no "
		"parameter "
		"decides which program code runs\n"
		"runs/types/t.toml:1: templates: there is no template \"lde\": runs/templates/lde.toml was expected\n"
		"runs/types/t.toml:2: stop_after_seconds: expected a number from 0 to 1000000000 s, found the integer "
		"-1\n"
		"runs/types/t.toml:4: values.n: expected an integer, found 1.5\n"
		"runs/types/t.toml:5: values.m: none of its templates has such a parameter\n");
}

/* The job's own type judges, at the lines of the template; a name that a job of the folder has is taken. */
static void test_judged(void **state)
{
	struct fixture *f = *state;
	const char *const pairs[] = {SUPERVISOR, "led.toml", "daq_job_type = 'DAQJobPulser'\n",
		"runs/templates/led.toml",
		"# a comment\n[parameters.n]\ntype = 'int'\ndefault = 13\n[[job]]\ndaq_job_type = 'DAQJobPulser'\n\n"
		"count = { parameter = 'n' }\non = 1\nsurplus = 2\n",
		"runs/types/t.toml", "templates = ['led']\n[values]\nn = 12\n", NULL};

	load(f, pairs);
	assert_string_equal(f->printed,
		"runs/templates/led.toml:5: daq_job_unique_id: \"led\" is taken: led.toml calls its job \"led\"; each "
		"job "
		"needs a name of its own\n"
		"runs/templates/led.toml:9: on: expected true or false, found the integer 1\n"
		"runs/templates/led.toml:10: surplus: unknown key; known keys are daq_job_type, verbosity, "
		"daq_job_unique_id, use_shm_when_possible, topics_to_subscribe, acquire, restart_on_crash, "
		"silent_after_seconds, "
		"ring_buffer_size_mb, amplitude, count, label, password, program, on\n");
}

static void test_type_asks_its_own_check(void **state)
{
	struct fixture *f = *state;
	const char *const pairs[] = {SUPERVISOR, JOB, "runs/templates/led.toml",
		"[parameters.n]\ntype = 'int'\n[[job]]\ndaq_job_type = 'DAQJobPulser'\ncount = { parameter = 'n' }\n",
		"runs/types/t.toml", "templates = ['led']\n[values]\nn = 13\n", NULL};

	load(f, pairs);
	assert_string_equal(f->printed, "runs/templates/led.toml:5: count: no pulser has thirteen\n");
}

/* A folder of before that has job files there runs as it did. */
static void test_jobs_in_runs(void **state)
{
	struct fixture *f = *state;
	const char *const pairs[] = {SUPERVISOR, "runs/a.toml", "daq_job_type = 'DAQJobPulser'\n", "runs/types/b.toml",
		"daq_job_type = 'DAQJobPulser'\n", "runs/types/deep/c.toml", "daq_job_type = 'DAQJobPulser'\n", NULL};

	load(f, pairs);
	assert_int_equal(f->problems.errors, 0);
	assert_int_equal(f->folder->job_count, 3);
	assert_string_equal(f->folder->jobs[1].name, "runs/types/b");
	assert_non_null(strstr(f->printed, "runs/types/b.toml: warning: it is a job"));
}

static void test_steps(void **state)
{
	struct fixture *f = *state;
	struct run_steps *steps = NULL;

	load(f, good);
	assert_int_equal(run_steps_make(f->folder->plans, run_plans_find_sequence(f->folder->plans, "scan"), &steps,
				 &f->problems, NULL),
		0);
	assert_int_equal(steps->count, 5);
	json_t *json = run_steps_format(&steps->items[2]);
	char *text = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT | JSON_REAL_PRECISION(15));
	assert_string_equal(text, "{\"description\":\"height = 0.3\",\"ends\":{\"stop_after_seconds\":2.0},\"settle_"
				  "seconds\":0.0,\"values\":{\"height\":0.3,\"label\":\"scan\"}}");
	free(text);
	json_decref(json);
	run_steps_free(steps);
}

/* It is cut between two letters: half of one would make the step no text of JSON. */
static void test_a_long_description_of_a_step(void **state)
{
	struct fixture *f = *state;
	char text[800] = "type = 'calibration'\n[[step]]\ndescription = '";
	struct run_steps *steps = NULL;

	for (int i = 0; i < 200; i++)
		strcat(text, "\xc3\xbc");
	strcat(text, "'\n");
	const char *const pairs[] = {SUPERVISOR, JOB, "runs/templates/led.toml", TEMPLATE,
		"runs/types/calibration.toml", TYPE, "runs/sequences/a.toml", text, NULL};
	load(f, pairs);
	assert_int_equal(run_steps_make(f->folder->plans, run_plans_find_sequence(f->folder->plans, "a"), &steps,
				 &f->problems, NULL),
		0);
	json_t *json = run_steps_format(&steps->items[0]);
	assert_non_null(json);
	json_decref(json);
	run_steps_free(steps);
}

static void test_wrong_steps(void **state)
{
	struct fixture *f = *state;
	const char *const pairs[] = {SUPERVISOR, JOB, "runs/templates/led.toml", TEMPLATE,
		"runs/types/calibration.toml", TYPE, "runs/sequences/a.toml",
		"type = 'calibration'\n[[scan]]\nparameter = 'height'\nfrom = 0\nto = 600\nstep = 100\n",
		"runs/sequences/b.toml",
		"type = 'calibration'\n[[scan]]\nparameter = 'height'\nfrom = 1\nto = 2\nstep = -1\n",
		"runs/sequences/c.toml",
		"type = 'calibration'\n[[step]]\nvalues = { height = 'x' }\n[[step]]\nsettle_seconds = -1\n",
		"runs/sequences/d.toml",
		"type = 'calibration'\n[[scan]]\nparameter = 'height'\nfrom = 0\nto = 1\nstep = 0.00001\n", NULL};

	load(f, pairs);
	assert_string_equal(f->printed,
		"runs/sequences/a.toml:2: scan of height, value 7: expected a number from 0 to 500 mV, found 600.0\n"
		"runs/sequences/b.toml:2: scan: expected `values`, or `from`, `to` and a `step` that leads from one to "
		"the "
		"other\n"
		"runs/sequences/c.toml:3: step[0].values.height: expected a number from 0 to 500 mV, found \"x\"\n"
		"runs/sequences/c.toml:5: step[1].settle_seconds: expected a number from 0 to 1000000 s, found the "
		"integer "
		"-1\n"
		"runs/sequences/d.toml:2: scan: 100001 steps, and at most 10000 can be\n");
}

/* What stands in the place of a password is one: in the file, in the values, in the record. */
/* Whoever is meant: one, all that take it, or a job that may come later. */
static void test_messages_that_run_code(void **state)
{
	struct fixture *f = *state;
	const char *const pairs[] = {SUPERVISOR, JOB, "runs/templates/one.toml",
		"[[message]]\nto = 'type DAQJobPulser'\nkind = 'shell'\n", "runs/templates/all.toml",
		"[[message]]\nto = 'all'\nkind = 'shell'\n", "runs/templates/other.toml",
		"[[message]]\nto = 'all'\nkind = 'ramp'\n", NULL};

	load(f, pairs);
	assert_true(run_plans_find_template(f->folder->plans, "one")->runs_code);
	assert_true(run_plans_find_template(f->folder->plans, "all")->runs_code);
	assert_false(run_plans_find_template(f->folder->plans, "other")->runs_code);
}

static void test_secrets(void **state)
{
	static const char template[] =
		"[parameters.pw]\ntype = 'string'\ndefault = 'planted'\n[parameters.cmd]\ntype = "
		"'string'\ndefault = 'ls'\n[[job]]\ndaq_job_type = 'DAQJobPulser'\npassword = { "
		"parameter = 'pw' }\nprogram = { parameter = 'cmd' }\n[[job]]\ndaq_job_type = "
		"'DAQJobPulser'\npassword = 'other'\n";
	struct fixture *f = *state;
	const char *const pairs[] = {SUPERVISOR, JOB, "runs/templates/led.toml", template,
		"runs/types/calibration.toml", "templates = ['led']\n", "runs/types/other.toml",
		"templates = ['led']\n[values]\npw = 'abc'\n", NULL};
	char *masked = NULL;

	load(f, pairs);
	assert_string_equal(f->printed,
		"runs/types/other.toml:3: values.pw: it is a secret: it stands in its template, "
		"as the default, or is given by whoever starts the run\n");
	const struct run_type *type = run_plans_find_type(f->folder->plans, "calibration");
	assert_true(type->runs_code);
	assert_true(run_plans_find_parameter(f->folder->plans, type, "cmd")->runs_code);
	assert_int_equal(secrets_hide_text(f->types, "x/runs/templates/led.toml", template, &masked, NULL), 0);
	assert_null(strstr(masked, "planted"));
	assert_null(strstr(masked, "other"));
	assert_non_null(strstr(masked, "default = \"***\""));
	assert_non_null(strstr(masked, "default = 'ls'"));
	free(masked);
	struct run_setup *made = make(f, "{\"pw\": \"abcd\"}", false);
	json_t *shown = run_setup_show_values(f->folder->plans, made);
	assert_string_equal(json_string_value(json_object_get(shown, "pw")), "***");
	assert_string_equal(json_string_value(json_object_get(made->values, "pw")), "abcd");
	json_decref(shown);
	run_setup_free(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_breaking_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_judged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_type_asks_its_own_check, setup, teardown),
		cmocka_unit_test_setup_teardown(test_jobs_in_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_steps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_long_description_of_a_step, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_steps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_messages_that_run_code, setup, teardown),
		cmocka_unit_test_setup_teardown(test_secrets, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

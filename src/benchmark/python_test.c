/* python_test.c: with stand-ins for interpreter and checkout: what is asked of the Python ENRGDAQ's benchmark, what is
 * read from its summary, and what is said where something is missing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "benchmark/python.h"
#include "benchmark/run.h"

#define SUMMARY                                                                                                        \
	"Avg Data Throughput:   1234.50 MB/s\n"                                                                        \
	"Messages/Second:       12,345\n"                                                                              \
	"Avg CPU Usage:         150.5%\n"                                                                              \
	"Peak p99 Latency:      31.66 ms\n"

/* Stands for an interpreter: it can import all, and prints a summary. $3 is the checkout. */
#define READY "#!/bin/sh\n[ \"$4\" = run ] || { echo ready; exit; }\n"

/* Stands for the checkout's program at a version that forgets an argument of one of its own classes. */
static const char forgetful[] = "import argparse\n"
				"class DAQJobHandleStatsConfig:\n"
				"    __struct_fields__ = ('store_config', 'timeseries_store_config')\n"
				"    def __init__(self, store_config, timeseries_store_config): pass\n"
				"def parse_args():\n"
				"    parser = argparse.ArgumentParser()\n"
				"    for name in 'clients', 'payload-size', 'duration':\n"
				"        parser.add_argument('--' + name, type=int)\n"
				"    for name in 'use-memory-store', 'use-shm':\n"
				"        parser.add_argument('--' + name, action='store_true')\n"
				"    return parser.parse_args()\n"
				"class BenchmarkRunner:\n"
				"    def __init__(self, config): self.config = config\n"
				"    def run(self):\n"
				"        DAQJobHandleStatsConfig(store_config=1)\n"
				"        print('Avg Data Throughput: %d MB/s' % self.config.payload_size)\n";

struct fixture {
	char folder[64];
	struct python python;
};

static void write_file(const struct fixture *fixture, const char *name, const char *text, mode_t mode)
{
	char path[256];
	struct enrg_error err;

	snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
	*strrchr(path, '/') = 0;
	assert_int_equal(path_make_folders(path, 0700, &err), 0);
	path[strlen(path)] = '/';
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	strcpy(fixture->folder, "/tmp/enrgdaq-python-XXXXXX");
	if (!mkdtemp(fixture->folder))
		return -1;
	write_file(fixture, "src/enrgdaq/tools/benchmark_runner.py", forgetful, 0600);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	bench_remove_tree(((struct fixture *)*state)->folder);
	free(*state);
	return 0;
}

/* The checkout's own .venv/bin/python is found by itself. */
static int find(struct fixture *fixture, const char *script, struct enrg_error *err)
{
	if (script)
		write_file(fixture, ".venv/bin/python", script, 0700);
	return python_find(fixture->folder, NULL, &fixture->python, err);
}

static int measure(struct fixture *fixture, const char *behind, struct python_result *ret, struct enrg_error *err)
{
	char script[2048];

	snprintf(script, sizeof(script), READY "%s", behind);
	assert_int_equal(find(fixture, script, err), 0);
	return python_run(&fixture->python, 3, 10000, 1.5, ret, err);
}

static void test_summary(void **state)
{
	struct python_result result;
	struct enrg_error err = {0};

	/* It runs as a user would start it, in a folder of its own, and its exit code says nothing. */
	assert_int_equal(measure(*state,
				 "shift 4\n"
				 "[ \"$*\" = '--clients 3 --payload-size 10000 --duration 7 --use-memory-store "
				 "--use-shm' ] || exit\n"
				 "case $PWD in /var/tmp/enrgdaq-bench-*) ;; *) exit ;; esac\n"
				 "echo '" SUMMARY "'\nkill -KILL $$\n",
				 &result, &err),
		0);
	assert_float_equal(result.gb_per_s, 1.2345, 1e-9);
	assert_float_equal(result.messages_per_s, 12345, 1e-9);
	assert_float_equal(result.cpu_percent, 150.5, 1e-9);
	assert_float_equal(result.latency_p99_ms, 31.66, 1e-9);
}

static void test_summary_of_earlier_versions(void **state)
{
	struct python_result result;
	struct enrg_error err = {0};

	assert_int_equal(measure(*state, "echo 'Avg SHM Throughput: 500 MB/s'", &result, &err), 0);
	assert_float_equal(result.gb_per_s, 0.5, 1e-9);
	assert_true(isnan(result.messages_per_s) && isnan(result.latency_p99_ms));
}

static void test_no_summary(void **state)
{
	struct python_result result;
	struct enrg_error err = {0};

	assert_int_equal(measure(*state, "echo more >&2; echo ValueError: no port", &result, &err), -ENODATA);
	assert_string_equal(err.text, "no summary: ValueError: no port");
	assert_int_equal(measure(*state, "printf 'one\\ntwo\\n' >&2; exit 3", &result, &err), -ENODATA);
	assert_string_equal(err.text, "no summary: two");
}

/* What it leaves behind holds its output open, and ends with it. */
static void test_what_it_leaves_behind(void **state)
{
	struct fixture *fixture = *state;
	struct python_result result;
	struct enrg_error err = {0};
	char behind[512], path[128], text[32];

	snprintf(path, sizeof(path), "%s/pid", fixture->folder);
	snprintf(behind, sizeof(behind), "sleep 1000 &\necho $! >%s\necho 'Avg Data Throughput: 1'\n", path);
	assert_int_equal(measure(fixture, behind, &result, &err), 0);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	pid_t pid = (pid_t)strtol(text, NULL, 10);
	for (int i = 0; i < 3000 && kill(pid, 0) == 0; i++)
		usleep(10000); /* until whoever inherited it has waited for it */
	assert_int_equal(kill(pid, 0), -1);
}

static void test_what_is_missing(void **state)
{
	struct fixture *fixture = *state;
	struct python python;
	struct enrg_error err = {0};
	char path[128];

	assert_int_equal(python_find("/nowhere", NULL, &python, &err), ENRG_E_CONFIG);
	assert_non_null(strstr(err.text, "/nowhere: No such file"));
	snprintf(path, sizeof(path), "%s/src", fixture->folder);
	assert_int_equal(python_find(path, NULL, &python, &err), ENRG_E_CONFIG);
	assert_non_null(strstr(err.text, "no checkout of the Python ENRGDAQ"));
	assert_int_equal(python_find(fixture->folder, "/nowhere/python", &python, &err), ENRG_E_CONFIG);
	assert_non_null(strstr(err.text, "there is no /nowhere/python"));
	/* a package */
	assert_int_equal(
		find(fixture, "#!/bin/sh\necho \"ModuleNotFoundError: No module named 'pyarrow'\"; exit 1\n", &err),
		ENRG_E_CONFIG);
	assert_non_null(strstr(err.text, "No module named 'pyarrow'; `uv sync`"));
}

/* With a real interpreter: the argument that the program forgets is given. */
static void test_forgotten_argument(void **state)
{
	struct fixture *fixture = *state;
	struct python_result result;
	struct enrg_error err = {0};

	if (system("python3 -c 'import argparse' >/dev/null 2>&1") != 0)
		skip();
	assert_int_equal(find(fixture, NULL, &err), 0);
	assert_int_equal(python_run(&fixture->python, 1, 500, 1, &result, &err), 0);
	assert_float_equal(result.gb_per_s, 0.5, 1e-9);
	write_file(fixture, "src/enrgdaq/tools/benchmark_runner.py", "import no_such_package\n", 0600);
	assert_int_equal(find(fixture, NULL, &err), ENRG_E_CONFIG);
	assert_non_null(strstr(err.text, "ModuleNotFoundError: No module named 'no_such_package'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_summary, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_summary_of_earlier_versions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_summary, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_it_leaves_behind, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_missing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_forgotten_argument, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

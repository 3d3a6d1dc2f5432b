/* check_test.c: `enrgdaq check` and `run` with the stores as they are: what could never be stored ends both with exit
 * code 2 before anything starts. A store that this build leaves out is passed over.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static int call(const char *arguments, char *ret_text, size_t text_bytes)
{
	char command[300];

	snprintf(command, sizeof(command), "'%s' %s 2>&1", getenv("ENRGDAQ_BIN"), arguments);
	FILE *pipe = popen(command, "re");
	assert_non_null(pipe);
	ret_text[fread(ret_text, 1, text_bytes - 1, pipe)] = '\0';
	while (fgetc(pipe) != EOF)
		continue;
	int status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void write_file(const char *name, const char *text)
{
	char path[100];

	snprintf(path, sizeof(path), "c/%s", name);
	FILE *stream = fopen(path, "we");
	assert_non_null(stream);
	fputs(text, stream);
	assert_int_equal(fclose(stream), 0);
}

static bool has_store(const char *section)
{
	char arguments[100], text[100];

	snprintf(arguments, sizeof(arguments), "describe %s", section);
	return call(arguments, text, sizeof(text)) == 0;
}

static void write_producer(const char *name, const char *sections)
{
	char text[1000];

	snprintf(text, sizeof(text), "daq_job_type = \"DAQJobTest\"\nrand_min = 1\nrand_max = 9\n%s\n", sections);
	write_file(name, text);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/enrg-check-XXXXXX");
	assert_non_null(getenv("ENRGDAQ_BIN"));
	if (!mkdtemp(folder) || chdir(folder) || mkdir("c", 0755) || mkdir("run", 0700))
		return -1;
	setenv("ENRGDAQ_RUNTIME_DIR", "run", 1);
	write_file("supervisor.toml", "[info]\nsupervisor_id = \"check_test\"\n");
	return 0;
}

static int tear_down(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "cd / && rm -r %s", folder);
	return chdir("/") || system(command);
}

static void expect_refused(const char *expected)
{
	static const char *const commands[] = {"check c", "run c --duration 1"};
	char text[8000];

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		int rc = call(commands[i], text, sizeof(text));
		if (rc != 2 || !strstr(text, expected))
			fail_msg("%s: code %d, lacks \"%s\":\n%s", commands[i], rc, expected, text);
	}
	/* nothing was started: not even the folder of the files is there */
	assert_int_equal(access("out", F_OK), -1);
}

/* What each store says about one key of its section. */
static void test_sections(void **state)
{
	static const struct {
		const char *section, *keys, *expected;
	} cases[] = {
		{"csv", "file_path = \"../x.csv\"",
			"c/a.toml:5: store_config.csv.file_path: expected a name below out_dir"},
		{"arrow", "file_path = \"/tmp/x\"", "c/a.toml:5: store_config.arrow.file_path: expected a name below"},
		{"raw", "file_path = \"dir/\"", "c/a.toml:5: store_config.raw.file_path: expected the name of a file"},
		{"root", "file_path = \"a.root\"\ntree_name = \"\"",
			"c/a.toml:6: store_config.root.tree_name: expected"},
		{"root", "file_path = \"a.root\"\ntree_name = \"a.b\"",
			"c/a.toml:6: store_config.root.tree_name: expected"},
		{"hdf5", "file_path = \"a.h5\"\ndataset_name = \".\"",
			"c/a.toml:6: store_config.hdf5.dataset_name: expected"},
		{"hdf5", "file_path = \"a.h5\"\ndataset_name = \"//\"",
			"c/a.toml:6: store_config.hdf5.dataset_name: expected"},
		{"sqlite", "table_name = \"sqlite_master\"", "c/a.toml:5: store_config.sqlite.table_name: expected"},
		{"sqlite", "table_name = \"enrgdaq_positions\"",
			"c/a.toml:5: store_config.sqlite.table_name: enrgdaq_pos"},
		{"sqlite", "table_name = \"\"", "c/a.toml:5: store_config.sqlite.table_name: expected"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[300];

		if (!has_store(cases[i].section))
			continue;
		snprintf(text, sizeof(text), "[store_config.%s]\n%s", cases[i].section, cases[i].keys);
		write_producer("a.toml", text);
		expect_refused(cases[i].expected);
	}
}

/* Stores that need a file of their own. */
static void test_servers(void **state)
{
	(void)state;
	if (has_store("mysql")) {
		write_file("my.toml",
			"daq_job_type = \"DAQJobStoreMySQL\"\nhost = \"h\"\nuser = \"u\"\ndatabase = \"d\"\n");
		write_producer("a.toml", "[store_config.mysql]\ntable_name = \"ENRGDAQ_positions\"");
		expect_refused("c/a.toml:5: store_config.mysql.table_name: enrgdaq_positions is kept");
	}
	if (has_store("redis")) {
		write_file("re.toml", "daq_job_type = \"DAQJobStoreRedis\"\nhost = \"h\"\n");
		write_producer("a.toml", "[store_config.redis]\nkey = \"\"");
		expect_refused("c/a.toml:5: store_config.redis.key: expected");
	}
}

static void test_two_stores(void **state)
{
	(void)state;
	write_producer("a.toml", "[store_config.csv]\nfile_path = \"c.csv\"");
	write_file("s1.toml", "daq_job_type = \"DAQJobStoreCSV\"\n");
	write_file("s2.toml", "daq_job_type = \"DAQJobStoreCSV\"\n");
	expect_refused(
		"c/a.toml:5: store_config.csv.file_path: the stores s1 (c/s1.toml) and s2 (c/s2.toml) would both");
}

static void test_good(void **state)
{
	char text[4000];

	(void)state;
	write_producer(
		"a.toml", "[store_config.csv]\nfile_path = \"x.csv\"\n[store_config.arrow]\nfile_path = \"x.arrows\"");
	write_producer("b.toml", "[store_config.csv]\nfile_path = \"x.csv\"");
	if (call("check c", text, sizeof(text)) != 0 || !strstr(text, "file out/x.csv"))
		fail_msg("%s", text);
}

/* The file that comes, with the tag of its table; and nothing to warn of. */
static void test_names_the_file(void **state)
{
	char text[4000];

	(void)state;
	write_file("a.toml",
		"daq_job_type = \"DAQJobPCMetrics\"\n[store_config.csv]\nfile_path = \"pc.csv\"\nuse_zstd = true\n");
	write_file("b.toml",
		"daq_job_type = \"DAQJobPCMetrics\"\ntag = \"hall\"\n[store_config.csv]\nfile_path = \"pc.csv\"\n");
	if (call("check c", text, sizeof(text)) != 0 || !strstr(text, "file out/pc_check_test.csv.zst\n") ||
		!strstr(text, "file out/pc_hall.csv\n") || strstr(text, "warning"))
		fail_msg("%s", text);
}

static void expect(const char *arguments, int code, const char *expected)
{
	char text[8000];
	int rc = call(arguments, text, sizeof(text));

	if (rc != code || !strstr(text, expected))
		fail_msg("%s: code %d, lacks \"%s\":\n%s", arguments, rc, expected, text);
}

/* A file for somebody who may not see its secrets, and a new text of his; nothing is written. */
static void test_a_text_is_shown_and_judged(void **state)
{
	static const char text[] = "[info]\nsupervisor_id = \"check_test\"\n[web]\npanel_secret = \"hidden\"\n";

	(void)state;
	write_file("supervisor.toml", text);
	write_producer("a.toml", "[store_config.memory]");
	expect("check c --show supervisor.toml", 0, "panel_secret = \\\"***\\\"");
	expect("check c --show none.toml", 1, "{\"detail\"");
	write_file("../new", "[info]\nsupervisor_id = \"other\"\n[web]\npanel_secret = \"***\"\n");
	expect("check c --edit supervisor.toml < new", 0, "panel_secret = \\\"hidden\\\"");
	expect("check c --edit supervisor.toml < new", 0, "\"errors\":0,\"errors_before\":0");
	write_file("../new", "[info]\nsupervisor_id = 5\n");
	expect("check c --edit supervisor.toml < new", 0, "\"file\":\"supervisor.toml\",\"line\":2");
	expect("check c --edit new.txt < new", 1, "NAME.toml was expected");
	expect("check c --edit a.toml --show a.toml", 2, "expected one argument");
	expect("check c --mask a.toml --show a.toml", 2, "expected one argument");
	write_file("../new", "info = { supervisor_id = \"lab\" }\nweb = { panel_secret = \"hidden\" }\n");
	expect("check c --mask supervisor.toml < new", 0, "panel_secret = \\\"***\\\"");
	write_file("../new", "daq_job_type = \"DAQJobNone\"\npassword = \"hidden\"\n");
	expect("check c --mask custom.toml < new", 1, "{\"detail\"");
	expect("check c", 0, "supervisor check_test");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sections, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_servers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_two_stores, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_good, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_names_the_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_text_is_shown_and_judged, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

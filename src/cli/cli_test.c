/* cli_test.c: the program as a user calls it: exit codes, streams, and that the documentation has the tables of now. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/path.h"

struct result {
	int code;
	char *text; /* of the stream that was asked for */
};

/* Runs the program with `arguments`; `redirection` chooses the stream. */
static struct result call(const char *arguments, const char *redirection)
{
	const char *program = getenv("ENRGDAQ_BIN");
	struct result result = {.code = -1};
	char command[1000], part[4096];
	size_t count = 0, size = 0;

	assert_non_null(program);
	snprintf(command, sizeof(command), "'%s' %s %s", program, arguments, redirection);
	FILE *pipe = popen(command, "re");
	FILE *text = open_memstream(&result.text, &size);
	assert_non_null(pipe);
	while ((count = fread(part, 1, sizeof(part), pipe)) > 0)
		fwrite(part, 1, count, text);
	fclose(text);
	int status = pclose(pipe);
	if (WIFEXITED(status))
		result.code = WEXITSTATUS(status);
	return result;
}

#define OUT "2>/dev/null"
#define ERR "2>&1 >/dev/null"

static void assert_call(const char *arguments, const char *redirection, int rc, const char *part)
{
	struct result result = call(arguments, redirection);

	if (result.code != rc || !strstr(result.text, part))
		fail_msg("enrgdaq %s: code %d (expected %d), lacks \"%s\":\n%s", arguments, result.code, rc, part,
			result.text);
	free(result.text);
}

static void test_help(void **state)
{
	(void)state;
	assert_call("--help", OUT, 0, "  describe   ");
	assert_call("--version", OUT, 0, "enrgdaq 0.");
	assert_call("", ERR, 2, "usage: enrgdaq COMMAND");
	assert_call("help describe", OUT, 0, "usage: enrgdaq describe TYPE");
	assert_call("describe --help", OUT, 0, "usage: enrgdaq describe TYPE");
	assert_call("check --help", OUT, 0, "examples:");
	assert_call("jobs --help", OUT, 0, "examples:");
	assert_call("job --help", OUT, 0, "usage: enrgdaq job add FILE");
	assert_call("job", ERR, 2, "add, stop, start, restart or remove was expected");
	assert_call("job stop", ERR, 2, "stop: one NAME was expected");
	assert_call("job stop x --now", ERR, 2, "--now goes with remove");
	assert_call("job add nowhere.toml", ERR, 1, "nowhere.toml: No such file");
	assert_call("reload a b", ERR, 2, "one ID was expected, not 2");
	assert_call("chekc", ERR, 2, "unknown command \"chekc\"; did you mean check?");
	assert_call("describe", ERR, 2, "expected one argument");
	assert_call("describe --nonsense x", ERR, 2, "see `enrgdaq describe --help`");
	assert_call(
		"run --nonsense", ERR, 2, "enrgdaq run: unrecognized option '--nonsense'\nsee `enrgdaq run --help`");
	assert_call("bench run --nonsense", ERR, 2, "enrgdaq bench run: unrecognized option");
	assert_call("bench suite", ERR, 2, "expected --run, --plot or --all");
	assert_call("verify", ERR, 2, "see `enrgdaq verify --help`");
	assert_call("jobs", "2>&1 >/dev/full", 1, "enrgdaq jobs: the output can't be written");
	struct result help = call("--help", OUT);
	assert_null(strstr(help.text, "enrgdaq-job"));
	free(help.text);
}

static void test_describe(void **state)
{
	(void)state;
	assert_call("describe supervisor", OUT, 0, "info.supervisor_id");
	assert_call("describe supervisor --schema", OUT, 0, "\"$schema\"");
	assert_call("describe supervisor --example", OUT, 0, "[info]\n");
	assert_call("describe DAQJobTest", OUT, 0, "store_config");
	assert_call("describe DAQJobTset", ERR, 2, "did you mean DAQJobTest?");
	assert_call("jobs", OUT, 0, "DAQJobTest");
	assert_call("jobs --json", OUT, 0, "\"name\": \"DAQJobTest\"");
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(path_write_file(path, text, strlen(text), 0, NULL), 0);
}

static void test_check(void **state)
{
	(void)state;
	char folder[] = "/tmp/cli_test_XXXXXX", arguments[300];

	assert_non_null(mkdtemp(folder));
	write_file(folder, "supervisor.toml", "info.supervisor_id = 'lab'\n");
	write_file(folder, "test.toml",
		"daq_job_type = 'DAQJobTest'\nrand_min = 1\nrand_max = 5\n[store_config.csv]\nfile_path = 'a.csv'\n");
	snprintf(arguments, sizeof(arguments), "check %s", folder);
	assert_call(arguments, OUT, 0, "supervisor lab: 2 jobs");
	assert_call(arguments, OUT, 0, "store_config.csv to DAQJobStoreCSV, file out/a.csv\n");
	assert_call(arguments, OUT, 0, "with its defaults (no file configures it)");
	write_file(folder, "test.toml", "daq_job_type = 'DAQJobTest'\nrand_mim = 1\nrand_max = 'abc'\n");
	assert_call(arguments, ERR, 2, "test.toml:2: rand_mim: unknown key; did you mean rand_min?\n");
	assert_call(arguments, ERR, 2, "test.toml:3: rand_max: expected an integer, found the string \"abc\"\n");
	assert_call("check /nowhere/at/all", ERR, 2, "there is no such folder");
	write_file(folder, "a.arrows", "no");
	snprintf(arguments, sizeof(arguments), "verify %s", folder);
	assert_call(arguments, OUT, 2, "1 file: 1 can't be read; readable: nothing\n");
	snprintf(arguments, sizeof(arguments), "rm -r %s", folder);
	assert_int_equal(system(arguments), 0);
}

/* An event of a dump: its header, and one sample. */
static void put_event(uint8_t event[40], uint64_t acquired_ms)
{
	memset(event, 0, 40);
	event[0] = 40;
	memcpy(event + 24, &acquired_ms, sizeof(acquired_ms));
}

static void test_times_of_dumps(void **state)
{
	(void)state;
	char folder[] = "/tmp/cli_test_XXXXXX", path[100], arguments[300];
	uint8_t events[3][40];

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/d.bin", folder);
	put_event(events[0], 1700000000000);
	put_event(events[1], 631151999999);
	put_event(events[2], 4102444800000);
	assert_int_equal(path_write_file(path, events, sizeof(events), 0, NULL), 0);
	snprintf(arguments, sizeof(arguments), "cat %s", path);
	assert_call(arguments, ERR, 0, "2 of 3 events have times before 1990 or after 2099, the first at byte 40 (");
	snprintf(arguments, sizeof(arguments), "convert %s %s/d.arrows", path, folder);
	assert_call(arguments, ERR, 0, "d.bin: warning: 2 of 3 events");
	put_event(events[1], 631152000000);
	put_event(events[2], 4102444799999);
	assert_int_equal(path_write_file(path, events, sizeof(events), 0, NULL), 0);
	snprintf(arguments, sizeof(arguments), "cat %s", path);
	struct result plain = call(arguments, ERR);
	assert_int_equal(plain.code, 0);
	assert_string_equal(plain.text, "");
	free(plain.text);
	snprintf(arguments, sizeof(arguments), "rm -r %s", folder);
	assert_int_equal(system(arguments), 0);
}

/* A table of the documentation is printed from the tables of fields; this tells when it has become old. */
static void assert_documented(const char *name)
{
	char arguments[100], *page = NULL;
	size_t count = 0;

	snprintf(arguments, sizeof(arguments), "describe %s --markdown", name);
	struct result result = call(arguments, OUT);
	assert_int_equal(result.code, 0);
	assert_int_equal(path_read_file(ENRG_SOURCE_DIR "/docs/configuration.md", 1u << 20, &page, &count, NULL), 0);
	const char *table = strstr(result.text, "| key |");
	assert_non_null(table);
	if (!strstr(page, table))
		fail_msg("docs/configuration.md lacks the table that `enrgdaq describe %s --markdown` prints:\n%s",
			name, table);
	free(page);
	free(result.text);
}

static void test_documentation(void **state)
{
	(void)state;
	assert_documented("supervisor");
	assert_documented("common");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_times_of_dumps),
		cmocka_unit_test(test_documentation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

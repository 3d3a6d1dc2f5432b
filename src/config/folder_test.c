/* folder_test.c: folders with fake types: what is filled, and what each mistake is told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/folder.h"

struct source_options {
	int64_t rand_min, rand_max;
};

struct csv_section {
	const char *file_path;
	bool add_date;
};

struct mysql_options {
	const char *host, *user;
};

static const struct enrg_option source_options[] = {
	{.key = "rand_min",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct source_options, rand_min),
		.default_value = "0",
		.help = "Smallest value."},
	{.key = "rand_max",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct source_options, rand_max),
		.required = true,
		.help = "Largest value."},
	{0},
};
static const struct enrg_job_group groups[] = {
	{"store_config", true, "where the rows go"},
	{"stats_store_config", false, "where the statistics go"},
	{0},
};
static const char *const test_old_names[] = {"test", NULL};
static const struct enrg_job_type source_type = {.size = sizeof(struct enrg_job_type),
	.name = "DAQJobTest",
	.old_names = test_old_names,
	.summary = "Test.",
	.options = {sizeof(struct source_options), source_options},
	.groups = groups};

static const struct enrg_option csv_section_options[] = {
	{.key = "file_path",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct csv_section, file_path),
		.required = true,
		.help = "File."},
	{.key = "add_date",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct csv_section, add_date),
		.default_value = "false",
		.help = "Date."},
	{0},
};
static const struct enrg_store_type csv_type = {.size = sizeof(struct enrg_store_type),
	.name = "DAQJobStoreCSV",
	.section = "csv",
	.summary = "CSV.",
	.starts_by_default = true,
	.section_options = {sizeof(struct csv_section), csv_section_options}};

static const struct enrg_option mysql_options[] = {
	{.key = "host",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct mysql_options, host),
		.required = true,
		.help = "Host."},
	{.key = "user",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct mysql_options, user),
		.required = true,
		.help = "User."},
	{0},
};
static const struct enrg_store_type mysql_type = {.size = sizeof(struct enrg_store_type),
	.name = "DAQJobStoreMySQL",
	.section = "mysql",
	.summary = "MySQL.",
	.options = {sizeof(struct mysql_options), mysql_options}};

struct fixture {
	struct types *types;
	struct problems problems;
	struct folder *folder;
	char *printed; /* the problems */
	char root[100];
};

static int setup(void **state)
{
	const struct type_entry entries[] = {{.job = &source_type}, {.store = &csv_type}, {.store = &mysql_type}};
	struct fixture *f = calloc(1, sizeof(*f));

	setenv(WEB_PROGRAM_VARIABLE, "/bin/true", 1); /* whatever this build has */
	problems_init(&f->problems);
	*state = f;
	return types_create_static(entries, 3, &f->types, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[200];

	folder_free(f->folder);
	problems_fini(&f->problems);
	types_free(f->types);
	free(f->printed);
	if (f->root[0]) {
		snprintf(command, sizeof(command), "rm -r %s", f->root);
		assert_int_equal(system(command), 0);
	}
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

/* Pairs of name and text, NULL at the end. */
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
	print(f);
}

#define SUPERVISOR "supervisor.toml", "info.supervisor_id = 'one'\n"
#define CSV        "csv.toml", "daq_job_type = 'DAQJobStoreCSV'\n"
#define GOOD       "daq_job_type = 'DAQJobTest'\nrand_max = 5\n[store_config.csv]\nfile_path = 'a.csv'\n"

static void assert_printed(const struct fixture *f, const char *expected)
{
	assert_string_equal(f->printed, expected);
}

static void test_good(void **state)
{
	struct fixture *f = *state;
	const char *const pairs[] = {SUPERVISOR, CSV, "sub/test.toml",
		"daq_job_type = 'DAQJobTest'\nrand_max = 5\nverbosity = 'debug'\nring_buffer_size_mb = 3\n"
		"[store_config]\ntarget_local_supervisor = true\n[store_config.csv]\nfile_path = 'a.csv'\n"
		"[stats_store_config.csv]\nfile_path = 'b.csv'\n",
		NULL};

	load(f, pairs);
	assert_printed(f, "");
	assert_string_equal(f->folder->supervisor.info.supervisor_id, "one");
	assert_int_equal(f->folder->supervisor.ring_buffer_size_mb, 256);
	assert_int_equal(f->folder->supervisor.ring_buffer_slot_size_kb, 1024);
	assert_int_equal(f->folder->supervisor.verbosity, ENRG_INFO);
	assert_int_equal(f->folder->supervisor.cnc.server_port, 1638);
	assert_string_equal(f->folder->supervisor.cnc.rest_api_host, "localhost");
	assert_int_equal(f->folder->supervisor.cnc.rest_api_port, 8000);
	assert_null(f->folder->supervisor.federation.server_xpub_url);
	assert_true(f->folder->supervisor.restart_delay_seconds == 1.0);
	assert_true(f->folder->supervisor.restart_delay_max_seconds == 60.0);
	assert_int_equal(f->folder->job_count, 2);
	assert_string_equal(f->folder->jobs[0].name, "csv");
	const struct job_config *job = &f->folder->jobs[1];
	assert_string_equal(job->name, "sub/test");
	assert_string_equal(job->file, "sub/test.toml");
	assert_string_equal(job->toml_text, pairs[5]);
	assert_string_equal(job->common.daq_job_type, "DAQJobTest");
	assert_int_equal(job->common.verbosity, ENRG_DEBUG);
	assert_true(job->common.has_verbosity);
	assert_true(job->common.use_shm_when_possible);
	assert_int_equal(job->common.ring_buffer_size_mb, 3);
	assert_int_equal(job->section_count, 2);
	assert_string_equal(job->sections[0].group, "store_config");
	assert_true(job->sections[0].target_local_supervisor);
	assert_ptr_equal(job->sections[0].store_type->store, &csv_type);
	assert_string_equal(toml_find(job->sections[0].node, "file_path")->text, "a.csv");
	assert_int_equal(job->sections[1].group_index, 1);
	assert_false(job->sections[1].target_local_supervisor);
}

static void test_supervisor_keys(void **state)
{
	struct fixture *f = *state;
	const char *const pairs[] = {"supervisor.toml",
		"verbosity = 'LOUD'\nring_bufer_size_mb = 4\n[cnc]\nrest_api_port = 0\n[federation]\nserver_xpub_ur = "
		"'x'\n",
		CSV, NULL};

	load(f, pairs);
	assert_printed(f,
		"supervisor.toml:1: verbosity: expected one of \"DEBUG\", \"INFO\", \"WARNING\", \"ERROR\", found the "
		"string \"LOUD\"\n"
		"supervisor.toml:1: info.supervisor_id: required key is missing (string: Name of this supervisor, "
		"unique among all that talk to each other.)\n"
		"supervisor.toml:2: ring_bufer_size_mb: unknown key; did you mean ring_buffer_size_mb?\n"
		"supervisor.toml:4: cnc.rest_api_port: expected an integer from 1 to 65535, found the integer 0\n"
		"supervisor.toml:6: federation.server_xpub_ur: unknown key; did you mean "
		"federation.server_xpub_url?\n");
}

static void test_supervisor_limits(void **state)
{
	struct fixture *f = *state;
	const char *const pairs[] = {"supervisor.toml",
		"info.supervisor_id = ''\nring_buffer_size_mb = 1\n"
		"ring_buffer_slot_size_kb = 1025\nrestart_delay_seconds = 61\n",
		CSV, NULL};

	load(f, pairs);
	assert_int_equal(f->problems.errors, 3);
	assert_non_null(strstr(f->printed, "info.supervisor_id: expected a string that is not empty"));
	assert_non_null(strstr(f->printed, "supervisor.toml:3: ring_buffer_slot_size_kb: the largest batch (1025 KB)"));
	assert_non_null(strstr(f->printed, "supervisor.toml:4: restart_delay_seconds: the first delay (61 s)"));
}

static void test_no_supervisor(void **state)
{
	struct fixture *f = *state;
	const char *const pairs[] = {CSV, NULL};
	char host[100] = "";

	load(f, pairs);
	gethostname(host, sizeof(host) - 1);
	assert_int_equal(f->problems.errors, 0);
	assert_non_null(strstr(f->printed, "supervisor.toml: warning: there is no such file"));
	assert_non_null(strstr(f->printed, f->folder->supervisor.info.supervisor_id));
	assert_int_equal(strncmp(f->folder->supervisor.info.supervisor_id, host, 3), 0);
	assert_int_equal(f->folder->supervisor.ring_buffer_size_mb, 256);
}

static void test_all_problems_at_once(void **state)
{
	struct fixture *f = *state;
	const char *const pairs[] = {SUPERVISOR, CSV, "a.toml",
		"daq_job_type = 'DAQJobTest'\nrand_mim = 1\nrand_max = 'abc'\n[store_config.csv]\nfile_pth = 'a'\n",
		"b.toml", "daq_job_type = 'DAQJobTset'\n", "c.toml", "rand_max = 1\n", "d.toml", "daq_job_type = \n",
		"e.toml", "daq_job_type = 'DAQJobTest'\nrand_max = 1\n", "f.toml",
		"daq_job_type = 'DAQJobTest'\nrand_max = 1\n[store_config.cvs]\n[stats_store_config.hdf5]\n", "g.toml",
		"daq_job_type = 5\n", NULL};

	load(f, pairs);
	assert_int_equal(f->problems.errors, 11);
	const char *const expected[] = {
		"a.toml:2: rand_mim: unknown key; did you mean rand_min?\n",
		"a.toml:3: rand_max: expected an integer, found the string \"abc\"\n",
		"a.toml:4: store_config.csv.file_path: required key is missing (string: File.)\n",
		"a.toml:5: store_config.csv.file_pth: unknown key; did you mean store_config.csv.file_path?\n",
		"b.toml:1: daq_job_type: unknown type \"DAQJobTset\"; did you mean DAQJobTest? (`enrgdaq jobs` "
		"lists the types)\n",
		"c.toml:1: daq_job_type: required key is missing (string: ",
		"d.toml:1: not valid TOML: ",
		"e.toml:1: store_config: required store group is missing (where the rows go); add a section such as "
		"[store_config.csv]\n",
		"f.toml:3: store_config.cvs: unknown store; did you mean csv?\n",
		"f.toml:4: stats_store_config.hdf5: unknown store, or its module is not installed; the stores here are "
		"csv, "
		"mysql\n",
		"g.toml:1: daq_job_type: expected a string",
	};
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (!strstr(f->printed, expected[i]))
			fail_msg("lacks: %s\n%s", expected[i], f->printed);
}

static void test_groups(void **state)
{
	struct fixture *f = *state;
	const char *const pairs[] = {SUPERVISOR, CSV, "a.toml",
		"daq_job_type = 'DAQJobTest'\nrand_max = 1\nstore_config = 1\n", "b.toml",
		"daq_job_type = 'DAQJobTest'\nrand_max = 1\nstore_config.csv = 1\n", "c.toml",
		"daq_job_type = 'DAQJobTest'\nrand_max = 1\n[store_config]\ntarget_local_supervisor = 1\n", "d.toml",
		GOOD "target_local_supervisor = true\n[stats_store_config]\n", "e.toml",
		"daq_job_type = 'DAQJobStoreCSV'\n[store_config.csv]\nfile_path = 'x'\n", NULL};

	load(f, pairs);
	assert_printed(f,
		"a.toml:3: store_config: expected a table of stores\n"
		"b.toml:3: store_config.csv: expected a table, the section of a store\n"
		"c.toml:3: warning: store_config: it names no store: what this job sends there is kept nowhere\n"
		"c.toml:4: store_config.target_local_supervisor: expected true or false\n"
		"d.toml:6: warning: stats_store_config: it names no store: what this job sends there is kept "
		"nowhere\n"
		"e.toml:2: store_config: unknown key; known keys are daq_job_type, verbosity, daq_job_unique_id, "
		"use_shm_when_possible, topics_to_subscribe, acquire, restart_on_crash, silent_after_seconds, "
		"ring_buffer_size_mb\n");
	assert_true(f->folder->jobs[4].sections[0].target_local_supervisor);
}

static void test_old_name(void **state)
{
	struct fixture *f = *state;
	const char *const pairs[] = {SUPERVISOR, CSV, "a.toml",
		"rand_max = 5\ndaq_job_type = 'test'\n[store_config.csv]\nfile_path = 'a.csv'\n", NULL};

	load(f, pairs);
	assert_printed(f, "a.toml:2: warning: daq_job_type: \"test\" is an old name; write \"DAQJobTest\"\n");
	assert_ptr_equal(f->folder->jobs[0].type->job, &source_type);
}

static void test_default_store(void **state)
{
	struct fixture *f = *state;
	const char *const pairs[] = {SUPERVISOR, "a.toml", GOOD, "b.toml", GOOD, NULL};

	load(f, pairs);
	assert_printed(f, "");
	assert_int_equal(f->folder->job_count, 3);
	assert_true(f->folder->jobs[2].is_default);
	assert_string_equal(f->folder->jobs[2].name, "DAQJobStoreCSV");
	assert_string_equal(f->folder->jobs[2].toml_text, "daq_job_type = \"DAQJobStoreCSV\"\n");
	assert_true(f->folder->jobs[2].common.use_shm_when_possible);
}

static void test_missing_store(void **state)
{
	struct fixture *f = *state;
	const char *const pairs[] = {
		SUPERVISOR, "a.toml", "daq_job_type = 'DAQJobTest'\nrand_max = 5\n[store_config.mysql]\n", NULL};

	load(f, pairs);
	assert_printed(f,
		"a.toml:3: store_config.mysql: no file configures the store DAQJobStoreMySQL; add a file such as "
		"mysql.toml with the keys daq_job_type = \"DAQJobStoreMySQL\", host, user\n");
}

static void test_names(void **state)
{
	struct fixture *f = *state;
	const char *const pairs[] = {SUPERVISOR, "a.toml", "daq_job_type = 'DAQJobStoreCSV'\ndaq_job_unique_id = 'x'\n",
		"b.toml", "daq_job_type = 'DAQJobStoreCSV'\ndaq_job_unique_id = 'x'\n", "c.toml",
		"daq_job_type = 'DAQJobStoreCSV'\ndaq_job_unique_id = \"\"\n", "d/e.toml",
		"daq_job_type = 'DAQJobStoreCSV'\n", "d_e.toml", "daq_job_type = 'DAQJobStoreCSV'\n", "f.toml",
		"daq_job_type = 'DAQJobStoreCSV'\ndaq_job_unique_id = \"a\\nb\"\n", "g\nh.toml",
		"daq_job_type = 'DAQJobStoreCSV'\n", NULL};

	load(f, pairs);
	assert_printed(f,
		"b.toml:2: daq_job_unique_id: \"x\" is taken: a.toml calls its job \"x\"; each job needs a name of its "
		"own\n"
		"c.toml:2: daq_job_unique_id: expected 1 to 200 bytes, found 0\n"
		"d_e.toml: daq_job_unique_id: \"d_e\" is taken: d/e.toml calls its job \"d/e\"; each job needs a name "
		"of its own\n"
		"f.toml:2: daq_job_unique_id: it holds a control character\n"
		"g h.toml: the path holds a control character: rename what is at fault\n");
}

static void test_no_jobs(void **state)
{
	struct fixture *f = *state;
	const char *const pairs[] = {SUPERVISOR, "sub/supervisor.toml", "", NULL};

	load(f, pairs);
	assert_printed(
		f, "sub/supervisor.toml: supervisor.toml counts at the top of the folder alone; move or rename it\n");
	folder_free(f->folder);
	problems_fini(&f->problems);
	free(f->printed);
	assert_int_equal(folder_load_texts(&(struct folder_texts){0}, f->types, &f->folder, &f->problems, NULL), 0);
	print(f);
	assert_int_equal(f->problems.errors, 1);
	assert_non_null(strstr(f->printed, "there is no *.toml"));
}

static void write_file(const struct fixture *f, const char *name, const char *text)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", f->root, name);
	FILE *stream = fopen(path, "w");
	assert_non_null(stream);
	fputs(text, stream);
	fclose(stream);
}

static void make_folder(struct fixture *f, const char *name)
{
	char path[300];

	if (!f->root[0]) {
		snprintf(f->root, sizeof(f->root), "/tmp/folder_test_XXXXXX");
		assert_non_null(mkdtemp(f->root));
	}
	snprintf(path, sizeof(path), "%s/%s", f->root, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void test_disk(void **state)
{
	struct fixture *f = *state;
	char path[300];

	make_folder(f, "sub");
	make_folder(f, ".hidden");
	write_file(f, "supervisor.toml", "info.supervisor_id = 'disk'\n");
	write_file(f, "z.toml", "daq_job_type = 'DAQJobStoreCSV'\n");
	write_file(f, "sub/a.toml", GOOD);
	write_file(f, ".hidden/b.toml", "nonsense");
	write_file(f, ".b.toml", "nonsense");
	write_file(f, "notes.txt", "nonsense");
	snprintf(path, sizeof(path), "%s/sub/loop", f->root);
	assert_int_equal(symlink("..", path), 0);
	snprintf(path, sizeof(path), "%s/gone.toml", f->root);
	assert_int_equal(symlink("nowhere", path), 0);
	snprintf(path, sizeof(path), "%s/", f->root);
	assert_int_equal(folder_load(path, f->types, &f->folder, &f->problems, NULL), 0);
	print(f);
	assert_int_equal(f->problems.errors, 1);
	assert_int_equal(f->problems.count, 2);
	assert_non_null(strstr(f->printed, "/gone.toml: can't be read: No such file"));
	assert_non_null(strstr(f->printed, "/sub/loop: warning: a link back to a folder above it"));
	assert_int_equal(f->folder->job_count, 2);
	assert_string_equal(f->folder->jobs[0].name, "sub/a");
	snprintf(path, sizeof(path), "%s/sub/a.toml", f->root);
	assert_string_equal(f->folder->jobs[0].file, path);
	assert_string_equal(f->folder->jobs[1].name, "z");
}

static void test_no_folder(void **state)
{
	struct fixture *f = *state;
	struct enrg_error err = {0};

	assert_int_equal(folder_load("/nowhere/at/all", f->types, &f->folder, &f->problems, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/at/all: there is no such folder"));
	assert_null(f->folder);
	assert_int_equal(folder_load("/etc/hostname", f->types, &f->folder, &f->problems, &err), -ENOTDIR);
	assert_non_null(strstr(err.text, "not a folder"));
}

static void test_fill(void **state)
{
	struct fixture *f = *state;
	struct options_memory *memory = options_memory_create();
	struct job_common common;
	void *options = NULL, *section = NULL;

	assert_int_equal(folder_fill_job(types_find(f->types, "DAQJobTest", NULL),
				 &(struct folder_file){"a.toml", GOOD}, &common, &options, memory, &f->problems),
		0);
	assert_int_equal(((struct source_options *)options)->rand_max, 5);
	assert_string_equal(common.daq_job_type, "DAQJobTest");
	assert_int_equal(
		folder_fill_section(&csv_type, &(struct folder_file){"a.toml", GOOD "target_local_supervisor = true\n"},
			"store_config", &section, memory, &f->problems),
		0);
	assert_string_equal(((struct csv_section *)section)->file_path, "a.csv");
	section = NULL;
	assert_int_equal(folder_fill_section(&csv_type, &(struct folder_file){"a.toml", GOOD}, "stats_store_config",
				 &section, memory, &f->problems),
		ENRG_E_CONFIG);
	assert_null(section);
	options = NULL;
	assert_int_equal(
		folder_fill_job(types_find(f->types, "DAQJobTest", NULL),
			&(struct folder_file){"a.toml", "rand_max = 'x'"}, &common, &options, memory, &f->problems),
		ENRG_E_CONFIG);
	assert_null(options);
	options_memory_destroy(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_supervisor_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_supervisor_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_supervisor, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_problems_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_old_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_default_store, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_store, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_jobs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fill, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

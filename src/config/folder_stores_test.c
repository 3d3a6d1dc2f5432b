/* folder_stores_test.c: which sections a store could never write, and which stores would write one file; with fake
 * types. In the test process.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/folder_stores.h"

struct store_options {
	const char *out_dir;
	bool rotate_run;
	double rotate_mb;
};

struct section {
	const char *file_path, *name;
	bool add_date, overwrite;
};

static const struct enrg_option rule_options[] = {
	{.key = "rotate_run",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct store_options, rotate_run),
		.default_value = "false",
		.help = "Run."},
	{.key = "rotate_mb",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct store_options, rotate_mb),
		.default_value = "0",
		.help = "Size."},
	{0},
};
static const struct enrg_table rule_table = {sizeof(struct store_options), rule_options};
static const struct enrg_option store_options[] = {
	{.key = "out_dir",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct store_options, out_dir),
		.default_value = "\"out/\"",
		.help = "Folder."},
	{.key = "rules", .kind = ENRG_OPTION_INCLUDE, .table = &rule_table},
	{0},
};
static const struct enrg_option section_options[] = {
	{.key = "file_path",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct section, file_path),
		.default_value = "\"default.dat\"",
		.help = "File."},
	{.key = "name", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct section, name), .help = "Name."},
	{.key = "add_date",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct section, add_date),
		.default_value = "false",
		.help = "Day."},
	{.key = "overwrite",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct section, overwrite),
		.default_value = "false",
		.help = "Newest."},
	{0},
};

/* Wants "good" in a section and no out_dir "wrong" in the store's file. */
static int check_names(const void *options, const void *section, struct enrg_error *err)
{
	const struct store_options *store = options;
	const struct section *own = section;

	if (!strcmp(store->out_dir, "wrong"))
		return enrg_error_set(err, ENRG_E_CONFIG, "out_dir: expected another folder");
	if (!own->name || !strcmp(own->name, "good"))
		return 0;
	return enrg_error_set(err, ENRG_E_CONFIG, "name: expected \"good\", found \"%s\"", own->name);
}

static const struct enrg_store_type csv_type = {.size = sizeof(struct enrg_store_type),
	.name = "DAQJobStoreCSV",
	.section = "csv",
	.summary = "CSV.",
	.starts_by_default = true,
	.options = {sizeof(struct store_options), store_options},
	.section_options = {sizeof(struct section), section_options}};
static const struct enrg_store_type root_type = {.size = sizeof(struct enrg_store_type),
	.name = "DAQJobStoreROOT",
	.section = "root",
	.summary = "ROOT.",
	.starts_by_default = true,
	.options = {sizeof(struct store_options), store_options},
	.section_options = {sizeof(struct section), section_options},
	.check = check_names};
static const struct enrg_store_type redis_type = {.size = sizeof(struct enrg_store_type),
	.name = "DAQJobStoreRedis",
	.section = "redis",
	.summary = "Redis.",
	.starts_by_default = true,
	.section_options = {sizeof(struct section), section_options}};
static const struct enrg_job_group groups[] = {{"store_config", true, "where the rows go"}, {0}};
static const struct enrg_option no_options[] = {{0}};
static const struct enrg_job_type source_type = {.size = sizeof(struct enrg_job_type),
	.name = "DAQJobTest",
	.summary = "Test.",
	.options = {1, no_options},
	.groups = groups};

#define SUPERVISOR "supervisor.toml", "info.supervisor_id = 'one'\n"
#define SOURCE     "daq_job_type = 'DAQJobTest'\n"
#define CSV        "daq_job_type = 'DAQJobStoreCSV'\n"
#define ROOT       "daq_job_type = 'DAQJobStoreROOT'\n"

static char folder[64];

/* The errors of a folder made of pairs of name and text, NULL at the end; freed by the caller. */
static char *errors_of(const char *const *pairs)
{
	const struct type_entry entries[] = {
		{.job = &source_type}, {.store = &csv_type}, {.store = &root_type}, {.store = &redis_type}};
	const char *names[80], *texts[80];
	struct types *types = NULL;
	struct problems problems;
	struct folder *loaded = NULL;
	size_t count = 0, bytes = 0;
	char *printed = NULL;
	FILE *stream = open_memstream(&printed, &bytes);

	for (; pairs[2 * count]; count++) {
		names[count] = pairs[2 * count];
		texts[count] = pairs[2 * count + 1];
	}
	problems_init(&problems);
	assert_int_equal(types_create_static(entries, 4, &types, NULL), 0);
	assert_int_equal(
		folder_load_texts(&(struct folder_texts){count, names, texts}, types, &loaded, &problems, NULL), 0);
	for (size_t i = 0; i < problems.count; i++)
		if (!problems.items[i].is_warning)
			fprintf(stream, "%s:%d: %s\n", problems.items[i].file, problems.items[i].line,
				problems.items[i].text);
	fclose(stream);
	folder_free(loaded);
	problems_fini(&problems);
	types_free(types);
	return printed;
}

static void expect(const char *const *pairs, const char *expected)
{
	char *errors = errors_of(pairs);

	assert_string_equal(errors, expected);
	free(errors);
}

/* One csv section with this file_path; `words` NULL: it is fine. */
static void expect_path(const char *file_path, const char *words)
{
	char text[1200];
	const char *const pairs[] = {SUPERVISOR, "a.toml", text, NULL};

	snprintf(text, sizeof(text), SOURCE "[store_config.csv]\nfile_path = '%s'\n", file_path);
	char *errors = errors_of(pairs);
	if (words ? strncmp(errors, "a.toml:3: store_config.csv.file_path: ", 38) || !strstr(errors, words)
		  : *errors != 0)
		fail_msg("\"%.40s\": %s", file_path, errors);
	free(errors);
}

/* The ring of a source has room for so many readers: `check` refuses what `run` could not start. */
static void more_stores_than_a_ring_has_readers(void **state)
{
	char names[65][16];
	const char *pairs[140] = {SUPERVISOR, "a.toml", SOURCE "[store_config.root]\nname = 'good'\nadd_date = true\n"};
	char stores[65][160];

	(void)state;
	for (size_t i = 0; i < 65; i++) {
		snprintf(names[i], sizeof(names[i]), "s%02zu.toml", i);
		snprintf(stores[i], sizeof(stores[i]), ROOT "out_dir = 'o%zu'\n", i);
		pairs[4 + 2 * i] = names[i];
		pairs[5 + 2 * i] = stores[i];
	}
	expect(pairs, "a.toml:2: 65 store jobs and processors take the data of a, and at most 64 can: remove a "
		      "section, a store "
		      "job or an [[input]]\n");
	pairs[4 + 2 * 64] = NULL;
	expect(pairs, "");
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/folder_stores_XXXXXX");
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "cd / && rm -r %s", folder);
	return chdir("/") || system(command);
}

static void names_that_are_no_file_below_out_dir(void **state)
{
	char name[400];

	(void)state;
	expect_path("a.csv", NULL);
	expect_path("b/c/..a..csv", NULL);
	expect_path("../x.csv", "expected a name below out_dir without a part \"..\"");
	expect_path("b/../../x.csv", "without a part \"..\"");
	expect_path("/tmp/x.csv", "expected a name below out_dir without \"/\" at the start");
	expect_path("dir/", "expected the name of a file, found \"dir/\"");
	expect_path("dir/.", "expected the name of a file");
	memset(name, 'n', sizeof(name));
	name[200] = '\0';
	expect_path(name, NULL);
	name[200] = 'n';
	name[201] = '\0';
	expect_path(name, "expected a name of at most 200 bytes");
	memcpy(name + 256, "/a", 3);
	memset(name, 'n', 256);
	expect_path(name, "folders with names of at most 255 bytes");
}

static void what_is_in_the_way(void **state)
{
	(void)state;
	assert_int_equal(mkdir("out", 0755), 0);
	assert_int_equal(mkdir("out/sub", 0755), 0);
	fclose(fopen("out/file", "w"));
	expect_path("file", NULL);
	expect_path("sub", "is a folder");
	expect_path("file/a.csv", "a file lies where a folder is to be");
	assert_int_equal(symlink("loop", "out/loop"), 0);
	expect_path("loop/a.csv", "lead in a circle");
}

static void long_out_dir(void **state)
{
	char text[400] = CSV "out_dir = '";
	const char *const pairs[] = {SUPERVISOR, "a.toml", SOURCE "[store_config.csv]\n", "csv.toml", text, NULL};

	(void)state;
	memset(text + strlen(text), 'n', 300);
	strcat(text, "'\n");
	expect(pairs, "a.toml:2: store_config.csv.file_path: the path with its folders is too long (at most 900 bytes, "
		      "at most 255 each): shorten it, or out_dir in csv.toml\n");
}

static void types_judge_their_keys(void **state)
{
	const char *const fine[] = {SUPERVISOR, "a.toml", SOURCE "[store_config.root]\nname = 'good'\n", NULL};
	const char *const section[] = {SUPERVISOR, "a.toml", SOURCE "[store_config.root]\nname = ''\n", "b.toml",
		SOURCE "[store_config.root]\nfile_path = 'b.root'\nname = 'bad'\n", NULL};
	const char *const store[] = {
		SUPERVISOR, "a.toml", SOURCE "[store_config.root]\n", "root.toml", ROOT "out_dir = 'wrong'\n", NULL};
	const char *const empty[] = {SUPERVISOR, "a.toml", SOURCE "[store_config.root]\nname = 5\n", NULL};

	(void)state;
	expect(fine, "");
	expect(section, "a.toml:3: store_config.root.name: expected \"good\", found \"\"\n"
			"b.toml:4: store_config.root.name: expected \"good\", found \"bad\"\n");
	expect(store, "root.toml:2: out_dir: expected another folder\n");
	/* what could not be filled is not judged */
	expect(empty, "a.toml:3: store_config.root.name: expected a string, found the integer 5\n");
}

static void two_stores_of_one_section(void **state)
{
	const char *const same[] = {SUPERVISOR, "a.toml", SOURCE "[store_config.csv]\nfile_path = 'c.csv'\n", "s1.toml",
		CSV, "s2.toml", CSV "out_dir = './out'\n", NULL};
	const char *const apart[] = {SUPERVISOR, "a.toml", SOURCE "[store_config.csv]\nfile_path = 'c.csv'\n",
		"s1.toml", CSV, "s2.toml", CSV "out_dir = 'out2'\n", NULL};
	const char *const rotated[] = {SUPERVISOR, "a.toml", SOURCE "[store_config.csv]\nfile_path = 'c.csv'\n",
		"s1.toml", CSV, "s2.toml", CSV "rotate_mb = 1\n", "s3.toml", CSV "rotate_run = true\n", NULL};
	const char *const newest[] = {SUPERVISOR, "a.toml",
		SOURCE "[store_config.csv]\nfile_path = 'c.csv'\noverwrite = true\n", "s1.toml", CSV, "s2.toml",
		CSV "rotate_mb = 1\n", NULL};
	char expected[400];

	(void)state;
	snprintf(expected, sizeof(expected),
		"a.toml:3: store_config.csv.file_path: the stores s1 (s1.toml) and s2 (s2.toml) would both write "
		"%s/out/c.csv; give each an out_dir of its own, or remove one\n",
		folder);
	expect(same, expected);
	expect(apart, "");
	expect(rotated, "");
	expect(newest, expected);
}

static void two_sections_with_one_file(void **state)
{
	const char *const types[] = {SUPERVISOR, "a.toml",
		SOURCE "[store_config.root]\nfile_path = 'a.csv'\n[store_config.csv]\nfile_path = './/a.csv'\n", NULL};
	const char *const producers[] = {SUPERVISOR, "a.toml", SOURCE "[store_config.csv]\nfile_path = 'a.csv'\n",
		"b.toml", SOURCE "[store_config.csv]\nfile_path = 'a.csv'\n", NULL};
	const char *const nested[] = {SUPERVISOR, "a.toml", SOURCE "[store_config.csv]\nfile_path = 'sub/a.csv'\n",
		"b.toml", SOURCE "[store_config.root]\nfile_path = 'a.csv'\n", "root.toml", ROOT "out_dir = 'link'\n",
		NULL};
	const char *const days[] = {SUPERVISOR, "a.toml", SOURCE "[store_config.csv]\nfile_path = 'a.csv'\n", "b.toml",
		SOURCE "[store_config.root]\nfile_path = 'a.csv'\nadd_date = true\n", NULL};
	const char *const elsewhere[] = {SUPERVISOR, "a.toml",
		SOURCE "[store_config.redis]\nfile_path = '/a.csv'\n[store_config.csv]\nfile_path = 'a.csv'\n", NULL};
	char expected[400];

	(void)state;
	snprintf(expected, sizeof(expected),
		"a.toml:5: store_config.csv.file_path: the store DAQJobStoreCSV would write %s/out/a.csv, which the "
		"store "
		"DAQJobStoreROOT writes for a.toml:3; change the name here or there, or the out_dir of one store\n",
		folder);
	expect(types, expected);
	expect(producers, "");
	expect(days, "");
	expect(elsewhere, "");
	/* a folder of one store inside that of the other, found through a link */
	assert_int_equal(mkdir("out", 0755), 0);
	assert_int_equal(mkdir("out/sub", 0755), 0);
	assert_int_equal(symlink("out/sub", "link"), 0);
	snprintf(expected, sizeof(expected),
		"b.toml:3: store_config.root.file_path: the store root would write %s/out/sub/a.csv, which the store "
		"DAQJobStoreCSV writes for a.toml:3; change the name here or there, or the out_dir of one store\n",
		folder);
	expect(nested, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_stores_than_a_ring_has_readers),
		cmocka_unit_test_setup_teardown(names_that_are_no_file_below_out_dir, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_in_the_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_out_dir, set_up, tear_down),
		cmocka_unit_test_setup_teardown(types_judge_their_keys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_stores_of_one_section, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_sections_with_one_file, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

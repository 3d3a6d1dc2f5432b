/* folder_inputs_test.c: who reads whom by [[input]], and what can't be; with fake types. In the test process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/folder_inputs.h"

struct none {
	bool unused;
};

static const struct enrg_job_group source_groups[] = {
	{"store_config", true, "Data."}, {"waveform_store_config", false, "Waveforms."}, {NULL, false, NULL}};
static const struct enrg_job_group filter_groups[] = {{"store_config", false, "Data."}, {NULL, false, NULL}};
static const struct enrg_job_type source = {.size = sizeof(source),
	.name = "DAQJobSource",
	.options = {sizeof(struct none), NULL},
	.groups = source_groups};
static const struct enrg_job_type silent = {
	.size = sizeof(silent), .name = "DAQJobSilent", .options = {sizeof(struct none), NULL}};
static const struct enrg_processor_type filter = {.size = sizeof(filter),
	.name = "DAQJobFilter",
	.options = {sizeof(struct none), NULL},
	.groups = filter_groups};
static const struct enrg_store_type store = {.size = sizeof(store),
	.name = "DAQJobStoreX",
	.section = "x",
	.options = {sizeof(struct none), NULL},
	.section_options = {sizeof(struct none), NULL},
	.starts_by_default = true};
static const struct type_entry entries[] = {
	{.job = &source}, {.job = &silent}, {.processor = &filter}, {.store = &store}};

static struct types *types;
static struct folder *loaded;
static struct problems problems;

/* Pairs of a name and a text, NULL at the end. Errors as lines. */
static char *load(const char *const *pairs)
{
	const char *names[16] = {"supervisor"}, *texts[16] = {"info.supervisor_id = \"s\""};
	size_t count = 1, bytes;
	char *printed = NULL;
	FILE *stream = open_memstream(&printed, &bytes);

	for (; *pairs; pairs += 2, count++) {
		names[count] = pairs[0];
		texts[count] = pairs[1];
	}
	assert_int_equal(types_create_static(entries, 4, &types, NULL), 0);
	problems_init(&problems);
	assert_int_equal(
		folder_load_texts(&(struct folder_texts){count, names, texts}, types, &loaded, &problems, NULL), 0);
	for (size_t i = 0; i < problems.count; i++)
		if (!problems.items[i].is_warning)
			fprintf(stream, "%s:%d: %s\n", problems.items[i].file, problems.items[i].line,
				problems.items[i].text);
	fclose(stream);
	return printed;
}

static void unload(char *printed)
{
	free(printed);
	folder_free(loaded);
	problems_fini(&problems);
	types_free(types);
}

static void expect(const char *const *pairs, const char *expected)
{
	char *errors = load(pairs);

	assert_string_equal(errors, expected);
	unload(errors);
}

#define EXPECT(expected, ...) expect((const char *const[]){__VA_ARGS__, NULL}, expected)
#define SOURCE                "daq_job_type = \"DAQJobSource\"\n[store_config.x]\n"
#define FILTER                "daq_job_type = \"DAQJobFilter\"\n"
#define READS(name)           "[[input]]\njob = \"" name "\"\n"

static const struct job_config *job(const char *name)
{
	for (size_t i = 0; i < loaded->job_count; i++)
		if (!strcmp(loaded->jobs[i].name, name))
			return &loaded->jobs[i];
	return NULL;
}

static void levels_count_from_the_sources(void **state)
{
	char *errors = load((const char *const[]){"a", SOURCE, "b", SOURCE, "one", FILTER READS("a"), "two",
		FILTER READS("b") READS("one") "group = \"store_config\"\n", "three", FILTER READS("two") READS("a"),
		NULL});

	(void)state;
	assert_string_equal(errors, "");
	assert_int_equal(folder_level(loaded, job("a")), 0);
	assert_int_equal(folder_level(loaded, job("one")), 1);
	assert_int_equal(folder_level(loaded, job("two")), 2);
	assert_int_equal(folder_level(loaded, job("three")), 3);
	assert_true(folder_reads(job("two"), job("one"), NULL));
	assert_true(folder_reads(job("two"), job("one"), "store_config"));
	assert_false(folder_reads(job("two"), job("a"), NULL));
	assert_true(folder_reads(job("two"), job("b"), "waveform_store_config"));
	assert_false(folder_reads(job("a"), job("two"), NULL));
	unload(errors);
}

static void what_is_read_needs_no_store(void **state)
{
	(void)state;
	EXPECT("", "a", "daq_job_type = \"DAQJobSource\"\n", "f", FILTER READS("a"));
	EXPECT("a:1: store_config: required store group is missing (Data.); add a section such as "
	       "[store_config.csv]\n",
		"a", "daq_job_type = \"DAQJobSource\"\n", "f", FILTER READS("a") "group = \"waveform_store_config\"\n");
	EXPECT("a:1: store_config: required store group is missing (Data.); add a section such as "
	       "[store_config.csv]\n",
		"a", "daq_job_type = \"DAQJobSource\"\n");
}

static void inputs_that_are_not_there(void **state)
{
	(void)state;
	EXPECT("f:3: input.job: there is no job \"digitiser\"; did you mean digitizer?\n", "digitizer", SOURCE, "f",
		FILTER READS("digitiser"));
	EXPECT("f:3: input.job: there is no job \"elsewhere\"; a job is called after its daq_job_unique_id, else "
	       "after "
	       "its file\n",
		"a", SOURCE, "f", FILTER READS("elsewhere"));
	EXPECT("f:4: input.group: a (DAQJobSource) has no store group \"store_confg\"; did you mean store_config; "
	       "it "
	       "has store_config, waveform_store_config\n",
		"a", SOURCE, "f", FILTER READS("a") "group = \"store_confg\"\n");
	EXPECT("f:3: input.job: b (DAQJobSilent) produces no tables: there is nothing to read\n", "b",
		"daq_job_type = \"DAQJobSilent\"\n", "f", FILTER READS("b"));
	EXPECT("f:3: input.job: x (DAQJobStoreX) produces no tables: there is nothing to read\n", "x",
		"daq_job_type = \"DAQJobStoreX\"\n", "f", FILTER READS("x"));
	EXPECT("f:2: input: it names nothing to read; replace it by a section [[input]] with job = \"NAME\"\n", "f",
		FILTER "input = []\n");
	EXPECT("f:1: input: required key is missing (list of tables: What it reads, a section [[input]] each; a "
	       "table that several of them name goes to the first.)\n",
		"f", FILTER);
}

static void inputs_that_never_get_anything(void **state)
{
	(void)state;
	EXPECT("f:5: input: input 1 takes all that this one names, and a table goes to the first: remove one, or "
	       "change their order\n",
		"a", SOURCE, "f", FILTER READS("a") READS("a") "tag = \"t\"\n");
	EXPECT("", "a", SOURCE, "f", FILTER READS("a") "tag = \"t\"\n" READS("a"));
}

static void circles(void **state)
{
	(void)state;
	EXPECT("f:3: input.job: jobs read each other in a circle: f reads f\n", "f", FILTER READS("f"));
	EXPECT("c:3: input.job: jobs read each other in a circle: a reads b, which reads c, which reads a\n", "a",
		FILTER READS("s") READS("b"), "b", FILTER READS("c"), "c", FILTER READS("a"), "s", SOURCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_count_from_the_sources),
		cmocka_unit_test(what_is_read_needs_no_store),
		cmocka_unit_test(inputs_that_are_not_there),
		cmocka_unit_test(inputs_that_never_get_anything),
		cmocka_unit_test(circles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* options_test.c: filling, messages, suggestions, and what is printed from the tables. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/options.h"

struct place {
	int64_t slot;
	struct enrg_int_list channels;
};

struct more {
	int64_t depth;
	const char *label;
};

struct thing {
	bool on;
	int64_t count, port;
	double rate;
	const char *path, *nothing;
	int mode;
	bool has_mode;
	struct enrg_string_list names;
	struct enrg_int_list numbers;
	struct place place, other;
	struct enrg_struct_list places;
	struct enrg_map offsets;
	struct more more;
};

#define AT(member) offsetof(struct thing, member)

static const struct enrg_option place_options[] = {
	{.key = "slot",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct place, slot),
		.required = true,
		.help = "Slot."},
	{.key = "channels",
		.kind = ENRG_OPTION_INT_LIST,
		.offset = offsetof(struct place, channels),
		.min = 0,
		.max = 63,
		.default_value = "[7]",
		.help = "Channels."},
	{0},
};
static const struct enrg_table place_table = {sizeof(struct place), place_options};
static const struct enrg_choice modes[] = {{"FAST", 3}, {"slow", 4}, {0}};
static const struct enrg_option more_options[] = {
	{.key = "depth_mm",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct more, depth),
		.default_value = "4",
		.unit = "mm",
		.help = "Depth."},
	{.key = "label", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct more, label), .help = "Label."},
	{0},
};
static const struct enrg_table more_table = {sizeof(struct more), more_options};
static const struct enrg_option thing_options[] = {
	{.key = "on", .kind = ENRG_OPTION_BOOL, .offset = AT(on), .default_value = "true", .help = "Whether."},
	{.key = "rand_max", .kind = ENRG_OPTION_INT, .offset = AT(count), .required = true, .help = "Largest | value."},
	{.key = "port",
		.kind = ENRG_OPTION_INT,
		.offset = AT(port),
		.default_value = "1638",
		.min = 1,
		.max = 65535,
		.help = "TCP port.",
		.environment = "ENRGDAQ_TEST_PORT"},
	{.key = "rate_hz",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(rate),
		.default_value = "1.5",
		.max = INFINITY,
		.unit = "Hz",
		.help = "Rate."},
	{.key = "path",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(path),
		.default_value = "\"out/\"",
		.help = "Path.",
		.environment = "ENRGDAQ_TEST_PATH"},
	{.key = "nothing", .kind = ENRG_OPTION_STRING, .offset = AT(nothing), .help = "Nothing."},
	{.key = "mode",
		.kind = ENRG_OPTION_CHOICE,
		.offset = AT(mode),
		.default_value = "\"fast\"",
		.choices = modes,
		.present_offset = AT(has_mode),
		.help = "Mode."},
	{.key = "names",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = AT(names),
		.default_value = "[\"a\"]",
		.help = "Names."},
	{.key = "numbers", .kind = ENRG_OPTION_INT_LIST, .offset = AT(numbers), .help = "Numbers."},
	{.key = "place",
		.kind = ENRG_OPTION_TABLE,
		.offset = AT(place),
		.required = true,
		.table = &place_table,
		.help = "A place."},
	{.key = "other", .kind = ENRG_OPTION_TABLE, .offset = AT(other), .table = &place_table, .help = "Another."},
	{.key = "places",
		.kind = ENRG_OPTION_TABLE_LIST,
		.offset = AT(places),
		.table = &place_table,
		.default_value = "[{slot = 9}]",
		.help = "Places."},
	{.key = "offsets", .kind = ENRG_OPTION_MAP, .offset = AT(offsets), .help = "Offsets."},
	{.key = "more", .kind = ENRG_OPTION_INCLUDE, .offset = AT(more), .table = &more_table},
	{0},
};
static const struct enrg_table thing_table = {sizeof(struct thing), thing_options};

struct fixture {
	struct problems problems;
	struct options_memory *memory;
	struct thing thing;
};

static void fill(struct fixture *fixture, const char *text, const char *const *known)
{
	struct toml_node *root = NULL;
	struct enrg_error err = {0};

	problems_init(&fixture->problems);
	fixture->memory = options_memory_create();
	if (toml_parse("a.toml", text, strlen(text), &root, &err))
		fail_msg("%s", err.text);
	options_fill(&thing_table, &(struct options_text){.node = root, .file = "a.toml", .known = known},
		&fixture->thing, fixture->memory, &fixture->problems);
	toml_free(root); /* what was filled does not need it */
}

static void drop(struct fixture *fixture)
{
	problems_fini(&fixture->problems);
	options_memory_destroy(fixture->memory);
}

/* The problems of `text` are exactly `expected`, printed. */
static void assert_problems(const char *text, const char *const *known, const char *expected)
{
	struct fixture fixture;
	char *printed = NULL;
	size_t count = 0;
	FILE *stream = open_memstream(&printed, &count);

	fill(&fixture, text, known);
	problems_print(&fixture.problems, stream);
	fclose(stream);
	assert_string_equal(printed, expected);
	free(printed);
	drop(&fixture);
}

static void test_defaults(void **state)
{
	(void)state;
	struct fixture f;

	fill(&f, "rand_max = 5\nplace.slot = 1", NULL);
	problems_print(&f.problems, stderr);
	assert_int_equal(f.problems.count, 0);
	assert_true(f.thing.on);
	assert_int_equal(f.thing.count, 5);
	assert_int_equal(f.thing.port, 1638);
	assert_true(f.thing.rate == 1.5);
	assert_string_equal(f.thing.path, "out/");
	assert_null(f.thing.nothing);
	assert_int_equal(f.thing.mode, 3);
	assert_false(f.thing.has_mode);
	assert_int_equal(f.thing.names.count, 1);
	assert_string_equal(f.thing.names.items[0], "a");
	assert_int_equal(f.thing.numbers.count, 0);
	assert_int_equal(f.thing.place.slot, 1);
	assert_int_equal(f.thing.place.channels.items[0], 7);
	assert_int_equal(f.thing.other.channels.count, 1);
	assert_int_equal(f.thing.places.count, 1);
	assert_int_equal(((const struct place *)f.thing.places.items)[0].slot, 9);
	assert_int_equal(f.thing.offsets.count, 0);
	drop(&f);
}

static void test_values(void **state)
{
	(void)state;
	struct fixture f;

	fill(&f,
		"on = false\nrand_max = -9223372036854775808\nport = 65535\nrate_hz = 3\npath = 'x'\nnothing = ''\n"
		"mode = 'SLOW'\nnames = []\nnumbers = [1, -2]\nplace = {slot = 1, channels = []}\n"
		"places = [{slot = 1}, {slot = 2, channels = [63]}]\n[offsets]\nz = 1\na = 2.5\nb = 'x'\n",
		NULL);
	problems_print(&f.problems, stderr);
	assert_int_equal(f.problems.count, 0);
	assert_false(f.thing.on);
	assert_true(f.thing.count == INT64_MIN);
	assert_true(f.thing.rate == 3.0);
	assert_string_equal(f.thing.nothing, "");
	assert_int_equal(f.thing.mode, 4);
	assert_true(f.thing.has_mode);
	assert_int_equal(f.thing.names.count, 0);
	assert_int_equal(f.thing.numbers.items[1], -2);
	assert_int_equal(f.thing.places.count, 2);
	assert_int_equal(((const struct place *)f.thing.places.items)[1].channels.items[0], 63);
	assert_int_equal(f.thing.offsets.count, 3);
	assert_string_equal(f.thing.offsets.entries[0].key, "z");
	assert_string_equal(f.thing.offsets.entries[0].text, "1");
	assert_true(f.thing.offsets.entries[1].number == 2.5);
	assert_string_equal(f.thing.offsets.entries[2].text, "x");
	assert_true(isnan(f.thing.offsets.entries[2].number));
	drop(&f);
}

/* As the Python program takes them; half a count is none. */
static void test_integers_as_floats(void **state)
{
	(void)state;
	struct fixture f;

	fill(&f, "rand_max = 1.0\nport = 8000.0\nnumbers = [1.0, -2e3]\nplace.slot = 0.0", NULL);
	problems_print(&f.problems, stderr);
	assert_int_equal(f.problems.count, 0);
	assert_int_equal(f.thing.count, 1);
	assert_int_equal(f.thing.port, 8000);
	assert_int_equal(f.thing.numbers.items[1], -2000);
	drop(&f);
	assert_problems("rand_max = 1.5\nplace.slot = 1e300\nport = 70000.0\nnumbers = [inf]", NULL,
		"a.toml:1: rand_max: expected an integer, found the number 1.5\n"
		"a.toml:2: place.slot: expected an integer, found the number 1e+300\n"
		"a.toml:3: port: expected an integer from 1 to 65535, found the number 70000\n"
		"a.toml:4: numbers[0]: expected an integer, found the number inf\n");
}

/* The file counts, then the environment, then the default. */
static void test_environment(void **state)
{
	(void)state;
	struct fixture f;

	setenv("ENRGDAQ_TEST_PORT", "1700", 1);
	setenv("ENRGDAQ_TEST_PATH", "a = \"b\"", 1);
	fill(&f, "rand_max = 1\nplace.slot = 1", NULL);
	assert_int_equal(f.problems.count, 0);
	assert_int_equal(f.thing.port, 1700);
	assert_string_equal(f.thing.path, "a = \"b\"");
	drop(&f);
	fill(&f, "rand_max = 1\nplace.slot = 1\nport = 5", NULL);
	assert_int_equal(f.thing.port, 5);
	drop(&f);
	setenv("ENRGDAQ_TEST_PATH", "", 1);
	setenv("ENRGDAQ_TEST_PORT", "many", 1);
	assert_problems("rand_max = 1\nplace.slot = 1", NULL,
		"a.toml:1: port (from the environment, ENRGDAQ_TEST_PORT): expected an integer from 1 to 65535, found "
		"the "
		"string \"many\"\n");
	unsetenv("ENRGDAQ_TEST_PORT");
	fill(&f, "rand_max = 1\nplace.slot = 1", NULL);
	assert_int_equal(f.thing.port, 1638);
	assert_string_equal(f.thing.path, "out/");
	drop(&f);
	unsetenv("ENRGDAQ_TEST_PATH");
}

static void test_all_problems_at_once(void **state)
{
	(void)state;
	assert_problems("rand_max = \"abc\"\nport = 70000\nrate_hz = nan\nmode = 'none'\nnames = [1]\n"
			"numbers = [1, 2.5]\nplace = 5\nplaces = [{}]\noffsets = {a = []}\non = 1\npath = 1979-05-27\n",
		NULL,
		"a.toml:1: rand_max: expected an integer, found the string \"abc\"\n"
		"a.toml:2: port: expected an integer from 1 to 65535, found the integer 70000\n"
		"a.toml:3: rate_hz: expected a number of at least 0 Hz, found the number nan\n"
		"a.toml:4: mode: expected one of \"FAST\", \"slow\", found the string \"none\"\n"
		"a.toml:5: names[0]: expected a string, found the integer 1\n"
		"a.toml:6: numbers[1]: expected an integer, found the number 2.5\n"
		"a.toml:7: place: expected a table, found the integer 5\n"
		"a.toml:8: places[0].slot: required key is missing (integer: Slot.)\n"
		"a.toml:9: offsets.a: expected a number or a string, found an empty list\n"
		"a.toml:10: on: expected true or false, found the integer 1\n"
		"a.toml:11: path: expected a string, found the date 1979-05-27\n");
}

static void test_keys(void **state)
{
	(void)state;
	static const char *const known[] = {"store_config", NULL};

	assert_problems("rand_mxa = 1\nplace.slto = 1\nother = {}\nfiddlesticks = 1\nstore_config = 1\n", known,
		"a.toml:1: rand_max: required key is missing (integer: Largest | value.)\n"
		"a.toml:1: rand_mxa: unknown key; did you mean rand_max?\n"
		"a.toml:2: place.slot: required key is missing (integer: Slot.)\n"
		"a.toml:2: place.slto: unknown key; did you mean place.slot?\n"
		"a.toml:3: other.slot: required key is missing (integer: Slot.)\n"
		"a.toml:4: fiddlesticks: unknown key; known keys are on, rand_max, port, rate_hz, path, nothing, mode, "
		"names, numbers, place, other, places, offsets, depth_mm, label, store_config\n");
	/* a required table that is absent misses what it requires; an optional one does not */
	assert_problems("rand_max = 1", NULL, "a.toml:1: place.slot: required key is missing (integer: Slot.)\n");
	/* a string that C would cut short */
	assert_problems("rand_max = 1\nplace.slot = 1\npath = \"a\\u0000b\"", NULL,
		"a.toml:3: path: expected a string, found the string \"a?b\"\n");
}

/* Keys of an included table stand among the others, and the name of the inclusion is no key. */
static void test_include(void **state)
{
	(void)state;
	struct fixture f;

	fill(&f, "rand_max = 1\nplace.slot = 1\ndepth_mm = 7\nlabel = \"x\"\n", NULL);
	assert_int_equal(f.problems.count, 0);
	assert_int_equal(f.thing.more.depth, 7);
	assert_string_equal(f.thing.more.label, "x");
	drop(&f);
	fill(&f, "rand_max = 1\nplace.slot = 1\n", NULL);
	assert_int_equal(f.thing.more.depth, 4);
	drop(&f);
	assert_problems("rand_max = 1\nplace.slot = 1\ndepth_m = 1\nmore = {}\ndepth_mm = true\n", NULL,
		"a.toml:3: depth_m: unknown key; did you mean depth_mm?\n"
		"a.toml:4: more: unknown key; did you mean mode?\n"
		"a.toml:5: depth_mm: expected an integer in mm, found true\n");
}

static void test_suggest(void **state)
{
	(void)state;
	static const char *const names[] = {"rand_min", "rand_max", "DAQJobTest", "x"};

	assert_string_equal(options_suggest("rand_mim", names, 4), "rand_min");
	assert_string_equal(options_suggest("rnad_max", names, 4), "rand_max");
	assert_string_equal(options_suggest("daqjobtest", names, 4), "DAQJobTest");
	assert_string_equal(options_suggest("DAQJobTset", names, 4), "DAQJobTest");
	assert_null(options_suggest("y", names, 4));
	assert_null(options_suggest("completely different", names, 4));
	assert_null(options_suggest("", names, 4));
	char word[300];
	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = 0;
	assert_null(options_suggest(word, names, 4));
}

static char *printed_by(void (*print)(FILE *stream))
{
	char *text = NULL;
	size_t count = 0;
	FILE *stream = open_memstream(&text, &count);

	print(stream);
	fclose(stream);
	return text;
}

static void print_example(FILE *stream)
{
	options_print_example(&thing_table, NULL, stream);
}

static void print_groups(FILE *stream)
{
	static const struct enrg_option options[] = {
		{.key = "file_path", .kind = ENRG_OPTION_STRING, .required = true, .help = "Name."}, {.key = NULL}};
	static const struct enrg_table table = {0, options};
	static const char *const sections[] = {
		"store_config.csv", "waveform_store_config.csv", "truth_store_config.csv"};

	for (size_t i = 0; i < 3; i++)
		options_print_example(&table, sections[i], stream);
}

/* Groups have tables of different columns: no two examples share a file. */
static void test_example_of_groups(void **state)
{
	char *text = printed_by(print_groups);

	(void)state;
	assert_non_null(strstr(text, "[store_config.csv]\n# Name. (string; required)\nfile_path = \"example.csv\"\n"));
	assert_non_null(strstr(text, "file_path = \"waveform.csv\"\n"));
	assert_non_null(strstr(text, "file_path = \"truth.csv\"\n"));
	free(text);
}

static void print_table(FILE *stream)
{
	options_print(&thing_table, 2, stream);
}

static void print_markdown(FILE *stream)
{
	options_print_markdown(&thing_table, stream);
}

/* The example is a file that passes its own checks and gives the defaults. */
static void test_example(void **state)
{
	(void)state;
	struct fixture f;
	char *text = printed_by(print_example);

	fill(&f, text, NULL);
	problems_print(&f.problems, stderr);
	assert_int_equal(f.problems.count, 0);
	assert_int_equal(f.thing.port, 1638);
	assert_string_equal(f.thing.path, "out/");
	assert_non_null(strstr(text, "# Largest | value. (int; required)\nrand_max = 0\n"));
	assert_non_null(strstr(text, "\n[place]\n"));
	assert_non_null(strstr(text, "# Depth. (int, mm)\ndepth_mm = 4\n"));
	assert_true(strstr(text, "depth_mm") < strstr(text, "[place]"));
	assert_non_null(strstr(text, "\n#[other]\n"));
	free(text);
	drop(&f);
}

static void test_print(void **state)
{
	(void)state;
	char *text = printed_by(print_table);

	assert_non_null(strstr(text, "  rand_max           int                          required"));
	assert_non_null(strstr(text, "place.slot"));
	assert_non_null(strstr(text, "places[].channels"));
	assert_non_null(strstr(text, "\n  depth_mm "));
	assert_non_null(strstr(text, "FAST, slow"));
	assert_non_null(strstr(text, "TCP port. [1 to 65535]"));
	free(text);
	text = printed_by(print_markdown);
	assert_non_null(strstr(text, "| `rand_max` | int | required | - | Largest \\| value. |\n"));
	assert_non_null(strstr(text, "| `rate_hz` | float | `1.5` | Hz | Rate. [at least 0] |\n"));
	free(text);
}

static void test_schema(void **state)
{
	(void)state;
	json_t *schema = options_schema(&thing_table), *properties = json_object_get(schema, "properties");
	json_t *port = json_object_get(properties, "port"), *places = json_object_get(properties, "places");

	assert_string_equal(json_string_value(json_object_get(schema, "type")), "object");
	assert_int_equal(json_array_size(json_object_get(schema, "required")), 2);
	assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
	assert_int_equal(json_integer_value(json_object_get(port, "maximum")), 65535);
	assert_int_equal(json_integer_value(json_object_get(port, "default")), 1638);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(properties, "depth_mm"), "default")), 4);
	assert_null(json_object_get(properties, "more"));
	assert_null(json_object_get(json_object_get(properties, "rate_hz"), "maximum"));
	assert_int_equal(json_array_size(json_object_get(json_object_get(properties, "mode"), "enum")), 2);
	assert_non_null(json_object_get(json_object_get(json_object_get(places, "items"), "properties"), "slot"));
	for (size_t i = 0; i < json_array_size(json_object_get(schema, "required")); i++) {
		const char *key = json_string_value(json_array_get(json_object_get(schema, "required"), i));
		const json_t *examples = json_object_get(json_object_get(properties, key), "examples");
		assert_int_equal(json_array_size(examples), 1);
		assert_false(json_is_null(json_array_get(examples, 0)));
	}
	assert_null(json_object_get(port, "examples"));
	json_decref(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_integers_as_floats),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_all_problems_at_once),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_suggest),
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_example_of_groups),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_schema),
		cmocka_unit_test(test_include),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

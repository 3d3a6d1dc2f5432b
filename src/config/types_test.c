/* types_test.c: the registry, the loader on real modules, and what malformed tables are told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/types.h"
#include "config/types_copy.h"

struct fake_options {
	int64_t a, b;
	bool flag;
};

static const struct enrg_option good_options[] = {
	{.key = "a",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct fake_options, a),
		.required = true,
		.help = "A."},
	{.key = "b",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct fake_options, b),
		.default_value = "5",
		.help = "B."},
	{0},
};
static const struct enrg_job_group good_groups[] = {{"store_config", true, "Data."}, {0}};

static int start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	(void)job, (void)options, (void)ret_state;
	return enrg_error_set(err, -1, "never called");
}

static int poll_job(struct enrg_job *job, void *state, struct enrg_error *err)
{
	(void)job, (void)state;
	return enrg_error_set(err, -1, "never called");
}

static void destroy(void *state)
{
	(void)state;
}

static int store_open(struct enrg_store *store, const void *options, void **ret_state, struct enrg_error *err)
{
	(void)store, (void)options, (void)ret_state;
	return enrg_error_set(err, -1, "never called");
}

static int target_open(void *state, const struct enrg_target *target, void **ret_target, struct enrg_error *err)
{
	(void)state, (void)target, (void)ret_target;
	return enrg_error_set(err, -1, "never called");
}

static int store_write(void *state, void *target, const struct enrg_batch *batch, struct enrg_error *err)
{
	(void)state, (void)target, (void)batch;
	return enrg_error_set(err, -1, "never called");
}

static int target_close(void *state, void *target, bool abandon, struct enrg_error *err)
{
	(void)state, (void)target, (void)abandon, (void)err;
	return 0;
}

static int store_close(void *state, bool abandon, struct enrg_error *err)
{
	(void)state, (void)abandon, (void)err;
	return 0;
}

static const char *const job_old_names[] = {"fake", NULL};
static const struct enrg_job_type good_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobFake",
	.old_names = job_old_names,
	.summary = "Fake.",
	.options = {sizeof(struct fake_options), good_options},
	.groups = good_groups,
	.start = start,
	.poll = poll_job,
	.destroy = destroy,
};
static const char *const store_old_names[] = {"store_fake", NULL};
static const struct enrg_store_type good_store = {
	.size = sizeof(struct enrg_store_type),
	.name = "DAQJobStoreFake",
	.old_names = store_old_names,
	.section = "fake",
	.summary = "Fake.",
	.section_options = {sizeof(struct fake_options), good_options},
	.starts_by_default = true,
	.open = store_open,
	.target_open = target_open,
	.write = store_write,
	.target_close = target_close,
	.close = store_close,
};

/* A module of one job and one store passes, or is refused with a text that holds `part`. */
static void assert_checked(const struct enrg_job_type *job, const struct enrg_store_type *store, const char *part)
{
	const struct enrg_job_type *const jobs[] = {job, NULL};
	const struct enrg_store_type *const stores[] = {store, NULL};
	const struct enrg_module module = {ENRG_MODULE_HEAD, .name = "m", .jobs = jobs, .stores = stores};
	struct enrg_error err = {0};
	int rc = types_check_module(&module, &err);

	if (!part) {
		if (rc)
			fail_msg("%s", err.text);
		return;
	}
	assert_int_equal(rc, ENRG_E_PLUGIN);
	if (!strstr(err.text, part))
		fail_msg("\"%s\" lacks \"%s\"", err.text, part);
}

static void test_module(void **state)
{
	(void)state;
	struct enrg_module module = {ENRG_MODULE_HEAD, .name = NULL};
	struct enrg_error err = {0};
	char built[60];

	module.abi++;
	snprintf(built, sizeof(built), "it was built for ABI %u, this program has ABI %u", module.abi, ENRG_MODULE_ABI);
	assert_int_equal(types_check_module(&module, &err), ENRG_E_PLUGIN);
	assert_non_null(strstr(err.text, built));
	module.abi = ENRG_MODULE_ABI;
	assert_int_equal(types_check_module(&module, &err), ENRG_E_PLUGIN);
	assert_non_null(strstr(err.text, "no name"));
	module.name = "m";
	assert_int_equal(types_check_module(&module, &err), ENRG_E_PLUGIN);
	assert_non_null(strstr(err.text, "neither a job nor a store"));
	module.size = 8;
	assert_int_equal(types_check_module(&module, &err), ENRG_E_PLUGIN);
	assert_non_null(strstr(err.text, "module: size 8 is not that of such a table"));
	assert_checked(&good_job, &good_store, NULL);
}

static void test_sizes(void **state)
{
	(void)state;
	struct enrg_job_type job = good_job;
	struct enrg_store_type store = good_store;

	job.size = 0;
	assert_checked(&job, &good_store, "job DAQJobFake: job type: size 0 is not that of such a table");
	store.size = 1u << 20;
	assert_checked(&good_job, &store, "store DAQJobStoreFake: store type: size 1048576 is not");
}

/* The tables of a module of tomorrow: each has grown at its end. */
struct newer_option {
	struct enrg_option option;
	const char *more;
};

struct newer_job {
	struct enrg_job_type type;
	void (*more)(void);
};

static void test_newer_module(void **state)
{
	(void)state;
	const struct newer_option inner[] = {
		{{.key = "b", .kind = ENRG_OPTION_INT, .help = "B.", .default_value = "7"}, "more"}, {{0}, NULL}};
	const struct enrg_table table = {sizeof(int64_t), &inner[0].option};
	const struct newer_option options[] = {{{.key = "a", .kind = ENRG_OPTION_INT, .help = "A."}, "more"},
		{{.key = "t", .kind = ENRG_OPTION_TABLE, .offset = 8, .help = "T.", .table = &table}, "more"},
		{{0}, NULL}};
	struct newer_job job = {.type = good_job};
	const struct enrg_job_type *const jobs[] = {&job.type, NULL};
	struct enrg_module module = {ENRG_MODULE_HEAD, .name = "m", .jobs = jobs};
	struct module_copy *copy = NULL;
	struct enrg_error err = {0};

	job.type.size = sizeof(job);
	job.type.options = (struct enrg_table){16, &options[0].option};
	module.option_bytes = sizeof(struct newer_option);
	if (module_copy_create(&module, &copy, &err) || types_check_copy(copy, &err))
		fail_msg("%s", err.text);
	const struct enrg_job_type *copied = module_copy_get(copy)->jobs[0];
	assert_null(module_copy_get(copy)->jobs[1]);
	assert_null(module_copy_get(copy)->stores[0]);
	assert_ptr_equal(copied->start, start);
	assert_string_equal(copied->options.options[1].key, "t");
	assert_string_equal(copied->options.options[1].table->options[0].default_value, "7");
	assert_null(copied->options.options[1].table->options[1].key);
	assert_null(copied->options.options[2].key);
	module_copy_free(copy);
}

static void test_lacking_functions(void **state)
{
	(void)state;
	struct enrg_job_type job = good_job;
	struct enrg_store_type store = good_store;

	job.poll = NULL;
	assert_checked(&job, &good_store, "job DAQJobFake: no function poll");
	job = good_job;
	job.start = NULL;
	assert_checked(&job, &good_store, "no function start");
	job = good_job;
	job.destroy = NULL;
	assert_checked(&job, &good_store, "no function destroy");
	job = good_job;
	job.summary = "";
	assert_checked(&job, &good_store, "no summary");
	job = good_job;
	job.name = NULL;
	assert_checked(&job, &good_store, "a name is made of");
	store.write = NULL;
	assert_checked(&good_job, &store, "store DAQJobStoreFake: no function write");
	store = good_store;
	store.section = NULL;
	assert_checked(&good_job, &store, "no section");
	store = good_store;
	store.options = good_job.options;
	assert_checked(&good_job, &store, "it starts by default, but its key a is required");
	store = good_store;
	store.name = "DAQJobFake";
	assert_checked(&good_job, &store, "a job and a store have the name DAQJobFake");
}

/* One option instead of the good ones. */
static void assert_option(const struct enrg_option *option, size_t size, const char *part)
{
	const struct enrg_option options[] = {*option, {0}};
	struct enrg_job_type job = good_job;

	job.options = (struct enrg_table){size, options};
	assert_checked(&job, &good_store, part);
}

static void test_malformed_options(void **state)
{
	(void)state;
	const struct enrg_option good = {.key = "x", .kind = ENRG_OPTION_INT, .help = "X.", .default_value = "5"};
	const struct enrg_choice no_choices[] = {{0}};
	struct enrg_option bad = good;

	assert_option(&good, 8, NULL);
	assert_option(&good, 4, "option x: its offset 0 and its 8 bytes are outside the struct of 4 bytes");
	bad.offset = 12;
	assert_option(&bad, 24, "does not fit the type");
	bad = good, bad.present_offset = 8;
	assert_option(&bad, 8, "present_offset");
	bad = good, bad.kind = (enum enrg_option_kind)99;
	assert_option(&bad, 8, "unknown kind 99");
	bad = good, bad.help = NULL;
	assert_option(&bad, 8, "no help text");
	bad = good, bad.key = "two words";
	assert_option(&bad, 8, "a key is made of");
	bad = good, bad.default_value = "\"five\"";
	assert_option(&bad, 8, "its default \"five\" does not pass its own check: x: expected an integer");
	bad = good, bad.default_value = "five";
	assert_option(&bad, 8, "not valid TOML");
	bad = good, bad.default_value = "5\ny = 6";
	assert_option(&bad, 8, "more than one value");
	bad = good, bad.min = 6, bad.max = 9;
	assert_option(&bad, 8, "expected an integer from 6 to 9");
	bad = good, bad.min = 6, bad.max = 5;
	assert_option(&bad, 8, "is above its max");
	bad = good, bad.max = NAN;
	assert_option(&bad, 8, "is above its max");
	bad = good, bad.required = true;
	assert_option(&bad, 8, "it is required and has a default");
	bad = good, bad.kind = ENRG_OPTION_CHOICE;
	assert_option(&bad, 8, "without choices");
	bad.choices = no_choices;
	assert_option(&bad, 8, "without choices");
	bad = good, bad.kind = ENRG_OPTION_TABLE;
	assert_option(&bad, 8, "without its table");
	bad = good, bad.key = "daq_job_type";
	assert_option(&bad, 8, "every job has this key already");
	bad = good, bad.key = "store_config";
	assert_option(&bad, 8, "store group store_config: an option has the same key");
}

static void test_malformed_tables(void **state)
{
	(void)state;
	const struct enrg_option twice[] = {good_options[0], good_options[0], {0}};
	struct enrg_option overlap[] = {good_options[0], good_options[1], {0}};
	struct enrg_job_type job = good_job;
	struct enrg_option loop[2] = {{.key = "x", .kind = ENRG_OPTION_TABLE_LIST, .help = "X."}, {0}};
	const struct enrg_table loop_table = {sizeof(struct enrg_struct_list), loop};
	const struct enrg_job_group groups[] = {good_groups[0], good_groups[0], {0}};

	job.options.options = twice;
	assert_checked(&job, &good_store, "option a: the key stands there twice");
	overlap[1].offset = 0;
	job.options.options = overlap;
	assert_checked(&job, &good_store, "options a and b fill the same bytes");
	loop[0].table = &loop_table;
	job.options = loop_table;
	assert_checked(&job, &good_store, "nested deeper than 8");
	job = good_job;
	job.groups = groups;
	assert_checked(&job, &good_store, "store group store_config: the key stands there twice");
}

static void test_registry(void **state)
{
	(void)state;
	const struct type_entry entries[] = {
		{.store = &good_store, .module_path = "b.so"},
		{.job = &good_job, .module_path = "a.so"},
		{.job = &good_job, .module_path = "second.so"},
	};
	struct types *types = NULL;
	bool is_old = true;

	assert_int_equal(types_create_static(entries, 3, &types, NULL), 0);
	assert_int_equal(types_count(types), 2);
	assert_string_equal(types_at(types, 0)->name, "DAQJobFake");
	assert_string_equal(types_at(types, 0)->module_path, "a.so");
	assert_null(types_at(types, 2));
	assert_ptr_equal(types_find(types, "DAQJobFake", &is_old)->job, &good_job);
	assert_false(is_old);
	assert_ptr_equal(types_find(types, "store_fake", &is_old)->store, &good_store);
	assert_true(is_old);
	assert_null(types_find(types, "nothing", NULL));
	assert_ptr_equal(types_find_section(types, "fake")->store, &good_store);
	assert_null(types_find_section(types, "csv"));
	assert_string_equal(types_suggest(types, "DAQJobFaek"), "DAQJobFake");
	assert_string_equal(types_suggest(types, "StoreFake"), "DAQJobStoreFake");
	assert_string_equal(types_suggest(types, "store_fak"), "DAQJobStoreFake");
	assert_null(types_suggest(types, "something else"));
	types_free(types);
	types_free(NULL);
}

struct warnings {
	size_t count;
	char texts[16][1000];
};

static void keep_warning(void *context, const char *sentence)
{
	struct warnings *warnings = context;

	if (warnings->count < 16)
		snprintf(warnings->texts[warnings->count++], 1000, "%s", sentence);
}

static bool is_warned(const struct warnings *warnings, const char *file, const char *part)
{
	for (size_t i = 0; i < warnings->count; i++)
		if (strstr(warnings->texts[i], file) && strstr(warnings->texts[i], part))
			return true;
	return false;
}

#define MODULES ENRG_BINARY_DIR "/tests/config_modules"

static void test_loader(void **state)
{
	(void)state;
	char folder[] = "/tmp/types_test_XXXXXX", file[100], list[1000];
	struct types *types = NULL;
	struct warnings *warnings = calloc(1, sizeof(*warnings));
	bool is_old = false;

	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/broken.so", folder);
	FILE *broken = fopen(file, "w");
	assert_non_null(broken);
	fputs("not a library", broken);
	fclose(broken);
	snprintf(list, sizeof(list), "%s::/nowhere:%s", folder, MODULES);
	setenv("ENRGDAQ_MODULE_PATH", list, 1);
	assert_int_equal(types_load(&types, keep_warning, warnings, NULL), 0);
	assert_non_null(types_find(types, "loaded", &is_old));
	assert_true(is_old);
	assert_non_null(strstr(types_find(types, "DAQJobLoaded", NULL)->module_path, "right.so"));
	assert_true(is_warned(warnings, "broken.so", "is left out: "));
	assert_true(is_warned(warnings, "abi.so", "it was built for ABI 65535"));
	assert_true(is_warned(warnings, "lacking.so", "job DAQJobLoaded: no function poll"));
	assert_false(is_warned(warnings, "right.so", ""));
	assert_false(is_warned(warnings, "/nowhere", ""));
	types_free(types);
	free(warnings);
	unlink(file);
	rmdir(folder);
}

static void test_load_one(void **state)
{
	(void)state;
	struct types *types = NULL;
	struct enrg_error err = {0};

	assert_int_equal(types_load_one(MODULES "/right.so", &types, &err), 0);
	assert_int_equal(types_count(types), 1);
	types_free(types);
	types = NULL;
	assert_int_equal(types_load_one(MODULES "/abi.so", &types, &err), ENRG_E_PLUGIN);
	assert_null(types);
	assert_non_null(strstr(err.text, "abi.so: it was built for ABI"));
	assert_int_equal(types_load_one("/nowhere/x.so", &types, &err), ENRG_E_PLUGIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_module),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_newer_module),
		cmocka_unit_test(test_lacking_functions),
		cmocka_unit_test(test_malformed_options),
		cmocka_unit_test(test_malformed_tables),
		cmocka_unit_test(test_registry),
		cmocka_unit_test(test_loader),
		cmocka_unit_test(test_load_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* record_test.c: what stands in the record of a run, and what of it may not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sha256.h"
#include "supervisor/record.h"

#define PLANTED "hunter2-planted"

static const char *const names[] = {"supervisor.toml", "hook.toml", "dice.toml"};
static const char *const texts[] = {
	"[info]\nsupervisor_id = \"lab1\"\nsupervisor_tags = [\"cold\", \"dark\"]\n",
	"# not " PLANTED " any more\ndaq_job_type = \"Talks\"\npassword = \"" PLANTED "\"\n",
	"daq_job_type = \"Talks\"\nsides = 6\n",
};

struct talks {
	const char *password;
	int64_t sides;
};
static const struct enrg_option options[] = {
	{.key = "password",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct talks, password),
		.secret = true,
		.help = "Password."},
	{.key = "sides", .kind = ENRG_OPTION_INT, .offset = offsetof(struct talks, sides), .help = "Of a die."},
	{0},
};
static const struct enrg_job_type talks = {.size = sizeof(struct enrg_job_type),
	.name = "Talks",
	.summary = "Has a password.",
	.options = {sizeof(struct talks), options}};

static struct types *types;

static json_t *make(void)
{
	const struct folder_texts folder_texts = {3, names, texts};
	struct problems problems;
	struct folder *folder = NULL;

	problems_init(&problems);
	assert_int_equal(folder_load_texts(&folder_texts, types, &folder, &problems, NULL), 0);
	assert_int_equal(problems.errors, 0);
	json_t *record = record_make(folder, types);
	assert_non_null(record);
	problems_fini(&problems);
	folder_free(folder);
	return record;
}

static const char *text_of(const json_t *record, const char *key)
{
	return json_string_value(json_object_get(record, key));
}

static void secrets_stand_nowhere(void **state)
{
	json_t *record = make();
	char *text = json_dumps(record, 0);

	(void)state;
	assert_null(strstr(text, PLANTED));
	assert_non_null(strstr(text_of(record, "config"), "password = \"***\""));
	assert_non_null(strstr(text_of(record, "config"), "# --- dice.toml ---\ndaq_job_type = \"Talks\""));
	free(text);
	json_decref(record);
}

static void hashes_are_of_what_may_be_known(void **state)
{
	json_t *record = make(), *sources = json_object_get(record, "sources");
	char hex[SHA256_HEX_BYTES];

	(void)state;
	assert_int_equal(json_array_size(sources), 3);
	for (size_t i = 0; i < 3; i++) {
		const json_t *source = json_array_get(sources, i);
		const char *file = text_of(source, "file");
		size_t k = 0;
		while (!strstr(file, names[k]))
			k++;
		sha256_format(texts[k], strlen(texts[k]), hex);
		assert_int_equal(json_is_true(json_object_get(source, "masked")), k == 1);
		assert_int_equal(!strcmp(text_of(source, "sha256"), hex), k != 1);
	}
	const char *config = text_of(record, "config");
	sha256_format(config, strlen(config), hex);
	assert_string_equal(text_of(record, "config_sha256"), hex);
	json_decref(record);
}

static void surroundings_are_named(void **state)
{
	json_t *record = make();
	const json_t *versions = json_object_get(record, "versions"), *host = json_object_get(record, "host");
	const json_t *libraries = json_object_get(versions, "libraries");
	bool has_c_library = false;

	(void)state;
	assert_string_equal(text_of(record, "supervisor"), "lab1");
	assert_string_equal(json_string_value(json_array_get(json_object_get(record, "tags"), 1)), "dark");
	assert_true(*text_of(versions, "enrgdaq") && *text_of(versions, "compiler"));
	for (size_t i = 0; i < json_array_size(libraries); i++)
		has_c_library = has_c_library || !strcmp(text_of(json_array_get(libraries, i), "name"), "libc.so.6");
	assert_true(has_c_library);
	assert_true(*text_of(host, "kernel") && json_integer_value(json_object_get(host, "memory_bytes")) > 0);
	json_decref(record);
}

static json_t *read_info(const char *folder)
{
	char path[100], *text;
	size_t count;

	snprintf(path, sizeof(path), "%s/" RECORD_INFO_NAME, folder);
	assert_int_equal(path_read_file(path, 1 << 20, &text, &count, NULL), 0);
	json_t *info = json_loads(text, 0, NULL);
	free(text);
	assert_non_null(info);
	return info;
}

static void tell(const char *folder, int number)
{
	char run[32];

	snprintf(run, sizeof(run), "run%d", number);
	json_t *begin = json_pack(
		"{s:s, s:i, s:s, s:I}", "run", run, "number", number, "config", "a = 1", "wall_ns", (json_int_t)5);
	assert_int_equal(record_tell_begin(folder, "u", begin, NULL), 0);
	json_decref(begin);
}

static void the_newest_runs_are_told(void **state)
{
	char folder[] = "/tmp/enrg-record-XXXXXX", path[100];

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (int i = 1; i <= (int)RECORD_INFO_RUNS + 3; i++)
		tell(folder, i);
	tell(folder, 10); /* again */
	assert_int_equal(record_tell_end(folder, "run10", 77, NULL), 0);
	assert_int_equal(record_tell_end(folder, "unheard of", 77, NULL), 0);
	json_t *info = read_info(folder), *runs = json_object_get(info, "runs");
	assert_int_equal(json_array_size(runs), RECORD_INFO_RUNS);
	assert_string_equal(text_of(json_array_get(runs, 0), "run"), "run10");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(runs, 0), "ended_wall_ns")), 77);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(runs, 1), "ended_wall_ns")), 0);
	assert_string_equal(text_of(json_array_get(runs, 1), "run"), "run11");
	json_decref(info);
	snprintf(path, sizeof(path), "%s/" RECORD_INFO_NAME, folder);
	unlink(path);
	rmdir(folder);
}

static int load(void **state)
{
	const struct type_entry entry = {.job = &talks, .name = "Talks"};

	(void)state;
	return types_create_static(&entry, 1, &types, NULL);
}

static int unload(void **state)
{
	(void)state;
	types_free(types);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_stand_nowhere),
		cmocka_unit_test(hashes_are_of_what_may_be_known),
		cmocka_unit_test(surroundings_are_named),
		cmocka_unit_test(the_newest_runs_are_told),
	};

	return cmocka_run_group_tests(tests, load, unload);
}

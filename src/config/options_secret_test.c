/* options_secret_test.c: secrets in a configuration, in files of their own, and in nothing that is printed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "config/options.h"
#include "config/types.h"
#include "enrgdaq/module.h"

struct keys {
	const char *password, *token, *program;
	bool has_password;
};

static const struct enrg_option options[] = {
	{.key = "password",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct keys, password),
		.required = true,
		.present_offset = offsetof(struct keys, has_password),
		.secret = true,
		.help = "Password."},
	{.key = "token",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct keys, token),
		.default_value = "\"71829-default\"",
		.secret = true,
		.help = "Token."},
	{.key = "program",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct keys, program),
		.runs_code = true,
		.help = "Program."},
	{0},
};
static const struct enrg_table table = {sizeof(struct keys), options};

/* Fills from the text; returns the problems as printed (free()), "" where there are none. */
static char *fill(const char *text, struct keys *ret_keys, struct options_memory *memory)
{
	struct toml_node *root = NULL;
	struct problems problems;
	char *printed = NULL;
	size_t count = 0;
	FILE *stream = open_memstream(&printed, &count);

	problems_init(&problems);
	assert_int_equal(toml_parse("a.toml", text, strlen(text), &root, NULL), 0);
	options_fill(&table, &(struct options_text){.node = root, .file = "a.toml"}, ret_keys, memory, &problems);
	toml_free(root);
	problems_print(&problems, stream);
	problems_fini(&problems);
	fclose(stream);
	return printed;
}

static void expect(const char *text, const char *problems, const char *password)
{
	struct options_memory *memory = options_memory_create();
	struct keys keys;
	char *printed = fill(text, &keys, memory);

	if (!*problems)
		assert_string_equal(printed, "");
	if (!strstr(printed, problems))
		fail_msg("expected \"%s\", found \"%s\"", problems, printed);
	assert_null(strstr(printed, "71829"));
	if (password)
		assert_string_equal(keys.password, password);
	assert_int_equal(keys.has_password, password != NULL);
	free(printed);
	options_memory_destroy(memory);
}

static void wrong_values_are_not_shown(void **state)
{
	char text[600];

	(void)state;
	expect("password = \"71829 in the file\"\n", "", "71829 in the file");
	expect("password = \"71829\"\nprogram = 5\n", "program: expected a string, found the integer 5", "71829");
	snprintf(text, sizeof(text), "password = \"p\"\ntoken = 71829\n");
	expect(text, "a.toml:2: token: expected a string, found ***", "p");
	snprintf(text, sizeof(text), "password = \"p\"\nprogram_file = \"71829\"\n");
	expect(text, "program_file: unknown key", "p");
}

static void a_file_holds_it(void **state)
{
	char folder[] = "/tmp/enrgdaq_secret_XXXXXX", path[100], text[300];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/password", folder);
	assert_int_equal(path_write_file(path, "71829 file\n", 11, 0, NULL), 0);
	snprintf(text, sizeof(text), "password_file = \"%s\"\n", path);
	assert_int_equal(chmod(path, 0600), 0);
	expect(text, "", "71829 file");
	assert_int_equal(chmod(path, 0644), 0);
	struct keys keys;
	struct options_memory *memory = options_memory_create();
	char *printed = fill(text, &keys, memory);
	assert_non_null(strstr(printed, "a.toml:1: password_file: "));
	assert_non_null(strstr(printed, "has mode 0644"));
	assert_null(keys.password);
	free(printed);
	assert_int_equal(chmod(path, 0600), 0);
	snprintf(text, sizeof(text), "password = \"71829\"\npassword_file = \"%s\"\n", path);
	printed = fill(text, &keys, memory);
	assert_non_null(strstr(printed, "a.toml:2: password_file: password stands there as well"));
	free(printed);
	printed = fill("password_file = 5\n", &keys, memory);
	assert_non_null(strstr(printed, "password_file: expected the path"));
	free(printed);
	options_memory_destroy(memory);
	unlink(path);
	rmdir(folder);
}

static void nothing_that_is_printed_shows_it(void **state)
{
	char *text = NULL;
	size_t count;
	FILE *stream = open_memstream(&text, &count);

	(void)state;
	options_print(&table, 0, stream);
	options_print_markdown(&table, stream);
	options_print_example(&table, NULL, stream);
	json_t *schema = options_schema(&table), *properties = json_object_get(schema, "properties");
	json_dumpf(schema, stream, 0);
	fclose(stream);
	assert_null(strstr(text, "71829"));
	assert_non_null(strstr(text, "\"***\""));
	assert_non_null(strstr(text, "password_file: a file of mode 0600"));
	assert_non_null(strstr(text, "[privileged]"));
	assert_true(json_is_true(json_object_get(json_object_get(properties, "token"), "x-enrgdaq-secret")));
	assert_true(json_is_true(json_object_get(json_object_get(properties, "program"), "x-enrgdaq-runs-code")));
	assert_non_null(json_object_get(properties, "token_file"));
	assert_null(json_object_get(properties, "program_file"));
	assert_int_equal(json_array_size(json_object_get(schema, "required")), 0);
	json_decref(schema);
	free(text);
}

static int poll_once(struct enrg_job *job, void *state, struct enrg_error *err)
{
	(void)job, (void)state, (void)err;
	return 0;
}

static int start(struct enrg_job *job, const void *filled, void **ret_state, struct enrg_error *err)
{
	(void)job, (void)filled, (void)err;
	*ret_state = NULL;
	return 0;
}

static void check_module(const struct enrg_option *list, const char *reason)
{
	const struct enrg_job_type job = {.size = sizeof(struct enrg_job_type),
		.name = "J",
		.summary = "J.",
		.options = {sizeof(struct keys), list},
		.start = start,
		.poll = poll_once,
		.destroy = free};
	const struct enrg_job_type *const jobs[] = {&job, NULL};
	const struct enrg_module module = {ENRG_MODULE_HEAD, .name = "m", .jobs = jobs};
	struct enrg_error err = {0};

	assert_int_equal(types_check_module(&module, &err) < 0, *reason != '\0');
	assert_non_null(strstr(err.text, reason));
}

static void tables_are_checked(void **state)
{
	static const struct enrg_option number[] = {
		{.key = "pin", .kind = ENRG_OPTION_FLOAT, .secret = true, .help = "P."}, {0}};
	static const struct enrg_option clash[] = {
		{.key = "a", .kind = ENRG_OPTION_STRING, .secret = true, .help = "A."},
		{.key = "a_file", .kind = ENRG_OPTION_STRING, .offset = 8, .help = "F."}, {0}};

	(void)state;
	check_module(options, "");
	check_module(number, "option pin: a secret is a string");
	check_module(clash, "option a_file: the key is that of the file of a secret");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_values_are_not_shown),
		cmocka_unit_test(a_file_holds_it),
		cmocka_unit_test(nothing_that_is_printed_shows_it),
		cmocka_unit_test(tables_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* options_json_test.c: the body of a message takes the checks of a configuration. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "config/options_json.h"

struct channel {
	int64_t number;
};

struct body {
	bool on;
	int64_t slot;
	double volts;
	const char *name, *password;
	struct enrg_int_list list;
	struct enrg_struct_list channels;
};

static const struct enrg_option channel_options[] = {
	{.key = "number",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct channel, number),
		.required = true,
		.help = "n"},
	{0},
};
static const struct enrg_table channel_table = {.size = sizeof(struct channel), .options = channel_options};

static const struct enrg_option options[] = {
	{.key = "on", .kind = ENRG_OPTION_BOOL, .offset = offsetof(struct body, on), .help = "on"},
	{.key = "slot",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct body, slot),
		.required = true,
		.min = 0,
		.max = 15,
		.help = "slot"},
	{.key = "volts",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct body, volts),
		.default_value = "1.5",
		.help = "volts"},
	{.key = "name", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct body, name), .help = "name"},
	{.key = "password",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct body, password),
		.secret = true,
		.help = "password"},
	{.key = "list", .kind = ENRG_OPTION_INT_LIST, .offset = offsetof(struct body, list), .help = "list"},
	{.key = "channels",
		.kind = ENRG_OPTION_TABLE_LIST,
		.offset = offsetof(struct body, channels),
		.table = &channel_table,
		.help = "channels"},
	{0},
};
static const struct enrg_table table = {.size = sizeof(struct body), .options = options};

struct filled {
	struct options_memory *memory;
	struct body *body;
	char wrong[1000];
	int rc;
};

static struct filled fill(const char *text)
{
	struct filled filled = {.memory = options_memory_create()};
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	filled.rc = options_fill_json(
		&table, json, filled.memory, (void **)&filled.body, filled.wrong, sizeof(filled.wrong));
	json_decref(json); /* nothing of it is needed any more */
	return filled;
}

static void every_kind_is_filled(void **state)
{
	struct filled filled = fill("{\"on\": true, \"slot\": 3, \"name\": \"Zähler\", \"list\": [1, 2], \"channels\": "
				    "[{\"number\": 7}], \"volts\": null}");

	(void)state;
	assert_int_equal(filled.rc, 0);
	assert_true(filled.body->on);
	assert_int_equal(filled.body->slot, 3);
	assert_true(filled.body->volts == 1.5);
	assert_string_equal(filled.body->name, "Zähler");
	assert_null(filled.body->password);
	assert_int_equal(filled.body->list.count, 2);
	assert_int_equal(filled.body->list.items[1], 2);
	assert_int_equal(((const struct channel *)filled.body->channels.items)[0].number, 7);
	options_memory_destroy(filled.memory);
}

static void all_that_is_wrong_is_named(void **state)
{
	struct filled filled = fill("{\"on\": 1, \"slot\": 16, \"volt\": 2, \"list\": [1, null], \"channels\": [{}]}");

	(void)state;
	assert_int_equal(filled.rc, ENRG_E_CONFIG);
	assert_non_null(strstr(filled.wrong, "on: expected true or false, found the integer 1"));
	assert_non_null(strstr(filled.wrong, "slot: expected an integer from 0 to 15, found the integer 16"));
	assert_non_null(strstr(filled.wrong, "volt: unknown key; did you mean volts?"));
	assert_non_null(strstr(filled.wrong, "list[1]"));
	assert_non_null(strstr(filled.wrong, "channels[0].number: required key is missing"));
	options_memory_destroy(filled.memory);
}

static void no_file_is_read_for_a_sender(void **state)
{
	struct filled filled = fill("{\"slot\": 1, \"password_file\": \"/etc/shadow\"}");

	(void)state;
	assert_int_equal(filled.rc, ENRG_E_CONFIG);
	assert_non_null(strstr(filled.wrong, "password_file"));
	options_memory_destroy(filled.memory);
}

static void no_fields_are_an_empty_table(void **state)
{
	struct options_memory *memory = options_memory_create();
	char wrong[300];
	void *body;

	(void)state;
	assert_int_equal(options_fill_json(&table, NULL, memory, &body, wrong, sizeof(wrong)), ENRG_E_CONFIG);
	assert_non_null(strstr(wrong, "slot: required key is missing"));
	options_memory_destroy(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_filled),
		cmocka_unit_test(all_that_is_wrong_is_named),
		cmocka_unit_test(no_file_is_read_for_a_sender),
		cmocka_unit_test(no_fields_are_an_empty_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

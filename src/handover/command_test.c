/* command_test.c: commands and answers come back as they went out, and hostile bytes are refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "handover/command.h"

#define S 1000000000ull

static void a_command_comes_back(void **state)
{
	struct command command, back;
	json_t *body = json_pack("{s:i, s:f, s:s, s:[i,i], s:{s:b}}", "slot", 3, "volts", 1450.5, "name", "Zähler",
		"channels", 1, 2, "inner", "on", 1);
	uint64_t before_ns = clock_wall_ns();
	struct enrg_error err = {0};
	size_t count;
	void *bytes;

	(void)state;
	assert_int_equal(command_init(&command, "job camera", "set_channel", body, 5 * S), 0);
	strcpy(command.sender.name, "test");
	assert_int_equal(command_format(&command, &bytes, &count, &err), 0);
	assert_int_equal(command_parse(bytes, count, &back, &err), 0);
	assert_memory_equal(back.id, command.id, COMMAND_ID_BYTES);
	assert_true(back.expires_ns >= before_ns + 5 * S && back.expires_ns == command.expires_ns);
	assert_int_equal(back.sender.user, geteuid());
	assert_int_equal(back.sender.pid, getpid());
	assert_string_equal(back.sender.name, "test");
	assert_string_equal(back.to, "job camera");
	assert_string_equal(back.kind, "set_channel");
	assert_true(json_equal(back.body, body));
	free(bytes);
	command_fini(&command);
	command_fini(&back);
}

/* What can't be read must not count as nobody: without a person all is allowed. */
static void for_whom_it_is_comes_back(void **state)
{
	static const char *const wrong[] = {"7", "{}", "{\"role\": 3}", "{\"role\": \"\"}",
		"{\"role\": \"administrator of all\"}", "null", "{\"role\": \"user\", \"who\": []}"};
	struct command command, back;

	(void)state;
	assert_int_equal(command_init(&command, "supervisor", "stop", NULL, S), 0);
	json_t *json = command_to_json(&command);
	assert_null(json_object_get(json, "for"));
	assert_int_equal(command_from_json(json, &back, NULL), 0);
	assert_false(back.person.is_there);
	command_fini(&back);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		json_object_set_new(json, "for", json_loads(wrong[i], JSON_DECODE_ANY, NULL));
		assert_int_equal(command_from_json(json, &back, NULL), ENRG_E_PROTOCOL);
	}
	json_object_set_new(json, "for", json_pack("{s:s}", "role", "root"));
	assert_int_equal(command_from_json(json, &back, NULL), 0);
	assert_int_equal(back.person.role, COMMAND_NOBODY_AT_ALL);
	command_fini(&back);
	json_decref(json);
	command.person =
		(struct command_person){.is_there = true, .role = COMMAND_USER, .who = "ada", .address = "192.0.2.1"};
	json = command_to_json(&command);
	assert_int_equal(command_from_json(json, &back, NULL), 0);
	assert_true(back.person.is_there);
	assert_int_equal(back.person.role, COMMAND_USER);
	assert_string_equal(back.person.who, "ada");
	assert_string_equal(back.person.address, "192.0.2.1");
	json_decref(json);
	command_fini(&back);
	command_fini(&command);
}

static void each_command_has_an_id_of_its_own(void **state)
{
	struct command one, other;

	(void)state;
	assert_int_equal(command_init(&one, "all", "x", NULL, S), 0);
	assert_int_equal(command_init(&other, "all", "x", NULL, S), 0);
	assert_memory_not_equal(one.id, other.id, COMMAND_ID_BYTES);
	assert_int_equal(json_object_size(one.body), 0);
	command_fini(&one);
	command_fini(&other);
}

static void names_that_are_too_long_are_refused(void **state)
{
	char name[400];
	struct command command;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	assert_int_not_equal(command_init(&command, name, "x", NULL, S), 0);
	command_fini(&command);
	assert_int_not_equal(command_init(&command, "all", name, NULL, S), 0);
	command_fini(&command);
}

static void an_answer_comes_back(void **state)
{
	struct command_answer answer = {.id = "0123456789abcde", .fields = json_pack("{s:i}", "channel", 7)}, back;
	struct enrg_error err = {0};

	(void)state;
	for (enum command_code code = COMMAND_OK; code <= COMMAND_UNKNOWN; code++) {
		size_t count;
		void *bytes;

		assert_int_equal(command_answer_set(&answer, code, "because %d", 5), (int)code);
		assert_int_equal(command_answer_format(&answer, &bytes, &count, &err), 0);
		assert_int_equal(command_answer_parse(bytes, count, &back, &err), 0);
		assert_int_equal(back.code, code);
		assert_int_equal(command_code_parse(command_code_name(code)), code);
		assert_string_equal(back.text, "because 5");
		assert_memory_equal(back.id, answer.id, COMMAND_ID_BYTES);
		assert_true(json_equal(back.fields, answer.fields));
		command_answer_fini(&back);
		free(bytes);
	}
	assert_int_equal(command_code_parse("of a later version"), COMMAND_UNKNOWN);
	command_answer_fini(&answer);
}

/* Cut inside of a character it would be no UTF-8, and no answer at all. */
static void a_long_text_is_cut_and_can_be_sent(void **state)
{
	struct command_answer answer = {0};
	char text[2000];
	size_t count;
	void *bytes;

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "ä", 2);
	text[sizeof(text) - 2] = 0;
	command_answer_set(&answer, COMMAND_FAILED, "x%s", text);
	assert_int_equal(command_answer_format(&answer, &bytes, &count, NULL), 0);
	free(bytes);
}

static json_t *sound_command(void)
{
	return json_pack("{s:i, s:s, s:s, s:I, s:s, s:i, s:i, s:s, s:{}}", "v", 1, "command", "stop", "id",
		"00112233445566778899aabbccddeeff", "expires_ns", (json_int_t)5, "to", "supervisor", "user", 0, "pid",
		7, "from", "me", "body");
}

static void each_member_is_checked(void **state)
{
	static const struct {
		const char *key, *json;
	} faults[] = {
		{"v", "2"},
		{"v", "\"1\""},
		{"command", "\"\""},
		{"command", "\"a b\""},
		{"command", "5"},
		{"id", "\"0011\""},
		{"id", "\"zz112233445566778899aabbccddeeff\""},
		{"expires_ns", "-1"},
		{"expires_ns", "1.5"},
		{"to", "\"\""},
		{"to", "[]"},
		{"user", "-1"},
		{"user", "4294967296"},
		{"pid", "\"7\""},
		{"from", "{}"},
		{"body", "[]"},
	};
	struct command command;

	(void)state;
	json_t *json = sound_command();
	assert_int_equal(command_from_json(json, &command, NULL), 0);
	command_fini(&command);
	json_decref(json);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct enrg_error err = {0};

		json = sound_command();
		json_object_set_new(json, faults[i].key, json_loads(faults[i].json, JSON_DECODE_ANY, NULL));
		assert_int_equal(command_from_json(json, &command, &err), ENRG_E_PROTOCOL);
		assert_non_null(strstr(err.text, faults[i].key));
		json_decref(json);
	}
	assert_int_equal(command_from_json(NULL, &command, NULL), ENRG_E_PROTOCOL);
}

static void bytes_that_are_none_are_refused(void **state)
{
	struct command command;
	struct command_answer answer;
	struct enrg_error err = {0};
	size_t count;
	void *bytes;
	json_t *body = json_object();

	(void)state;
	assert_int_equal(command_parse("", 0, &command, &err), ENRG_E_PROTOCOL);
	assert_int_equal(command_parse("\xc1", 1, &command, &err), ENRG_E_PROTOCOL);
	assert_int_equal(command_answer_parse("\x80", 1, &answer, &err), ENRG_E_PROTOCOL);
	char *large = calloc(1, COMMAND_BYTES_MAX + 1);
	assert_non_null(large);
	assert_int_equal(command_parse(large, COMMAND_BYTES_MAX + 1, &command, &err), ENRG_E_PROTOCOL);
	memset(large, 'x', COMMAND_BYTES_MAX);
	json_object_set_new(body, "text", json_string(large));
	assert_int_equal(command_init(&command, "all", "x", body, S), 0);
	assert_int_equal(command_format(&command, &bytes, &count, &err), ENRG_E_PROTOCOL);
	command_fini(&command);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_comes_back),
		cmocka_unit_test(for_whom_it_is_comes_back),
		cmocka_unit_test(each_command_has_an_id_of_its_own),
		cmocka_unit_test(names_that_are_too_long_are_refused),
		cmocka_unit_test(an_answer_comes_back),
		cmocka_unit_test(a_long_text_is_cut_and_can_be_sent),
		cmocka_unit_test(each_member_is_checked),
		cmocka_unit_test(bytes_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* hook_test.c: bodies of webhooks, words of commands, and what makes no sense. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "runs/hook.h"

static void expect_body(const char *payload, enum hook_event event, const char *wanted)
{
	struct hook hook = {.name = "h", .payload = payload};
	struct hook_call call = {.hook = &hook,
		.event = event,
		.data = json_pack("{s:i, s:s, s:{s:f}, s:s, s:n, s:i}", "id", 7, "clientId", "lab \"1\"",
			"parameterValues", "amplitude", 2.5, "description", "{id} \xc2\xb5", "nothing", "runId", 9)};
	json_t *body = hook_make_body(&call, "T");
	char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);

	assert_non_null(text);
	assert_string_equal(text, wanted);
	free(text);
	json_decref(body);
	json_decref(call.data);
}

static void bodies_are_as_the_panel_has_them(void **state)
{
	(void)state;
	expect_body(NULL, HOOK_RUN_FAILED,
		"{\"data\":{\"clientId\":\"lab \\\"1\\\"\",\"description\":\"{id} \xc2\xb5\",\"id\":7,\"nothing\":null,"
		"\"parameterValues\":{\"amplitude\":2.5},\"runId\":9},\"event\":\"run_failed\",\"timestamp\":\"T\"}");
	/* A value alone keeps its kind; what a value holds is not replaced again. */
	expect_body(
		"{\"n\": \"{id}\", \"v\": [\"{parameterValues}\", \"{event} {runId}: {description}{nothing}\"], \"x\": "
		"\"{unknown} {\", \"t\": \"{type}\", \"m\": \"{messageId}\"}",
		HOOK_RUN_STARTED,
		"{\"m\":null,\"n\":7,\"t\":\"run\",\"v\":[{\"amplitude\":2.5},\"run_started 7: {id} \xc2\xb5\"],\"x\":"
		"\"{unknown} {\"}");
	expect_body("[\"{type}\", \"{messageId}\", \"{runId}\"]", HOOK_MESSAGE_SENT, "[\"message\",7,9]");
}

static void expect_word(const char *word, const char *wanted)
{
	json_t *words = json_pack("{s:i, s:s, s:s}", "number", 12, "description", "-rf /; \"$(x)\"", "id", "");
	char *found = hook_make_word(word, words);

	assert_string_equal(found, wanted);
	free(found);
	json_decref(words);
}

static void words_stay_words(void **state)
{
	(void)state;
	expect_word("-l", "-l");
	expect_word("run {number}", "run 12");
	expect_word("--text={description}", "--text=-rf /; \"$(x)\"");
	expect_word("{description}", " -rf /; \"$(x)\""); /* no option */
	expect_word("{id}", "");
	expect_word("{no}{", "{no}{");
}

static void nonsense_is_refused(void **state)
{
	static const char *const texts[] = {"{}", "{\"url\": 5}", "{\"url\": \"http://x\", \"command\": [\"a\"]}",
		"{\"command\": [5]}", "{\"command\": []}", "[]", "{\"url\": \"http://x\", \"events\": [1]}"};
	struct hook hook;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		json_t *json = json_loads(texts[i], 0, NULL);
		struct enrg_error err = {0};
		if (hook_init(&hook, json, 0, &err) != ENRG_E_PROTOCOL)
			fail_msg("%s", texts[i]);
		hook_fini(&hook);
		json_decref(json);
	}
	json_t *json = json_loads("{\"command\": [\"elog\"]}", 0, NULL);
	assert_int_equal(hook_init(&hook, json, 1, NULL), 0);
	assert_string_equal(hook.name, "hook 2");
	assert_int_equal(hook.events, 1u << HOOK_RUN_STARTED | 1u << HOOK_RUN_STOPPED | 1u << HOOK_RUN_FAILED);
	hook_fini(&hook);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_as_the_panel_has_them),
		cmocka_unit_test(words_stay_words),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

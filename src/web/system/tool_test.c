/* tool_test.c: a program that answers, hangs, crashes, floods or is not there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "web/system/catalogue.h"
#include "web/system/tool.h"

static json_t *run(const char *script, const char *input, unsigned patience_ms, int *ret_code, struct enrg_error *err)
{
	const char *const words[] = {"/bin/sh", "-c", script, NULL};
	const struct tool_params params = {.words = words, .input = input, .patience_ms = patience_ms};

	memset(err, 0, sizeof(*err));
	*ret_code = -1;
	return tool_run(&params, ret_code, err);
}

static void test_it_answers(void **state)
{
	struct enrg_error err;
	int code;
	json_t *json = run("read -r x; echo \"{\\\"x\\\": \\\"$x\\\"}\"; exit 3", "hello\n", 60000, &code, &err);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(json, "x")), "hello");
	assert_int_equal(code, 3);
	json_decref(json);
	json = run("cat >/dev/null; echo []", NULL, 60000, &code, &err); /* nothing to read ends at once */
	assert_true(json_is_array(json));
	json_decref(json);
}

static void test_it_does_not(void **state)
{
	struct enrg_error err;
	int code;

	(void)state;
	assert_null(run("exec sleep 1000", NULL, 50, &code, &err));
	assert_int_equal(err.code, -ETIMEDOUT);
	assert_null(run("kill -SEGV $$", NULL, 60000, &code, &err));
	assert_non_null(strstr(err.text, "signal 11"));
	assert_null(run("echo no json", NULL, 60000, &code, &err));
	assert_non_null(strstr(err.text, "no JSON"));
	assert_null(run("exec yes", NULL, 60000, &code, &err));
	assert_int_equal(err.code, -EFBIG);
	const char *const none[] = {"/nowhere/enrgdaq", "describe", NULL};
	const struct tool_params params = {.words = none, .patience_ms = 1000};
	assert_null(tool_run(&params, &code, &err));
	assert_non_null(strstr(err.text, "/nowhere/enrgdaq"));
}

static void test_the_catalogue_says_why_there_is_none(void **state)
{
	struct catalogue *catalogue = catalogue_create("");
	struct enrg_error err = {0};

	(void)state;
	assert_null(catalogue_get(catalogue, &err));
	assert_non_null(strstr(err.text, "the types of jobs are not known"));
	catalogue_destroy(catalogue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_answers),
		cmocka_unit_test(test_it_does_not),
		cmocka_unit_test(test_the_catalogue_says_why_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* request_test.c: the bytes on the wire. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "request.h"

static void expect(const struct request *request, const char *wanted)
{
	assert_false(request->has_failed);
	assert_int_equal(request->count, strlen(wanted));
	assert_memory_equal(request->bytes, wanted, request->count);
}

static void commands_are_resp(void **state)
{
	struct request request = {0};

	(void)state;
	request_begin(&request, 3);
	request_add_text(&request, "RPUSH");
	request_add(&request, "a\r\nb", 4);
	request_add(&request, NULL, 0);
	expect(&request, "*3\r\n$5\r\nRPUSH\r\n$4\r\na\r\nb\r\n$0\r\n\r\n");
	assert_int_equal(request.commands, 1);
	request_clear(&request);
	request_begin(&request, 1234567890123456789);
	expect(&request, "*1234567890123456789\r\n");
	request_fini(&request);
}

static void base64_is_padded(void **state)
{
	static const char *const cases[][2] = {{"", "$0\r\n\r\n"}, {"f", "$4\r\nZg==\r\n"}, {"fo", "$4\r\nZm8=\r\n"},
		{"foo", "$4\r\nZm9v\r\n"}, {"foob", "$8\r\nZm9vYg==\r\n"}, {"\xFF\xFE\xFD", "$4\r\n//79\r\n"}};
	struct request request = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		request_clear(&request);
		request_add_base64(&request, (const uint8_t *)cases[i][0], strlen(cases[i][0]));
		expect(&request, cases[i][1]);
	}
	request_fini(&request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(commands_are_resp), cmocka_unit_test(base64_is_padded)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

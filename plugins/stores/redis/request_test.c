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

/* All lengths around those that are done in one step, every value of a byte, against the rule itself. */
static void base64_is_right_at_all_lengths(void **state)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct request request = {0};
	uint8_t bytes[800];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i < 256 ? i : i * 2654435761u >> 9);
	for (size_t count = 0; count <= sizeof(bytes); count += count < 70 ? 1 : 73) {
		request_clear(&request);
		request_add_base64(&request, bytes, count);
		const char *found = strchr(request.bytes, '\n') + 1;
		for (size_t i = 0; i < (count + 2) / 3 * 4; i++) {
			size_t at = i * 6 / 8, shift = i * 6 % 8;
			unsigned pair =
				(unsigned)bytes[at < count ? at : 0] << 8 | (at + 1 < count ? bytes[at + 1] : 0u);
			bool is_there = i * 6 < count * 8;
			assert_int_equal(found[i], is_there ? letters[pair >> (10 - shift) & 63] : '=');
		}
	}
	request_fini(&request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(commands_are_resp), cmocka_unit_test(base64_is_padded),
		cmocka_unit_test(base64_is_right_at_all_lengths)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* answer_test.c: what each answer carries. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "web/http/answer.h"

static char head[ANSWER_HEAD_MAX + 1];

static void format(const struct web_response *response, const char *etag)
{
	struct answer answer = {.response = response, .date = "now", .etag = etag, .body_bytes = 5, .keeps_open = true};

	head[answer_format(&answer, head)] = '\0';
}

static void each_answer_has_the_security_headers(void **state)
{
	static const int statuses[] = {200, 204, 304, 400, 404, 429, 500, 503};

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		format(&(struct web_response){.status = statuses[i]}, NULL);
		assert_non_null(strstr(head, "\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; "));
		assert_non_null(strstr(head, "frame-ancestors 'none'\r\n"));
		assert_non_null(strstr(head, "\r\nX-Content-Type-Options: nosniff\r\n"));
		assert_non_null(strstr(head, "\r\nReferrer-Policy: no-referrer\r\n"));
		assert_non_null(strstr(head, "\r\nCross-Origin-Opener-Policy: same-origin\r\n"));
		assert_non_null(strstr(head, "\r\nCross-Origin-Resource-Policy: same-origin\r\n"));
		assert_non_null(strstr(head, "\r\nCache-Control: no-store\r\n"));
		assert_null(strstr(head, "Access-Control"));
		assert_string_equal(head + strlen(head) - 4, "\r\n\r\n");
	}
}

static void lengths_stand_where_there_may_be_a_body(void **state)
{
	(void)state;
	format(&(struct web_response){.status = 200, .type = "text/plain"}, "\"x\"");
	assert_non_null(strstr(head, "\r\nContent-Length: 5\r\n"));
	assert_non_null(strstr(head, "\r\nContent-Type: text/plain\r\n"));
	assert_non_null(strstr(head, "\r\nETag: \"x\"\r\n"));
	assert_non_null(strstr(head, "\r\nCache-Control: no-cache\r\n"));
	format(&(struct web_response){.status = 304}, "\"x\"");
	assert_null(strstr(head, "Content-Length"));
	assert_non_null(strstr(head, "\r\nETag: \"x\"\r\n"));
	format(&(struct web_response){.status = 429, .retry_after_s = 7}, NULL);
	assert_non_null(strstr(head, "\r\nRetry-After: 7\r\n"));
	assert_memory_equal(head, "HTTP/1.1 429 Too Many Requests\r\n", 32);
}

static void no_header_splits_an_answer(void **state)
{
	struct web_response response = {.status = 200,
		.headers = {{"Location", "/a\r\nSet-Cookie: b"}, {"Allow", "GET"}, {"Cache-Control", "public"}}};

	(void)state;
	format(&response, NULL);
	assert_null(strstr(head, "Location"));
	assert_null(strstr(head, "Set-Cookie"));
	assert_non_null(strstr(head, "\r\nAllow: GET\r\n"));
	assert_non_null(strstr(head, "\r\nCache-Control: public\r\n"));
	assert_null(strstr(head, "no-store"));
	for (int i = 0; i < WEB_HEADERS_MAX; i++) {
		response.headers[i].name = "X-Long";
		memset(response.headers[i].value, 'x', sizeof(response.headers[i].value) - 1);
	}
	format(&response, NULL);
	assert_string_equal(head + strlen(head) - 4, "\r\n\r\n");
}

static void tags_are_compared_as_a_list(void **state)
{
	(void)state;
	assert_true(answer_has_etag("\"a\"", "\"a\""));
	assert_true(answer_has_etag("W/\"a\"", "\"a\""));
	assert_true(answer_has_etag("\"b,c\", \"a\"", "\"a\""));
	assert_true(answer_has_etag("*", "\"a\""));
	assert_false(answer_has_etag("\"b\"", "\"a\""));
	assert_false(answer_has_etag("\"a\"b", "\"a\""));
	assert_false(answer_has_etag("\"x, \"a", "\"a\""));
	assert_false(answer_has_etag("", "\"a\""));
}

static void an_etag_belongs_to_the_bytes(void **state)
{
	struct web_bytes *one = web_bytes_create("one", 3), *same = web_bytes_create("one", 3),
			 *two = web_bytes_create("two", 3);

	(void)state;
	assert_string_equal(answer_etag(one), answer_etag(same));
	assert_string_not_equal(answer_etag(one), answer_etag(two));
	assert_int_equal(strlen(one->etag), 18);
	web_bytes_release(one);
	web_bytes_release(same);
	web_bytes_release(two);
}

static void details_are_json(void **state)
{
	struct web_bytes *bytes = answer_detail("a \"b\"");

	(void)state;
	assert_int_equal(bytes->count, strlen("{\"detail\": \"a \\\"b\\\"\"}"));
	assert_memory_equal(bytes->data, "{\"detail\": \"a \\\"b\\\"\"}", bytes->count);
	web_bytes_release(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_answer_has_the_security_headers),
		cmocka_unit_test(lengths_stand_where_there_may_be_a_body),
		cmocka_unit_test(no_header_splits_an_answer),
		cmocka_unit_test(tags_are_compared_as_a_list),
		cmocka_unit_test(an_etag_belongs_to_the_bytes),
		cmocka_unit_test(details_are_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

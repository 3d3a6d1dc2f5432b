/* head_test.c: heads of requests that are taken, and those that can be read in two ways. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "web/http/head.h"

static char text[70000];
static struct head head;
static struct head_refusal refusal;

static bool parse(const char *request)
{
	memset(&refusal, 0, sizeof(refusal));
	strcpy(text, request);
	return head_parse(text, strlen(text), &head, &refusal);
}

static void what_is_read_is_handed_on(void **state)
{
	(void)state;
	assert_true(parse("GET /t/abc/clients?x=1 HTTP/1.1\r\nHost: lab:8000\r\nuser-agent:\t a b \t\r\nX-Any: \xff\r\n"
			  "AUTHORIZATION: Bearer x\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n\r\n"));
	assert_int_equal(head.method, WEB_GET);
	assert_string_equal(head.target.path, "/clients");
	assert_string_equal(head.target.token, "abc");
	assert_string_equal(head.target.query, "x=1");
	assert_string_equal(head.texts[HEAD_HOST], "lab:8000");
	assert_string_equal(head.texts[HEAD_USER_AGENT], "a b");
	assert_string_equal(head.texts[HEAD_AUTHORIZATION], "Bearer x");
	assert_string_equal(head.texts[HEAD_FORWARDED_FOR], "2.2.2.2");
	assert_null(head.texts[HEAD_COOKIE]);
	assert_true(head.keeps_open);
	assert_false(head.is_upgrade || head.has_no_body_back);
	assert_true(parse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 17\r\nExpect: 100-Continue\r\n\r\n"));
	assert_int_equal(head.method, WEB_POST);
	assert_int_equal(head.body_bytes, 17);
	assert_true(head.expects_continue);
	assert_true(parse("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_int_equal(head.method, WEB_GET);
	assert_true(head.has_no_body_back);
	assert_true(parse("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_int_equal(head.method, WEB_OTHER_METHOD);
}

/* Whoever is behind a program of this machine is not the user of that program: judge asks for it. */
static void what_came_through_a_proxy_is_known(void **state)
{
	static const char *const names[] = {"X-Forwarded-For", "x-forwarded-host", "X-Forwarded-Port",
		"X-FORWARDED-ANYTHING", "Forwarded", "Via", "X-Real-IP", "X-Admin-Access"};
	char request[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: a\r\n%s: x\r\nX-Y: z\r\n\r\n", names[i]);
		assert_true(parse(request));
		assert_true(head.is_forwarded);
	}
	assert_true(parse("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded: x\r\nViaduct: y\r\n\r\n"));
	assert_false(head.is_forwarded);
}

static void connections_end_as_asked(void **state)
{
	static const struct {
		const char *version, *header;
		bool keeps_open;
	} cases[] = {
		{"1.1", "", true},
		{"1.1", "Connection: close\r\n", false},
		{"1.1", "Connection: x, Close\r\n", false},
		{"1.1", "Connection: keep-alive\r\nConnection: close\r\n", false},
		{"1.1", "Connection: closed\r\n", true},
		{"1.0", "", false},
		{"1.0", "Connection: Keep-Alive\r\n", true},
	};
	char request[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(request, sizeof(request), "GET / HTTP/%s\r\nHost: a\r\n%s\r\n", cases[i].version,
			cases[i].header);
		assert_true(parse(request));
		assert_int_equal(head.keeps_open, cases[i].keeps_open);
	}
}

static void what_can_be_read_in_two_ways_is_refused(void **state)
{
#define LINE "GET / HTTP/1.1\r\n"
#define HOST LINE "Host: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
	static const struct {
		const char *request;
		int status;
	} cases[] = {
		{LINE "\r\n", 400},
		{HOST "Host: a\r\n\r\n", 400},
		{HOST "host: b\r\n\r\n", 400},
		{LINE "Host:\r\n\r\n", 400},
		{LINE "Host: a b\r\n\r\n", 400},
		{LINE "Host: a/b\r\n\r\n", 400},
		{LINE "Host: a@b\r\n\r\n", 400},
		{POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400},
		{POST "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400},
		{POST "Content-Length: 3, 3\r\n\r\n", 400},
		{POST "Content-Length: -1\r\n\r\n", 400},
		{POST "Content-Length: +3\r\n\r\n", 400},
		{POST "Content-Length: 0x3\r\n\r\n", 400},
		{POST "Content-Length: 3 3\r\n\r\n", 400},
		{POST "Content-Length:\r\n\r\n", 400},
		{POST "Content-Length: 9999999999999999999999\r\n\r\n", 400},
		{POST "Transfer-Encoding: chunked\r\n\r\n", 400},
		{POST "Transfer-Encoding: identity\r\n\r\n", 400},
		{POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
		{POST "Transfer-Encoding : chunked\r\n\r\n", 400},
		{HOST "Authorization: a\r\nAuthorization: a\r\n\r\n", 400},
		{HOST "Cookie: a=1\r\nCookie: b=2\r\n\r\n", 400},
		{HOST "Origin: a\r\nOrigin: b\r\n\r\n", 400},
		{HOST "Content-Type: a\r\ncontent-type: b\r\n\r\n", 400},
		{HOST "X-ENRGDAQ-CSRF: a\r\nX-Enrgdaq-Csrf: b\r\n\r\n", 400},
		{HOST "X: a\r\n folded\r\n\r\n", 400},
		{HOST "X : a\r\n\r\n", 400},
		{HOST ": a\r\n\r\n", 400},
		{HOST "X\r\n\r\n", 400},
		{HOST "X: a\rb\r\n\r\n", 400},
		{HOST "X: a\nY: b\r\n\r\n", 400},
		{HOST "X: a\x01\r\n\r\n", 400},
		{HOST "X: a\x7f\r\n\r\n", 400},
		{HOST "Origin: \xff\r\n\r\n", 400},
		{"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET / HTTP/1.1 x\r\nHost: a\r\n\r\n", 400},
		{"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET /\r\nHost: a\r\n\r\n", 400},
		{"GET / HTTPS/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
		{"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"\r\n\r\n", 400},
		{"PRI * HTTP/2.0\r\n\r\n", 505},
		{"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
		{"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
		{POST "Expect: something\r\n\r\n", 417},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (parse(cases[i].request))
			fail_msg("taken: %s", cases[i].request);
		if (refusal.status != cases[i].status)
			fail_msg("%d for: %s", refusal.status, cases[i].request);
		assert_non_null(refusal.detail);
	}
}

static void a_nul_is_refused(void **state)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n";

	(void)state;
	memcpy(text, request, sizeof(request));
	assert_false(head_parse(text, sizeof(request) - 1, &head, &refusal));
	assert_int_equal(refusal.status, 400);
}

static void what_is_too_long_is_refused(void **state)
{
	static char request[20000];
	size_t at;

	(void)state;
	memset(request, 'a', sizeof(request));
	memcpy(request, "GET /", 5);
	strcpy(request + 5 + HEAD_TARGET_MAX, " HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_false(parse(request));
	assert_int_equal(refusal.status, 414);
	strcpy(request + 4 + HEAD_TARGET_MAX, " HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(parse(request));
	for (int lines = HEAD_LINES_MAX; lines <= HEAD_LINES_MAX + 1; lines++) {
		at = (size_t)sprintf(request, "GET / HTTP/1.1\r\nHost: a\r\n");
		for (int i = 1; i < lines; i++)
			at += (size_t)sprintf(request + at, "X: a\r\n");
		strcpy(request + at, "\r\n");
		assert_int_equal(parse(request), lines == HEAD_LINES_MAX);
	}
	assert_int_equal(refusal.status, 431);
}

static void a_websocket_needs_all_its_headers(void **state)
{
#define KEY  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define ASKS "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
	static const struct {
		const char *request;
		int status; /* 0: a WebSocket; 200: not one, and taken */
	} cases[] = {
		{HOST ASKS KEY "Sec-WebSocket-Version: 13\r\n\r\n", 0},
		{HOST "upgrade: WebSocket\r\nconnection: upgrade\r\n" KEY "Sec-WebSocket-Version: 13\r\n\r\n", 0},
		{HOST "Upgrade: websocket\r\n" KEY "Sec-WebSocket-Version: 13\r\n\r\n", 200},
		{HOST "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
			200},
		{HOST "Upgrade: websocketx\r\nConnection: Upgrade\r\n\r\n", 200},
		{HOST ASKS KEY "Sec-WebSocket-Version: 8\r\n\r\n", 426},
		{HOST ASKS KEY "\r\n", 426},
		{HOST ASKS "Sec-WebSocket-Version: 13\r\n\r\n", 400},
		{HOST ASKS "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\nSec-WebSocket-Version: 13\r\n\r\n", 400},
		{HOST ASKS "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub2 jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", 400},
		{HOST ASKS KEY KEY "Sec-WebSocket-Version: 13\r\n\r\n", 400},
		{HOST ASKS KEY "Sec-WebSocket-Version: 13\r\nContent-Length: 1\r\n\r\n", 400},
		{POST ASKS KEY "Sec-WebSocket-Version: 13\r\n\r\n", 400},
		{"GET / HTTP/1.0\r\nHost: a\r\n" ASKS KEY "Sec-WebSocket-Version: 13\r\n\r\n", 400},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool is_good = parse(cases[i].request);
		int status = !is_good ? refusal.status : head.is_upgrade ? 0 : 200;
		if (status != cases[i].status)
			fail_msg("%d for: %s", status, cases[i].request);
	}
}

static void the_end_is_found_however_it_arrives(void **state)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET";
	size_t count = strlen(request), end = count - 3;

	(void)state;
	for (size_t first = 0; first <= count; first++) {
		size_t found = head_find_end(request, first, 0);
		assert_int_equal(found, first < end ? 0 : end);
		if (!found)
			assert_int_equal(head_find_end(request, count, first), end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_handed_on),
		cmocka_unit_test(what_came_through_a_proxy_is_known),
		cmocka_unit_test(connections_end_as_asked),
		cmocka_unit_test(what_can_be_read_in_two_ways_is_refused),
		cmocka_unit_test(a_nul_is_refused),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(a_websocket_needs_all_its_headers),
		cmocka_unit_test(the_end_is_found_however_it_arrives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

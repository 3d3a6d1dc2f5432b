/* http_test.c: requests to receivers that are honest, that lie, hang and redirect, and to names that resolve to where
 * nothing may be sent. The receiver is a thread of this test. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "http/http.h"

static const char *const loopback[] = {"127.0.0.0/8", "::1"};

/* Answers each connection with `answer`, then closes it, or, where it `hangs`, leaves it open. */
static struct receiver {
	int listener;
	uint16_t port;
	const char *answer;
	bool hangs, is_endless;
	_Atomic int connections;
	_Atomic bool is_ending;
	char request[4096];
	pthread_t thread;
} f;

static void read_request(int peer)
{
	struct pollfd entry = {.fd = peer, .events = POLLIN};
	size_t count = 0;
	ssize_t got;

	memset(f.request, 0, sizeof(f.request));
	while (poll(&entry, 1, 2000) == 1 && (got = read(peer, f.request + count, sizeof(f.request) - 1 - count)) > 0) {
		count += (size_t)got;
		const char *body = strstr(f.request, "\r\n\r\n"), *length = strstr(f.request, "Content-Length: ");
		if (body && (!length || strlen(body + 4) >= (size_t)atol(length + 16)))
			return;
	}
}

static void *receive(void *context)
{
	int open_peers[16], count = 0;

	(void)context;
	while (!f.is_ending) {
		struct pollfd entry = {.fd = f.listener, .events = POLLIN};
		if (poll(&entry, 1, 20) != 1)
			continue;
		int peer = accept(f.listener, NULL, NULL);
		read_request(peer);
		f.connections++;
		if (write(peer, f.answer, strlen(f.answer)) < 0)
			break;
		for (int i = 0; f.is_endless && i < 4000; i++)
			if (write(peer, f.answer, strlen(f.answer)) < 0)
				break;
		if (f.hangs && count < 16)
			open_peers[count++] = peer;
		else
			close(peer);
	}
	while (count)
		close(open_peers[--count]);
	return NULL;
}

static int set_up(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t bytes = sizeof(address);

	(void)state;
	f = (struct receiver){.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};
	f.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f.listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(f.listener, 16), 0);
	assert_int_equal(getsockname(f.listener, (struct sockaddr *)&address, &bytes), 0);
	f.port = ntohs(address.sin_port);
	return pthread_create(&f.thread, NULL, receive, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	f.is_ending = true;
	pthread_join(f.thread, NULL);
	return close(f.listener);
}

static struct http_options options_of(size_t listed)
{
	return (struct http_options){.timeout_seconds = 5, .allow_private = {listed, loopback}};
}

/* To HOST, which resolves to `address` where that is given. */
static int post(const char *host, const char *address, const struct http_options *options,
	struct http_result *ret_result, struct enrg_error *err)
{
	char url[300], resolve[300];
	const char *headers[] = {"Content-Type: application/json", "X-Test: 1"};
	const struct http_request request = {.options = options,
		.url = url,
		.body = "{\"a\":1}",
		.body_bytes = 7,
		.headers = headers,
		.header_count = 2,
		.resolve = address ? resolve : NULL};

	snprintf(url, sizeof(url), "http://%s:%u/secret-path", host, f.port);
	snprintf(resolve, sizeof(resolve), "%s:%u:%s", host, f.port, address ? address : "");
	return http_send(&request, ret_result, err);
}

static int post_here(struct http_result *ret_result, struct enrg_error *err)
{
	const struct http_options options = options_of(2);

	return post("127.0.0.1", NULL, &options, ret_result, err);
}

static void what_is_sent_arrives(void **state)
{
	struct http_result result;
	struct enrg_error err = {0};
	const struct http_options options = options_of(2);
	char url[64];

	(void)state;
	assert_int_equal(post_here(&result, &err), 0);
	assert_int_equal(result.status, 200);
	assert_int_equal(strncmp(f.request, "POST /secret-path HTTP/1.1\r\n", 28), 0);
	assert_non_null(strstr(f.request, "\r\nX-Test: 1\r\n"));
	assert_non_null(strstr(f.request, "\r\nUser-Agent: enrgdaq\r\n"));
	assert_non_null(strstr(f.request, "\r\n\r\n{\"a\":1}"));
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/beat", f.port);
	assert_int_equal(http_send(&(const struct http_request){.options = &options, .url = url}, &result, &err), 0);
	assert_int_equal(strncmp(f.request, "GET /beat HTTP/1.1\r\n", 20), 0);
}

static void an_answer_is_judged_by_its_status(void **state)
{
	static const struct {
		const char *answer;
		int rc;
		const char *text;
	} cases[] = {
		{"HTTP/1.1 204 No Content\r\n\r\n", 0, ""},
		{"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\ncut", 0, ""},
		{"HTTP/1.1 500 Oops\r\nContent-Length: 6\r\n\r\nsecret", -EREMOTEIO, "127.0.0.1 answers 500"},
		{"HTTP/1.1 429 Slow\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n", -EREMOTEIO, "answers 429"},
		{"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", -EBADMSG, "refuses what was sent (status 400)"},
		{"HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n", -EPERM, "was revoked"},
		{"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", -EXDEV, "a redirect"},
		{"", -EHOSTUNREACH, "127.0.0.1: "},
		{"HTTP/1.1 200", -EHOSTUNREACH, NULL},
		{"lies\r\n\r\n", -EHOSTUNREACH, "127.0.0.1: "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_result result;
		struct enrg_error err = {0};
		f.answer = cases[i].answer;
		int rc = post_here(&result, &err);
		if (!cases[i].text) /* how much of a status line is one is libcurl's to say */
			continue;
		if (rc != cases[i].rc || !strstr(err.text, cases[i].text) || strstr(err.text, "secret"))
			fail_msg("%s: %d, %s", cases[i].answer, rc, err.text);
		assert_int_equal(result.retry_after_s, result.status == 429 ? 30 : 0);
	}
	assert_int_equal(f.connections, sizeof(cases) / sizeof(cases[0]));
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void what_hangs_ends_in_time(void **state)
{
	const char *const answers[] = {"", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 "};
	struct http_options options = options_of(2);
	struct http_result result;
	struct enrg_error err = {0};

	(void)state;
	f.hangs = true;
	options.timeout_seconds = 0.2;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		f.answer = answers[i];
		double before = seconds();
		assert_int_equal(post("127.0.0.1", NULL, &options, &result, &err), -ETIMEDOUT);
		assert_true(seconds() - before < 4); /* a busy machine */
	}
}

static void an_endless_answer_ends(void **state)
{
	struct http_result result;
	struct enrg_error err = {0};

	(void)state;
	f.answer = "HTTP/1.1 200 OK\r\n\r\n................................................................";
	f.is_endless = true;
	assert_int_equal(post_here(&result, &err), 0);
}

static void a_job_that_ends_does_not_wait(void **state)
{
	static const _Atomic bool is_ending = true;
	const struct http_options options = options_of(2);
	struct http_request request = {.options = &options, .is_ending = &is_ending};
	struct http_result result;
	struct enrg_error err = {0};
	char url[64];

	(void)state;
	f.hangs = true;
	f.answer = "";
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", f.port);
	request.url = url;
	double before = seconds();
	assert_int_equal(http_send(&request, &result, &err), -ECANCELED);
	assert_true(seconds() - before < 4);
}

/* The name is what a configuration allows; what it resolves to is not. */
static void a_name_is_judged_by_what_it_resolves_to(void **state)
{
	const struct http_options none = options_of(0), listed = options_of(2);
	struct http_result result;
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(post("hooks.test", "169.254.169.254", &listed, &result, &err), -EACCES);
	assert_non_null(strstr(err.text, "hooks.test: 169.254.169.254 is the metadata service of a cloud"));
	assert_int_equal(post("hooks.test", "[::ffff:169.254.169.254]", &listed, &result, &err), -EACCES);
	assert_int_equal(post("hooks.test", "[fe80::1]", &listed, &result, &err), -EACCES);
	assert_int_equal(post("hooks.test", "127.0.0.1", &none, &result, &err), -EACCES);
	assert_non_null(strstr(err.text, "127.0.0.1 is a loopback address"));
	assert_int_equal(post("hooks.test", "[::ffff:127.0.0.1]", &none, &result, &err), -EACCES);
	assert_int_equal(post("hooks.test", "0.0.0.0", &listed, &result, &err), -EACCES);
	assert_int_equal(post("2130706433", NULL, &none, &result, &err), -EACCES);
	assert_int_equal(post("0x7f.1", NULL, &none, &result, &err), -EACCES);
	assert_int_equal(post("localhost", NULL, &none, &result, &err), -EACCES);
	assert_int_equal(f.connections, 0);
	/* of several addresses the one that is allowed is taken */
	assert_int_equal(post("hooks.test", "169.254.169.254,127.0.0.1", &listed, &result, &err), 0);
	assert_int_equal(f.connections, 1);
}

/* http_proxy would have the proxy connect, past all that is judged here. */
static void no_proxy_of_the_environment_is_used(void **state)
{
	struct http_result result;
	struct enrg_error err = {0};

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	assert_int_equal(post_here(&result, &err), 0);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
}

static void urls_and_headers_are_checked(void **state)
{
	static const char *const bad[] = {"", "hooks", "ftp://example.org/", "file:///etc/passwd", "gopher://x/",
		"http://", "http://exa mple.org/", "https://example.org/\r\nX: y", "http://169.254.169.254/latest",
		"http://[fe80::1]/", "http://127.0.0.1/", "http://2130706433/", "http://[::ffff:10.0.0.1]/"};
	static const char *const good[] = {"https://hooks.slack.com/services/T/B/x", "http://example.org:8080/a?b=c"};
	const struct http_options none = options_of(0), listed = options_of(2);
	struct enrg_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (http_check_url(bad[i], "url", &none, &err) != ENRG_E_CONFIG)
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(strncmp(err.text, "url: ", 5), 0);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(http_check_url(good[i], "url", &none, &err), 0);
	assert_int_equal(http_check_url("http://127.0.0.1/", "url", &listed, &err), 0);
	assert_int_equal(http_check_header("X-A_1", "tab is none", "headers", &err), 0);
	assert_int_equal(http_check_header("X A", "b", "headers", &err), ENRG_E_CONFIG);
	assert_int_equal(http_check_header("X:A", "b", "headers", &err), ENRG_E_CONFIG);
	assert_int_equal(http_check_header("", "b", "headers", &err), ENRG_E_CONFIG);
	assert_int_equal(http_check_header("X-A", "b\r\nX-B: c", "headers", &err), ENRG_E_CONFIG);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_sent_arrives),
		TEST(an_answer_is_judged_by_its_status),
		TEST(what_hangs_ends_in_time),
		TEST(an_endless_answer_ends),
		TEST(a_job_that_ends_does_not_wait),
		TEST(a_name_is_judged_by_what_it_resolves_to),
		TEST(no_proxy_of_the_environment_is_used),
		TEST(urls_and_headers_are_checked),
	};

	return http_init(NULL) ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

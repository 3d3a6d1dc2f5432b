/* server_test.c: requests over real sockets: in pieces, behind each other, answered later, refused; and what becomes of
 * those that nobody waits for. */
#include "fixtures/http_server.h"

#include <dirent.h>
#include <fcntl.h>

static struct reply reply;

static int serve_as_usual(void **state)
{
	static const char *const proxies[] = {"127.0.0.9", "::1", NULL};

	(void)state;
	return serve(&(struct http_params){.proxies = proxies, .limits = {.body_bytes = 100000}});
}

static void a_request_is_handed_on_and_answered(void **state)
{
	int client = connect_client();

	(void)state;
	assert_int_equal(ask(client, GET("/t/abc/x//y?a=1"), &reply), 200);
	assert_string_equal(
		reply.body, "GET /x/y?a=1 token=abc host=localhost body=0: from=127.0.0.1 proto=http loopback");
	assert_non_null(strstr(reply.head, "\r\nX-Content-Type-Options: nosniff\r\n"));
	assert_non_null(strstr(reply.head, "\r\nConnection: keep-alive\r\n"));
	assert_int_equal(ask(client, "POST /p HTTP/1.1\r\nHost: a:1\r\nContent-Length: 4\r\n\r\nabcd", &reply), 200);
	assert_string_equal(reply.body, "POST /p? token= host=a:1 body=4:abcd from=127.0.0.1 proto=http loopback");
	assert_int_equal(ask(client, "DELETE /p HTTP/1.1\r\nHost: a\r\n\r\n", &reply), 200);
	assert_memory_equal(reply.body, "other /p?", 9);
	send_text(client, "HEAD /p HTTP/1.1\r\nHost: a\r\n\r\n");
	read_reply(client, false, &reply);
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.head, "\r\nContent-Length: 64\r\n"));
	assert_int_equal(ask(client, "\r\n" GET("/later"), &reply), 200); /* an empty line before it */
	assert_string_equal(reply.body, "later");
	assert_int_equal(ask(client, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", &reply), 200);
	assert_non_null(strstr(reply.head, "\r\nConnection: close\r\n"));
	assert_true(is_ended(client));
	close(client);
}

static void answers_keep_the_order_of_requests(void **state)
{
	static const char *const paths[] = {"/later", "/a", "/large", "/b"};
	char requests[8000];
	size_t at = 0;
	int client = connect_client();

	(void)state;
	for (int i = 0; i < 80; i++)
		at += (size_t)sprintf(
			requests + at, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", paths[i % 4]);
	assert_true(send_bytes(client, requests, at));
	for (int i = 0; i < 80; i++) {
		read_reply(client, true, &reply);
		assert_int_equal(reply.status, 200);
		if (i % 4 == 0)
			assert_string_equal(reply.body, "later");
		else if (i % 4 == 2)
			assert_int_equal(reply.body_bytes, 4 << 20);
		else
			assert_memory_equal(reply.body + 5, paths[i % 4], 2);
	}
	close(client);
}

static void requests_may_come_byte_by_byte(void **state)
{
	static const char request[] = "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde" GET("/later");
	int client = connect_client(), on = 1;

	(void)state;
	setsockopt(client, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof(on));
	for (size_t i = 0; i < sizeof(request) - 1; i++)
		assert_true(send_bytes(client, request + i, 1));
	read_reply(client, true, &reply);
	assert_memory_equal(reply.body, "POST /p? token= host=a body=5:abcde", 35);
	read_reply(client, true, &reply);
	assert_string_equal(reply.body, "later");
	close(client);
}

static void both_loopback_addresses_are_listened_at(void **state)
{
	struct sockaddr_in6 address = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = htons(served.port)};
	int client = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	int rc = client < 0 ? -1 : connect(client, (struct sockaddr *)&address, sizeof(address));
	if (rc && (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT || errno == ENETUNREACH))
		skip(); /* this machine has no IPv6 */
	assert_int_equal(rc, 0);
	assert_int_equal(ask(client, GET("/"), &reply), 200);
	assert_string_equal(strstr(reply.body, "from="), "from=::1 proto=http loopback proxied");
	close(client);
}

/* As `printf … | nc -N` does it. */
static void who_says_no_more_is_answered(void **state)
{
	static const char *const requests[] = {GET("/a"), GET("/later"), GET("/large")};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		int client = connect_client();
		send_text(client, requests[i]);
		shutdown(client, SHUT_WR);
		read_reply(client, true, &reply);
		assert_int_equal(reply.status, 200);
		assert_true(is_ended(client));
		close(client);
	}
}

static void bodies_go_up_to_the_limit(void **state)
{
	static char body[1 << 20];
	int client = connect_client(), small = 65536;

	(void)state;
	memset(body, 'x', sizeof(body));
	send_text(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
	assert_true(send_bytes(client, body, 100000));
	read_reply(client, true, &reply);
	assert_non_null(strstr(reply.body, "body=100000:xxxx"));
	send_text(client, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	read_reply(client, true, &reply);
	assert_int_equal(reply.status, 100);
	assert_int_equal(ask(client, "abc", &reply), 200);
	assert_non_null(strstr(reply.body, "body=3:abc"));
	/* the refusal arrives although the body is on its way */
	setsockopt(client, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	send_text(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3145728\r\n\r\n");
	for (int i = 0; i < 3; i++)
		assert_true(send_bytes(client, body, sizeof(body)));
	read_reply(client, true, &reply);
	assert_int_equal(reply.status, 413);
	assert_non_null(strstr(reply.head, "\r\nConnection: close\r\n"));
	assert_non_null(strstr(reply.body, "{\"detail\": "));
	assert_true(is_ended(client));
	close(client);
}

static void what_can_be_read_in_two_ways_ends_the_connection(void **state)
{
	static const struct {
		const char *request;
		int status;
	} cases[] = {
		{"GET / HTTP/1.1\r\n\r\n", 400}, {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc", 400},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\nabc", 400},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nCookie: a\r\nCookie: b\r\n\r\n", 400},
		{"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET /../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET /%2e%2e/etc HTTP/1.1\r\nHost: a\r\n\r\n", 400}, {"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n", 400}, {"GET / HTTP/1.1\nHost: a\n\r\n\r\n", 400},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
		{"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400}, /* TLS to a plain port */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int client = connect_client();
		uint64_t before = count_answers(cases[i].status);
		/* what is smuggled behind it is never answered */
		send_text(client, cases[i].request);
		send_text(client, GET("/smuggled"));
		read_reply(client, true, &reply);
		if (reply.status != cases[i].status)
			fail_msg("%d for: %s", reply.status, cases[i].request);
		assert_non_null(strstr(reply.head, "\r\nContent-Security-Policy: default-src 'none'"));
		assert_non_null(strstr(reply.body, "{\"detail\": "));
		assert_true(is_ended(client));
		assert_int_equal(count_answers(cases[i].status), before + 1);
		close(client);
	}
}

static void heads_are_bounded(void **state)
{
	static char large[40000];
	int client = connect_client();

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	send_text(client, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	send_text(client, large);
	read_reply(client, true, &reply);
	assert_int_equal(reply.status, 431);
	assert_true(is_ended(client));
	close(client);
}

static void no_upgrade_but_one_changes_the_protocol(void **state)
{
	int client = connect_client();

	(void)state;
	assert_int_equal(ask(client,
				 "GET /x HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
				 "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
				 &reply),
		200);
	assert_memory_equal(reply.body, "GET /x?", 7);
	assert_int_equal(ask(client,
				 "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: "
				 "Upgrade\r\nSec-WebSocket-Version: 7\r\n\r\n",
				 &reply),
		426);
	assert_non_null(strstr(reply.head, "\r\nSec-WebSocket-Version: 13\r\n"));
	close(client);
}

static void unchanged_bodies_are_not_sent_again(void **state)
{
	char request[200], tag[19];
	int client = connect_client();

	(void)state;
	assert_int_equal(ask(client, GET("/tagged"), &reply), 200);
	assert_non_null(strstr(reply.head, "\r\nCache-Control: no-cache\r\n"));
	memcpy(tag, strstr(reply.head, "\r\nETag: ") + 8, 18);
	tag[18] = '\0';
	snprintf(request, sizeof(request), "GET /tagged HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\", %s\r\n\r\n", tag);
	assert_int_equal(ask(client, request, &reply), 304);
	assert_int_equal(reply.body_bytes, 0);
	assert_non_null(strstr(reply.head, tag));
	assert_int_equal(ask(client, "GET /tagged HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\"\r\n\r\n", &reply), 200);
	assert_string_equal(reply.body, "tagged");
	close(client);
}

static void who_goes_away_is_forgotten(void **state)
{
	struct reply other;

	(void)state;
	for (int i = 0; i < 20; i++) {
		int client = connect_client();
		struct linger reset = {.l_onoff = 1};
		atomic_store(&served.kept, 0);
		send_text(client, GET("/keep"));
		while (!atomic_load(&served.kept))
			usleep(1000);
		if (i % 2)
			setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(client);
		if (i % 2) /* a reset is seen at once, else when the answer does not get through */
			wait_for_connections(0);
		/* whoever answers may still be reading it */
		assert_int_equal(served.kept_request->id, atomic_load(&served.kept));
		assert_string_equal(served.kept_request->path, "/keep");
		answer_text(atomic_load(&served.kept), 200, "nobody is there");
		answer_text(atomic_load(&served.kept), 200, "a second time");
	}
	int client = connect_client();
	assert_int_equal(ask(client, GET("/later"), &other), 200);
	close(client);
	wait_for_connections(0);
}

static void who_stands_behind_a_proxy_is_known(void **state)
{
	static const struct {
		const char *from, *headers, *seen;
	} cases[] = {
		{"127.0.0.1", "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n",
			"from=127.0.0.1 proto=http loopback"},
		{"127.0.0.9", "", "from=127.0.0.9 proto=http loopback proxied"},
		{"127.0.0.9", "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n",
			"from=192.0.2.1 proto=https loopback proxied"},
		{"127.0.0.9", "X-Forwarded-For: 203.0.113.9, 192.0.2.1:4711\r\n",
			"from=192.0.2.1 proto=http loopback proxied"},
		{"127.0.0.9", "X-Forwarded-For: 192.0.2.1, ::1\r\n", "from=192.0.2.1 proto=http loopback proxied"},
		{"127.0.0.9", "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n",
			"from=192.0.2.2 proto=http loopback proxied"},
		{"127.0.0.9", "X-Forwarded-For: [2001:db8::7]:80\r\n", "from=2001:db8::7 proto=http loopback proxied"},
		{"127.0.0.9", "X-Forwarded-For: <script>\r\n", "from=127.0.0.9 proto=http loopback proxied"},
	};
	char request[400];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int client = connect_from(cases[i].from, "127.0.0.1");
		snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", cases[i].headers);
		assert_int_equal(ask(client, request, &reply), 200);
		assert_string_equal(strstr(reply.body, "from="), cases[i].seen);
		close(client);
	}
}

static bool is_inherited[1024]; /* by this program */

static int count_open(bool *ret_all_close_on_exec)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	*ret_all_close_on_exec = true;
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		int descriptor = atoi(entry->d_name);
		if (entry->d_name[0] == '.' || descriptor > 1023 || is_inherited[descriptor])
			continue;
		count++;
		*ret_all_close_on_exec &= (fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0;
	}
	closedir(folder);
	return count;
}

static void no_descriptor_stays_or_is_inherited(void **state)
{
	bool is_good;
	int client = connect_client();

	(void)state;
	assert_int_equal(ask(client, GET("/"), &reply), 200);
	int before = count_open(&is_good);
	assert_true(is_good);
	for (int i = 0; i < 300; i++) {
		int other = connect_client();
		if (i % 3)
			assert_int_equal(
				ask(other, i % 3 == 1 ? GET("/") : "x\r\n\r\n", &reply), i % 3 == 1 ? 200 : 400);
		close(other);
	}
	wait_for_connections(1);
	assert_int_equal(count_open(&is_good), before);
	assert_true(is_good);
	close(client);
}

static void the_loop_turns_without_work(void **state)
{
	unsigned before = atomic_load(&served.turns);

	(void)state;
	while (atomic_load(&served.turns) < before + 3) /* at least each 100 ms */
		usleep(1000);
	http_wake(served.http);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_handed_on_and_answered),
		cmocka_unit_test(answers_keep_the_order_of_requests),
		cmocka_unit_test(requests_may_come_byte_by_byte),
		cmocka_unit_test(both_loopback_addresses_are_listened_at),
		cmocka_unit_test(who_says_no_more_is_answered),
		cmocka_unit_test(bodies_go_up_to_the_limit),
		cmocka_unit_test(what_can_be_read_in_two_ways_ends_the_connection),
		cmocka_unit_test(heads_are_bounded),
		cmocka_unit_test(no_upgrade_but_one_changes_the_protocol),
		cmocka_unit_test(unchanged_bodies_are_not_sent_again),
		cmocka_unit_test(who_goes_away_is_forgotten),
		cmocka_unit_test(who_stands_behind_a_proxy_is_known),
		cmocka_unit_test(no_descriptor_stays_or_is_inherited),
		cmocka_unit_test(the_loop_turns_without_work),
	};

	for (int i = 0; i < 1024; i++)
		is_inherited[i] = fcntl(i, F_GETFD) >= 0;
	return cmocka_run_group_tests(tests, serve_as_usual, serve_no_more);
}

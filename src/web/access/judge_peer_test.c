/* judge_peer_test.c: the user at the other end of a loopback connection, and the pages in that user's browser;
 * WebSockets. */
#include "web/access/judge_sample.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

struct loop {
	int listener, client, accepted;
	struct web_request request;
};

static void open_loop(struct loop *loop, enum web_method method)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t bytes = sizeof(address);
	static uint64_t connections = 100;

	loop->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(loop->listener, (struct sockaddr *)&address, bytes), 0);
	assert_int_equal(listen(loop->listener, 1), 0);
	assert_int_equal(getsockname(loop->listener, (struct sockaddr *)&address, &bytes), 0);
	loop->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(loop->client, (struct sockaddr *)&address, bytes), 0);
	loop->request = sample_request(method, "/x");
	loop->request.server_port = ntohs(address.sin_port);
	loop->request.server_address = "127.0.0.1";
	loop->request.host = "localhost:8000";
	loop->accepted = accept(loop->listener, (struct sockaddr *)&address, &bytes);
	assert_true(loop->accepted >= 0);
	loop->request.peer_port = ntohs(address.sin_port);
	loop->request.connection = connections++;
	strcpy(loop->request.peer_address, "127.0.0.1");
	strcpy(loop->request.address, "127.0.0.1");
	loop->request.is_loopback = true;
}

static void close_loop(struct loop *loop)
{
	close(loop->client);
	close(loop->accepted);
	close(loop->listener);
}

static void the_own_user_is_admin_on_loopback(void **state)
{
	struct loop loop;

	(void)state;
	open_loop(&loop, WEB_POST);
	struct access_verdict verdict = judge(&loop.request, ACCESS_ADMIN, true);
	assert_int_equal(verdict.status, 0);
	assert_int_equal(verdict.who.way, ACCESS_BY_PEER);
	assert_true(*verdict.who.name);
	loop.request.is_loopback = false;
	assert_int_equal(judge_status(&loop.request, ACCESS_VISITOR, true), 401);
	loop.request.is_loopback = true;
	access_under_test->owner = getuid() + 1; /* somebody else's system */
	loop.request.connection++;
	assert_int_equal(judge_status(&loop.request, ACCESS_VISITOR, true), 401);
	access_under_test->owner = getuid();
	assert_int_equal(judge_status(&loop.request, ACCESS_VISITOR, true), 0);
	loop.request.is_proxied = true; /* whoever is behind a proxy is not its user */
	assert_int_equal(judge_status(&loop.request, ACCESS_VISITOR, true), 401);
	loop.request.is_proxied = false;
	loop.request.is_forwarded = true;
	assert_int_equal(judge_status(&loop.request, ACCESS_VISITOR, true), 401);
	loop.request.is_forwarded = false;
	loop.request.authorization = bearer(visitor_token); /* what is shown counts, and no other */
	assert_int_equal(judge_status(&loop.request, ACCESS_USER, true), 403);
	close_loop(&loop);
}

/* A page of somebody else in a browser of the own user on this machine is the attack to fear. */
static void a_page_in_the_own_users_browser_is_refused(void **state)
{
	static const struct {
		const char *host, *origin, *fetch_site, *type;
		int status;
	} rows[] = {{"localhost:8000", NULL, NULL, "application/json", 0}, /* a script */
		{"localhost:8000", "http://localhost:8000", "same-origin", "application/json", 0},
		{"localhost:8000", "http://evil.example", "cross-site", "application/json", 403},
		{"localhost:8000", "http://evil.example", NULL, "text/plain", 403},
		{"localhost:8000", "http://localhost:3000", "same-site", "application/json", 403},
		{"localhost:8000", NULL, "cross-site", "application/json", 403},
		{"localhost:8000", "null", NULL, "application/json", 403},
		{"evil.example:8000", "http://evil.example:8000", "same-origin", "application/json", 403}, /* rebound */
		{"localhost:8000", NULL, NULL, "text/plain", 415}, /* a browser of long ago */
		{"localhost:8000", NULL, NULL, "application/x-www-form-urlencoded", 415},
		{"localhost:8000", NULL, NULL, NULL, 415}};
	struct loop loop;

	(void)state;
	open_loop(&loop, WEB_POST);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		loop.request.host = rows[i].host;
		loop.request.origin = rows[i].origin;
		loop.request.fetch_site = rows[i].fetch_site;
		loop.request.content_type = rows[i].type;
		if (judge_status(&loop.request, ACCESS_ADMIN, true) != rows[i].status)
			fail_msg("row %zu", i);
	}
	loop.request.origin = loop.request.fetch_site = loop.request.content_type = NULL;
	loop.request.body_bytes = 0; /* curl -X POST */
	assert_int_equal(judge_status(&loop.request, ACCESS_ADMIN, true), 0);
	loop.request.origin = "http://evil.example"; /* as every browser says it */
	assert_int_equal(judge_status(&loop.request, ACCESS_ADMIN, true), 403);
	loop.request.origin = NULL;
	loop.request.content_type = "application/x-www-form-urlencoded"; /* what a form could be made to send */
	assert_int_equal(judge_status(&loop.request, ACCESS_ADMIN, true), 415);
	close_loop(&loop);
	open_loop(&loop, WEB_GET);
	loop.request.fetch_site = "cross-site";
	loop.request.fetch_mode = "no-cors"; /* an image, a script */
	assert_int_equal(judge_status(&loop.request, ACCESS_NOBODY, false), 403);
	loop.request.fetch_mode = "navigate";
	assert_int_equal(judge_status(&loop.request, ACCESS_VISITOR, false), 401);
	close_loop(&loop);
}

static void a_socket_that_is_gone_is_nobody(void **state)
{
	struct loop loop;

	(void)state;
	open_loop(&loop, WEB_GET);
	assert_int_equal(judge_status(&loop.request, ACCESS_VISITOR, false), 0);
	close(loop.client);
	loop.request.connection += ACCESS_PEERS; /* another one: what is known of the first is not of it */
	assert_int_equal(judge_status(&loop.request, ACCESS_VISITOR, false), 401);
	close(loop.accepted);
	close(loop.listener);
}

/* --- WebSockets --- */

static void sockets_need_an_origin_or_a_token(void **state)
{
	struct web_request request = sample_request(WEB_GET, "/api/v1/live");
	char cookie[ACCESS_COOKIE_BYTES];
	struct loop loop;

	(void)state;
	request.is_upgrade = true;
	request.authorization = bearer(user_token);
	assert_int_equal(judge_status(&request, ACCESS_VISITOR, false), 0);
	request.origin = "http://evil.example";
	assert_int_equal(judge_status(&request, ACCESS_VISITOR, false), 403);
	request.origin = request.authorization = NULL;
	log_in(&request, cookie);
	request.cookie = cookie;
	assert_int_equal(judge_status(&request, ACCESS_VISITOR, false), 403);
	request.origin = "http://10.1.2.3:8000";
	assert_int_equal(judge_status(&request, ACCESS_VISITOR, false), 0);
	request.fetch_site = "cross-site";
	request.fetch_mode = "navigate";
	request.origin = NULL;
	assert_int_equal(judge_status(&request, ACCESS_VISITOR, false), 403);
	open_loop(&loop, WEB_GET);
	loop.request.is_upgrade = true;
	assert_int_equal(judge_status(&loop.request, ACCESS_VISITOR, false), 403);
	loop.request.origin = "http://localhost:8000";
	assert_int_equal(judge_status(&loop.request, ACCESS_VISITOR, false), 0);
	close_loop(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(the_own_user_is_admin_on_loopback),
		ROW(a_page_in_the_own_users_browser_is_refused),
		ROW(a_socket_that_is_gone_is_nobody),
		ROW(sockets_need_an_origin_or_a_token),
	};

	return cmocka_run_group_tests(tests, begin_group, end_group);
}

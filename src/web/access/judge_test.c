/* judge_test.c: who asks, and may he: each way to show who one is, and each way to pretend. */
#include "web/access/sample.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "web/access/access_state.h"

static char folder[64];
static struct access *access_under_test;
static char user_token[TOKEN_TEXT_BYTES], admin_token[TOKEN_TEXT_BYTES], visitor_token[TOKEN_TEXT_BYTES];
static char *tokens_file;
static const char *const hosts[] = {"daq.lab", NULL}, *const origins[] = {"http://eve.lab", NULL};

static int set_up(void **state)
{
	struct access_params params = {.folder = folder,
		.port = 8000,
		.hosts = hosts,
		.origins = origins,
		.panel_secret = "a secret of the laboratory",
		.owner = getuid()};

	(void)state;
	sample_make_folder(folder);
	if (!tokens_file) { /* each is synced to the disk: made once */
		assert_int_equal(tokens_add(folder, "visitor", ACCESS_VISITOR, 0, visitor_token, NULL), 0);
		assert_int_equal(tokens_add(folder, "script", ACCESS_USER, 0, user_token, NULL), 0);
		assert_int_equal(tokens_add(folder, "boss", ACCESS_ADMIN, 1, admin_token, NULL), 0);
		tokens_file = sample_read(folder, "tokens");
	}
	umask(077);
	sample_write(folder, "tokens", tokens_file);
	return access_open(&params, &access_under_test, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	access_close(access_under_test);
	sample_remove_folder(folder);
	return 0;
}

static struct access_verdict judge(const struct web_request *request, enum access_role least, bool is_change)
{
	struct access_verdict verdict;

	access_judge(access_under_test, request, least, is_change, &verdict);
	if (verdict.status)
		assert_non_null(verdict.detail);
	return verdict;
}

static int judge_status(const struct web_request *request, enum access_role least, bool is_change)
{
	return judge(request, least, is_change).status;
}

static const char *bearer(const char *token)
{
	static char text[100];

	snprintf(text, sizeof(text), "Bearer %s", token);
	return text;
}

/* --- tokens --- */

static void nobody_may_nothing(void **state)
{
	struct web_request request = sample_request(WEB_GET, "/clients");

	(void)state;
	assert_int_equal(judge_status(&request, ACCESS_NOBODY, false), 0);
	assert_int_equal(judge_status(&request, ACCESS_VISITOR, false), 401);
	request = sample_request(WEB_POST, "/clients/lab/restart_daq");
	assert_int_equal(judge_status(&request, ACCESS_ADMIN, true), 401);
}

static void a_role_may_what_those_below_may(void **state)
{
	const char *const tokens[] = {visitor_token, user_token, admin_token};
	struct web_request request = sample_request(WEB_POST, "/x");

	(void)state;
	for (int role = 0; role < 3; role++)
		for (int least = ACCESS_NOBODY; least <= ACCESS_ADMIN; least++) {
			request.authorization = bearer(tokens[role]);
			request.token = NULL;
			int expected = role + 1 >= least ? 0 : 403;
			struct access_verdict verdict = judge(&request, (enum access_role)least, true);
			assert_int_equal(verdict.status, expected);
			assert_int_equal(verdict.who.role, role + 1);
			assert_int_equal(verdict.who.way, ACCESS_BY_BEARER);
			request.authorization = NULL;
			request.token = tokens[role];
			verdict = judge(&request, (enum access_role)least, true);
			assert_int_equal(verdict.status, expected);
			assert_int_equal(verdict.who.way, ACCESS_BY_PATH);
		}
}

static void a_token_that_is_none_is_refused(void **state)
{
	char almost[TOKEN_TEXT_BYTES], authorization[600], long_one[500];
	struct web_request request = sample_request(WEB_GET, "/x");

	(void)state;
	memset(long_one, 'a', sizeof(long_one) - 1);
	long_one[sizeof(long_one) - 1] = '\0';
	strcpy(almost, admin_token);
	almost[strlen(almost) - 1] = almost[strlen(almost) - 1] == 'A' ? 'B' : 'A';
	const char *const texts[] = {"Bearer", "Bearer ", "Basic YTpi", "Token x", "", "Bearer  x", almost, long_one};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(authorization, sizeof(authorization), i < 6 ? "%s" : "Bearer %s", texts[i]);
		request.authorization = authorization;
		assert_int_equal(judge_status(&request, ACCESS_NOBODY, false), 401);
	}
	request.authorization = NULL;
	request.token = almost;
	assert_int_equal(judge_status(&request, ACCESS_NOBODY, false), 401);
	request.authorization = bearer(admin_token); /* scheme without regard to case */
	request.token = NULL;
	snprintf(authorization, sizeof(authorization), "bEARER   %s", admin_token);
	request.authorization = authorization;
	assert_int_equal(judge_status(&request, ACCESS_ADMIN, false), 0);
}

static void a_removed_token_stops_at_once(void **state)
{
	struct web_request request = sample_request(WEB_GET, "/x");
	struct access_verdict verdict;

	(void)state;
	request.authorization = bearer(user_token);
	verdict = judge(&request, ACCESS_USER, false);
	assert_int_equal(verdict.status, 0);
	assert_int_equal(access_role_now(access_under_test, &verdict.who), ACCESS_USER);
	assert_int_equal(tokens_remove(folder, "script", NULL), 0);
	assert_int_equal(judge_status(&request, ACCESS_USER, false), 401);
	assert_int_equal(access_role_now(access_under_test, &verdict.who), ACCESS_NOBODY); /* an open WebSocket */
}

static void an_expired_token_stops(void **state)
{
	struct web_request request = sample_request(WEB_GET, "/x");
	char *text = sample_read(folder, "tokens"), *boss = strstr(text, "\nboss "), *end = strchr(boss + 1, '\n');

	(void)state;
	request.authorization = bearer(admin_token);
	assert_int_equal(judge_status(&request, ACCESS_ADMIN, false), 0);
	memcpy(end - 20, "2020-01-01T00:00:00Z", 20);
	sample_write(folder, "tokens", text);
	free(text);
	assert_int_equal(judge_status(&request, ACCESS_ADMIN, false), 401);
}

static void a_file_open_to_others_lets_nobody_in(void **state)
{
	struct web_request request = sample_request(WEB_GET, "/x");
	char path[128];

	(void)state;
	request.authorization = bearer(user_token);
	assert_int_equal(judge_status(&request, ACCESS_USER, false), 0);
	snprintf(path, sizeof(path), "%s/tokens", folder);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(judge_status(&request, ACCESS_USER, false), 401);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(judge_status(&request, ACCESS_USER, false), 0);
}

/* --- where it comes from --- */

static void a_foreign_host_is_refused_whoever_asks(void **state)
{
	struct web_request request = sample_request(WEB_GET, "/x");

	(void)state;
	request.authorization = bearer(admin_token);
	request.host = "evil.example:8000";
	assert_int_equal(judge_status(&request, ACCESS_NOBODY, false), 403);
	request.host = "daq.lab:8000";
	assert_int_equal(judge_status(&request, ACCESS_ADMIN, false), 0);
	request.origin = "http://evil.example";
	assert_int_equal(judge_status(&request, ACCESS_ADMIN, false), 403);
	request.origin = "http://eve.lab";
	assert_int_equal(judge_status(&request, ACCESS_ADMIN, false), 0);
	request.origin = NULL;
	request.fetch_site = "cross-site";
	assert_int_equal(judge_status(&request, ACCESS_ADMIN, false), 403);
}

static void changes_are_json(void **state)
{
	static const struct {
		const char *type;
		int status;
	} rows[] = {{"application/json", 0}, {"application/json; charset=utf-8", 0}, {"Application/JSON", 0},
		{"application/json;charset=utf-8", 0}, {NULL, 415}, {"", 415}, {"text/plain", 415},
		{"application/x-www-form-urlencoded", 415}, {"multipart/form-data; boundary=x", 415},
		{"text/plain; application/json", 415}, {"application/jsonx", 415},
		{"application/json-patch+json", 415}};
	struct web_request request = sample_request(WEB_POST, "/x");

	(void)state;
	request.authorization = bearer(user_token);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		request.content_type = rows[i].type;
		assert_int_equal(judge_status(&request, ACCESS_USER, true), rows[i].status);
	}
	request.content_type = NULL; /* the panel stops all jobs with an empty request */
	request.body = "";
	request.body_bytes = 0;
	assert_int_equal(judge_status(&request, ACCESS_USER, true), 0);
	request.content_type = "application/x-www-form-urlencoded"; /* as its library names an empty one */
	assert_int_equal(judge_status(&request, ACCESS_USER, true), 0);
	request = sample_request(WEB_GET, "/x");
	request.authorization = bearer(user_token);
	assert_int_equal(judge_status(&request, ACCESS_USER, true), 403);
}

/* --- sessions --- */

/* The cookie that a browser would send. */
static void log_in(struct web_request *request, char ret_cookie[ACCESS_COOKIE_BYTES])
{
	struct access_verdict verdict;

	assert_int_equal(access_exchange(access_under_test, request, user_token, ret_cookie, &verdict), 0);
	assert_int_equal(verdict.who.role, ACCESS_USER);
	*strchr(ret_cookie, ';') = '\0';
}

static void a_session_needs_the_rules_for_browsers(void **state)
{
	static const struct {
		const char *origin, *fetch_site, *csrf;
		int status;
	} rows[] = {{"http://10.1.2.3:8000", NULL, "1", 0}, {NULL, "same-origin", "1", 0},
		{"http://10.1.2.3:8000", "same-origin", "1", 0}, {"http://eve.lab", "cross-site", NULL, 0},
		{"http://10.1.2.3:8000", "same-origin", NULL, 403}, {"http://10.1.2.3:8000", "same-origin", "", 403},
		{NULL, NULL, "1", 403}, {NULL, "none", "1", 403}, {"http://10.1.2.3:8001", NULL, "1", 403},
		{"null", NULL, "1", 403}, {"http://evil.example", "cross-site", "1", 403},
		{NULL, "same-site", "1", 403}};
	struct web_request request = sample_request(WEB_POST, "/x");
	char cookie[ACCESS_COOKIE_BYTES];

	(void)state;
	log_in(&request, cookie);
	request.cookie = cookie;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		request.origin = rows[i].origin;
		request.fetch_site = rows[i].fetch_site;
		request.csrf = rows[i].csrf;
		if (judge_status(&request, ACCESS_USER, true) != rows[i].status)
			fail_msg("row %zu", i);
	}
	request.origin = "http://10.1.2.3:8000";
	request.fetch_site = NULL;
	request.csrf = "1";
	request.content_type = NULL; /* also without a body */
	request.body_bytes = 0;
	assert_int_equal(judge_status(&request, ACCESS_USER, true), 415);
}

/* Whoever could make a browser log in as himself would see what its user does from then on. */
static void no_other_page_logs_in(void **state)
{
	struct web_request request = sample_request(WEB_GET, "/login");
	char cookie[ACCESS_COOKIE_BYTES];
	struct access_verdict verdict;

	(void)state;
	request.fetch_mode = "navigate";
	request.fetch_site = "cross-site";
	assert_int_equal(access_exchange(access_under_test, &request, user_token, cookie, &verdict), 403);
	request.fetch_site = "none";
	assert_int_equal(access_exchange(access_under_test, &request, "enrg_x", cookie, &verdict), 401);
	assert_int_equal(access_exchange(access_under_test, &request, user_token, cookie, &verdict), 0);
}

static void a_session_looks_and_ends(void **state)
{
	struct web_request request = sample_request(WEB_GET, "/x");
	char cookie[ACCESS_COOKIE_BYTES], gone[ACCESS_COOKIE_BYTES];

	(void)state;
	log_in(&request, cookie);
	request.cookie = cookie;
	struct access_verdict verdict = judge(&request, ACCESS_USER, false);
	assert_int_equal(verdict.status, 0);
	assert_int_equal(verdict.who.way, ACCESS_BY_SESSION);
	assert_string_equal(verdict.who.name, "script");
	request.is_tls = true; /* there it has another name */
	assert_int_equal(judge_status(&request, ACCESS_VISITOR, false), 401);
	request.is_tls = false;
	/* A link on a page of somebody else opens the page, with no right of the browser. */
	request.fetch_site = "cross-site";
	request.fetch_mode = "navigate";
	assert_int_equal(judge_status(&request, ACCESS_NOBODY, false), 0);
	assert_int_equal(judge_status(&request, ACCESS_VISITOR, false), 401);
	request.fetch_site = request.fetch_mode = NULL;
	access_log_out(access_under_test, &request, gone);
	assert_non_null(strstr(gone, "Max-Age=0"));
	assert_int_equal(judge_status(&request, ACCESS_VISITOR, false), 401);
	assert_int_equal(access_role_now(access_under_test, &verdict.who), ACCESS_NOBODY);
}

static void a_session_ends_with_its_token(void **state)
{
	struct web_request request = sample_request(WEB_GET, "/x");
	char cookie[ACCESS_COOKIE_BYTES], again[TOKEN_TEXT_BYTES];

	(void)state;
	log_in(&request, cookie);
	request.cookie = cookie;
	assert_int_equal(judge_status(&request, ACCESS_USER, false), 0);
	assert_int_equal(tokens_remove(folder, "script", NULL), 0);
	assert_int_equal(
		tokens_add(folder, "script", ACCESS_ADMIN, 0, again, NULL), 0); /* the same name, another one */
	assert_int_equal(judge_status(&request, ACCESS_VISITOR, false), 401);
}

static void passwords_begin_sessions(void **state)
{
	struct web_request request = sample_request(WEB_POST, "/api/v1/login");
	char cookie[ACCESS_COOKIE_BYTES];
	struct access_verdict verdict;

	(void)state;
	if (people_add(folder, "anna", ACCESS_USER, "correct horse", NULL) == -ENOTSUP)
		skip();
	assert_int_equal(access_log_in(access_under_test, &request, "anna", "correct hors", cookie, &verdict), 401);
	assert_int_equal(access_log_in(access_under_test, &request, "nobody", "correct horse", cookie, &verdict), 401);
	assert_int_equal(access_log_in(access_under_test, &request, "anna", "correct horse", cookie, &verdict), 0);
	assert_int_equal(verdict.who.role, ACCESS_USER);
	*strchr(cookie, ';') = '\0';
	request = sample_request(WEB_GET, "/x");
	request.cookie = cookie;
	assert_int_equal(judge_status(&request, ACCESS_USER, false), 0);
	assert_int_equal(people_change(folder, "anna", ACCESS_ADMIN, "another horse", NULL), 0);
	assert_int_equal(judge_status(&request, ACCESS_VISITOR, false), 401); /* another password: log in again */
}

static void guessing_waits_but_not_on_loopback(void **state)
{
	struct web_request request = sample_request(WEB_POST, "/api/v1/login");
	char cookie[ACCESS_COOKIE_BYTES];
	struct access_verdict verdict;

	(void)state;
	if (people_add(folder, "anna", ACCESS_USER, "correct horse", NULL) == -ENOTSUP)
		skip();
	for (int i = 0; i < THROTTLE_FREE; i++)
		assert_int_equal(access_log_in(access_under_test, &request, "anna", "guess", cookie, &verdict), 401);
	assert_int_equal(access_log_in(access_under_test, &request, "anna", "correct horse", cookie, &verdict), 429);
	assert_true(verdict.retry_after_s > 0 && verdict.retry_after_s <= THROTTLE_DELAY_S);
	assert_int_equal(access_log_in(access_under_test, &request, "berta", "guess", cookie, &verdict), 429);
	strcpy(request.address, "10.1.2.8"); /* the name waits everywhere */
	assert_int_equal(access_log_in(access_under_test, &request, "anna", "correct horse", cookie, &verdict), 429);
	assert_int_equal(access_log_in(access_under_test, &request, "berta", "guess", cookie, &verdict), 401);
	strcpy(request.address, "127.0.0.1");
	request.is_loopback = true;
	for (int i = 0; i < 2 * THROTTLE_FREE; i++)
		assert_int_equal(access_log_in(access_under_test, &request, "anna", "guess", cookie, &verdict), 401);
	assert_int_equal(access_log_in(access_under_test, &request, "anna", "correct horse", cookie, &verdict), 0);
}

/* --- the proxy's token --- */

static const char *panel_token(const char *role)
{
	static const char head[] = "{\"alg\":\"HS256\"}", secret[] = "a secret of the laboratory";
	static char text[1024];
	uint8_t mac[SHA256_BYTES];
	char claims[300], *end = text;

	snprintf(claims, sizeof(claims), "{\"exp\":%lld,\"user_info\":{\"email\":\"anna@lab\",\"roles\":[\"%s\"]}}",
		(long long)time(NULL) + 100, role);
	digest_format_text(head, strlen(head), end);
	end += strlen(end);
	*end++ = '.';
	digest_format_text(claims, strlen(claims), end);
	end += strlen(end);
	digest_sign(secret, strlen(secret), text, (size_t)(end - text), mac);
	*end++ = '.';
	digest_format_text(mac, sizeof(mac), end);
	return text;
}

static void the_panel_is_believed_from_its_proxy(void **state)
{
	struct web_request request = sample_request(WEB_GET, "/x");

	(void)state;
	request.admin_access = panel_token("enrgdaq-control-superadmin");
	assert_int_equal(judge_status(&request, ACCESS_VISITOR, false), 401); /* anybody can write a header */
	request.is_proxied = true;
	struct access_verdict verdict = judge(&request, ACCESS_ADMIN, false);
	assert_int_equal(verdict.status, 0);
	assert_int_equal(verdict.who.way, ACCESS_BY_PROXY);
	assert_string_equal(verdict.who.name, "anna@lab");
	request.admin_access = panel_token("enrgdaq-control-visitor");
	assert_int_equal(judge_status(&request, ACCESS_USER, false), 403);
	request = sample_request(WEB_POST, "/x"); /* it stands for a browser's cookie */
	request.is_proxied = true;
	request.admin_access = panel_token("enrgdaq-control");
	assert_int_equal(judge_status(&request, ACCESS_USER, true), 403);
	request.fetch_site = "same-origin";
	assert_int_equal(judge_status(&request, ACCESS_USER, true), 403);
	request.csrf = "1";
	assert_int_equal(judge_status(&request, ACCESS_USER, true), 0);
}

/* --- the user at the other end --- */

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

/* --- the first start, the audit --- */

static void the_first_token_is_made_once(void **state)
{
	char other[64], token[64], path[4096], *text;
	struct access_params params = {.folder = other, .port = 8000, .owner = getuid()};
	struct access *first;
	struct stat now;

	(void)state;
	sample_make_folder(other);
	assert_int_equal(access_open(&params, &first, NULL), 0);
	assert_true(access_make_first(first, token, path, NULL));
	assert_int_equal(stat(path, &now), 0);
	assert_int_equal(now.st_mode & 07777, 0600);
	text = sample_read(other, "first.token");
	assert_int_equal(strncmp(text, token, strlen(token)), 0);
	assert_string_equal(text + strlen(token), "\n");
	free(text);
	struct web_request request = sample_request(WEB_GET, "/x");
	struct access_verdict verdict;
	request.token = token;
	access_judge(first, &request, ACCESS_ADMIN, false, &verdict);
	assert_int_equal(verdict.status, 0);
	assert_false(access_make_first(first, token, path, NULL));
	access_close(first);
	assert_int_equal(access_open(&params, &first, NULL), 0);
	assert_false(access_make_first(first, token, path, NULL));
	access_close(first);
	assert_int_equal(tokens_remove(other, TOKEN_FIRST, NULL), 0);
	assert_int_equal(stat(path, &now), -1); /* no text of a token that counts no more */
	sample_remove_folder(other);
}

static void a_folder_open_to_others_is_refused_by_name(void **state)
{
	struct access_params params = {.folder = folder, .port = 8000};
	struct access *other;
	struct enrg_error err;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/tokens", folder);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(access_open(&params, &other, &err), -EPERM);
	assert_non_null(strstr(err.text, path));
	assert_non_null(strstr(err.text, "chmod 600"));
}

static void refused_attempts_are_written_and_tokens_never(void **state)
{
	struct web_request request = sample_request(WEB_POST, "/clients/lab/restart_daq");

	(void)state;
	request.token = visitor_token;
	judge(&request, ACCESS_ADMIN, true);
	request.token = "enrg_guessed";
	judge(&request, ACCESS_ADMIN, true);
	request.token = NULL;
	request.host = "evil.example";
	judge(&request, ACCESS_ADMIN, true);
	request.host = "10.1.2.3";
	request.token = user_token;
	judge(&request, ACCESS_USER, true); /* no refusal: the router says how it ended */
	audit_flush(access_under_test->audit);
	char *text = sample_read(folder, "audit.jsonl");
	assert_non_null(
		strstr(text, "\"who\":\"visitor\",\"role\":\"visitor\",\"way\":\"path\",\"address\":\"10.1.2.9\","
			     "\"what\":\"POST /clients/lab/restart_daq\",\"run\":null,\"result\":\"403\"}\n"));
	assert_non_null(strstr(text, "\"result\":\"401\"}\n"));
	unsigned lines = 0;
	for (const char *one = text; (one = strchr(one, '\n')); one++)
		lines++;
	assert_int_equal(lines, 3);
	assert_null(strstr(text, "enrg_"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		ROW(nobody_may_nothing),
		ROW(a_role_may_what_those_below_may),
		ROW(a_token_that_is_none_is_refused),
		ROW(a_removed_token_stops_at_once),
		ROW(an_expired_token_stops),
		ROW(a_file_open_to_others_lets_nobody_in),
		ROW(a_foreign_host_is_refused_whoever_asks),
		ROW(changes_are_json),
		ROW(a_session_needs_the_rules_for_browsers),
		ROW(no_other_page_logs_in),
		ROW(a_session_looks_and_ends),
		ROW(a_session_ends_with_its_token),
		ROW(passwords_begin_sessions),
		ROW(guessing_waits_but_not_on_loopback),
		ROW(the_panel_is_believed_from_its_proxy),
		ROW(the_own_user_is_admin_on_loopback),
		ROW(a_page_in_the_own_users_browser_is_refused),
		ROW(a_socket_that_is_gone_is_nobody),
		ROW(sockets_need_an_origin_or_a_token),
		ROW(the_first_token_is_made_once),
		ROW(a_folder_open_to_others_is_refused_by_name),
		ROW(refused_attempts_are_written_and_tokens_never),
	};

	log_init("test", ENRG_ERROR + 1); /* what is refused by intent says so */
	int failures = cmocka_run_group_tests(tests, NULL, NULL);
	free(tokens_file);
	return failures;
}

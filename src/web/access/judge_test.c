/* judge_test.c: who asks, and may he: tokens, the proxy of the panel, and each way to pretend. */
#include "web/access/judge_sample.h"

#include <time.h>

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
	request.authorization = "Basic YTpi"; /* what the proxy itself has asked the browser for */
	assert_int_equal(judge_status(&request, ACCESS_VISITOR, false), 0);
	request.authorization = "Bearer guessed";
	assert_int_equal(judge_status(&request, ACCESS_VISITOR, false), 401);
	request = sample_request(WEB_POST, "/x"); /* it stands for a browser's cookie */
	request.is_proxied = true;
	request.admin_access = panel_token("enrgdaq-control");
	assert_int_equal(judge_status(&request, ACCESS_USER, true), 403);
	request.fetch_site = "same-origin";
	assert_int_equal(judge_status(&request, ACCESS_USER, true), 403);
	request.csrf = "1";
	assert_int_equal(judge_status(&request, ACCESS_USER, true), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(nobody_may_nothing),
		ROW(a_role_may_what_those_below_may),
		ROW(a_token_that_is_none_is_refused),
		ROW(a_removed_token_stops_at_once),
		ROW(an_expired_token_stops),
		ROW(a_file_open_to_others_lets_nobody_in),
		ROW(a_foreign_host_is_refused_whoever_asks),
		ROW(changes_are_json),
		ROW(the_panel_is_believed_from_its_proxy),
	};

	return cmocka_run_group_tests(tests, begin_group, end_group);
}

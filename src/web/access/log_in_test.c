/* log_in_test.c: sessions begin with a token or a password, need the rules for browsers, and end; guessing waits. */
#include "web/access/judge_sample.h"

#include <errno.h>

/* --- sessions --- */

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_session_needs_the_rules_for_browsers),
		ROW(no_other_page_logs_in),
		ROW(a_session_looks_and_ends),
		ROW(a_session_ends_with_its_token),
		ROW(passwords_begin_sessions),
		ROW(guessing_waits_but_not_on_loopback),
	};

	return cmocka_run_group_tests(tests, begin_group, end_group);
}

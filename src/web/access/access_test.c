/* access_test.c: the first start, folders that are refused, what is written of refused attempts. */
#include "web/access/judge_sample.h"

#include <errno.h>

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
	audit_flush(access_under_test->audit, 60000);
	char *text = sample_read(folder, "audit.jsonl");
	assert_non_null(
		strstr(text, "\"who\":\"visitor\",\"role\":\"visitor\",\"way\":\"path\",\"address\":\"10.1.2.9\","
			     "\"what\":\"POST /clients/lab/restart_daq\",\"about\":{\"why\":\"this needs the "
			     "role admin, "));
	assert_non_null(strstr(text, "\"run\":null,\"result\":\"403\"}\n"));
	assert_non_null(strstr(text, "\"host\":\"evil.example\""));
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
		ROW(the_first_token_is_made_once),
		ROW(a_folder_open_to_others_is_refused_by_name),
		ROW(refused_attempts_are_written_and_tokens_never),
	};

	return cmocka_run_group_tests(tests, begin_group, end_group);
}

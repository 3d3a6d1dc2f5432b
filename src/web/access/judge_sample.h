/* judge_sample.h: a folder with a token of each role, and who is judged with it: for the tests of this room. Included
 * once a program. */
#ifndef WEB_ACCESS_JUDGE_SAMPLE_H
#define WEB_ACCESS_JUDGE_SAMPLE_H

#include "web/access/sample.h"

#include <sys/stat.h>

#include "base/log.h"
#include "web/access/access_state.h"

static char folder[64];
static struct access *access_under_test;
static char user_token[TOKEN_TEXT_BYTES], admin_token[TOKEN_TEXT_BYTES], visitor_token[TOKEN_TEXT_BYTES];
static char *tokens_file;
static const char *const hosts[] = {"daq.lab", NULL}, *const origins[] = {"http://eve.lab", NULL};

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
{
	(void)state;
	access_close(access_under_test);
	sample_remove_folder(folder);
	return 0;
}

static inline struct access_verdict judge(const struct web_request *request, enum access_role least, bool is_change)
{
	struct access_verdict verdict;

	access_judge(access_under_test, request, least, is_change, &verdict);
	if (verdict.status)
		assert_non_null(verdict.detail);
	return verdict;
}

static inline int judge_status(const struct web_request *request, enum access_role least, bool is_change)
{
	return judge(request, least, is_change).status;
}

static inline const char *bearer(const char *token)
{
	static char text[100];

	snprintf(text, sizeof(text), "Bearer %s", token);
	return text;
}

/* The cookie that a browser would send. */
static inline void log_in(struct web_request *request, char ret_cookie[ACCESS_COOKIE_BYTES])
{
	struct access_verdict verdict;

	assert_int_equal(access_exchange(access_under_test, request, user_token, ret_cookie, &verdict), 0);
	assert_int_equal(verdict.who.role, ACCESS_USER);
	*strchr(ret_cookie, ';') = '\0';
}

static inline int begin_group(void **state)
{
	(void)state;
	log_init("test", ENRG_ERROR + 1); /* what is refused by intent says so */
	return 0;
}

static inline int end_group(void **state)
{
	(void)state;
	free(tokens_file);
	return 0;
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif

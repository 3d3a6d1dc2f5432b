/* panel_token_test.c: a token of the panel's proxy is believed when it is signed, in time and of a known role. */
#include "web/access/sample.h"

#include <errno.h>

#include "web/access/digest.h"
#include "web/access/panel_token.h"

#define SECRET "a secret of the laboratory"
#define NOW    1795860000

static char *make(const char *head, const char *claims, const char *secret)
{
	static char text[4096];
	uint8_t mac[SHA256_BYTES];
	char *end = text;

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

#define HS256   "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define INFO(r) "\"user_info\":{\"id\":7,\"email\":\"anna@lab\",\"name\":\"Anna\",\"roles\":[" r "]}"
#define LATER   "\"exp\":1795860001,"

static void roles_are_those_of_the_panel(void **state)
{
	static const struct {
		const char *claims;
		enum access_role role;
	} rows[] = {
		{"{" LATER INFO("\"enrgdaq-control\"") "}", ACCESS_USER},
		{"{" LATER INFO("\"enrgdaq-control-visitor\"") "}", ACCESS_VISITOR},
		{"{" LATER INFO("\"enrgdaq-control-superadmin\"") "}", ACCESS_ADMIN},
		{"{" LATER INFO("\"enrgdaq-control-superadmin\",\"enrgdaq-control-visitor\"") "}", ACCESS_ADMIN},
		{"{" LATER INFO("\"enrgdaq-control-visitor\",\"x\",3,null,\"enrgdaq-control\"") "}", ACCESS_USER},
		{"{" LATER INFO("\"enrgdaq-control-superadmin2\"") "}", ACCESS_NOBODY},
		{"{" LATER INFO("") "}", ACCESS_NOBODY},
		{"{" LATER "\"roles\":[\"enrgdaq-control\"]}", ACCESS_NOBODY},
		{"{\"exp\":1795860000," INFO("\"enrgdaq-control\"") "}", ACCESS_NOBODY}, /* now is over */
		{"{\"exp\":\"1895860001\"," INFO("\"enrgdaq-control\"") "}", ACCESS_NOBODY},
		{"{" INFO("\"enrgdaq-control\"") "}", ACCESS_NOBODY}, /* for ever */
		{"{" LATER "\"nbf\":1795860090," INFO("\"enrgdaq-control\"") "}", ACCESS_NOBODY},
		{"{" LATER "\"nbf\":1795850000," INFO("\"enrgdaq-control\"") "}", ACCESS_USER},
		{"{" LATER LATER INFO("\"enrgdaq-control\"") "}", ACCESS_NOBODY}, /* a key twice */
		{"[]", ACCESS_NOBODY},
		{"7", ACCESS_NOBODY},
		{"{}", ACCESS_NOBODY},
		{"{", ACCESS_NOBODY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct access_who who = {0};
		int rc = panel_token_check(make(HS256, rows[i].claims, SECRET), SECRET, NOW, &who);
		if (rc != (rows[i].role ? 0 : -EACCES) || who.role != rows[i].role)
			fail_msg("row %zu: %s", i, rows[i].claims);
		if (rc == 0)
			assert_string_equal(who.name, "anna@lab");
	}
}

static void the_algorithm_is_ours(void **state)
{
	static const char claims[] = "{" LATER INFO("\"enrgdaq-control\"") "}";
	static const char *const heads[] = {"{\"alg\":\"none\"}", "{\"alg\":\"None\"}", "{\"alg\":\"hs256\"}",
		"{\"alg\":\"RS256\"}", "{\"alg\":\"HS512\"}", "{}", "{\"alg\":[\"HS256\"]}",
		"{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", "{\"alg\":\"HS256\",\"alg\":\"none\"}", "\"HS256\"", ""};
	struct access_who who = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		assert_int_equal(panel_token_check(make(heads[i], claims, SECRET), SECRET, NOW, &who), -EACCES);
	assert_int_equal(panel_token_check(make(HS256, claims, "another secret"), SECRET, NOW, &who), -EACCES);
	assert_int_equal(panel_token_check(make(HS256, claims, SECRET), "", NOW, &who), -EACCES);
	assert_int_equal(panel_token_check(make(HS256, claims, ""), "", NOW, &who), -EACCES);
	assert_int_equal(who.role, ACCESS_NOBODY);
	char *good = make(HS256, claims, SECRET);
	assert_int_equal(panel_token_check(good, SECRET, NOW, &who), 0);
}

static void what_was_changed_is_refused(void **state)
{
	static const char claims[] = "{" LATER INFO("\"enrgdaq-control\"") "}";
	char *text = make(HS256, claims, SECRET);
	size_t length = strlen(text);

	(void)state;
	for (size_t i = 0; i < length; i++) {
		struct access_who who = {0};
		char old = text[i];
		text[i] = old == 'A' ? 'B' : 'A';
		assert_int_equal(panel_token_check(text, SECRET, NOW, &who), -EACCES);
		text[i] = '\0';
		assert_int_equal(panel_token_check(text, SECRET, NOW, &who), -EACCES);
		text[i] = old;
	}
	strcat(text, ".AAAA");
	assert_int_equal(panel_token_check(text, SECRET, NOW, &(struct access_who){0}), -EACCES);
	*strchr(text, '.') = '\0';
	assert_int_equal(panel_token_check(text, SECRET, NOW, &(struct access_who){0}), -EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roles_are_those_of_the_panel),
		cmocka_unit_test(the_algorithm_is_ours),
		cmocka_unit_test(what_was_changed_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

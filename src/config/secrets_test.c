/* secrets_test.c: texts of configurations without their secrets, and the way back. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "config/secrets.h"

struct server {
	const char *password;
};

struct options {
	const char *user, *password;
	struct enrg_struct_list servers;
	struct server proxy;
};

static const struct enrg_option server_options[] = {
	{.key = "password",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct server, password),
		.secret = true,
		.help = "Password."},
	{0},
};
static const struct enrg_table server_table = {sizeof(struct server), server_options};
static const struct enrg_option options[] = {
	{.key = "user", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct options, user), .help = "User."},
	{.key = "password",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct options, password),
		.secret = true,
		.help = "Password."},
	{.key = "servers",
		.kind = ENRG_OPTION_TABLE_LIST,
		.offset = offsetof(struct options, servers),
		.table = &server_table,
		.help = "Servers."},
	{.key = "proxy",
		.kind = ENRG_OPTION_TABLE,
		.offset = offsetof(struct options, proxy),
		.table = &server_table,
		.help = "Proxy."},
	{0},
};
static const struct enrg_job_group groups[] = {{.key = "store_config", .help = "Rows."}, {0}};
static const struct enrg_job_type source = {.size = sizeof(struct enrg_job_type),
	.name = "Source",
	.summary = "A source.",
	.options = {sizeof(struct options), options},
	.groups = groups};
static const struct enrg_store_type store = {.size = sizeof(struct enrg_store_type),
	.name = "Store",
	.section = "vault",
	.summary = "A store.",
	.options = {sizeof(struct options), options},
	.section_options = {sizeof(struct server), server_options}};

static struct types *make_types(void)
{
	const struct type_entry entries[] = {{.job = &source, .name = "Source"}, {.store = &store, .name = "Store"}};
	struct types *types;

	assert_int_equal(types_create_static(entries, 2, &types, NULL), 0);
	return types;
}

static const char full[] = "daq_job_type = \"Source\" # password = \"in a comment\"\n"
			   "user = 'ä\"b' \n"
			   "proxy = { password = 'ü' } # é\n"
			   "password = \"se\\\"cret\"# here\n"
			   "[[servers]]\n"
			   "password = \"\"\"two\n\"lines\"\"\"\"\n"
			   "[[servers]]\n"
			   "\"password\"='''x'''\r\n"
			   "[store_config.vault]\n"
			   "password = \"pw\"\n"
			   "[store_config.other]\n"
			   "password = \"not ours\"\n";
static const char hidden[] = "daq_job_type = \"Source\" # password = \"in a comment\"\n"
			     "user = 'ä\"b' \n"
			     "proxy = { password = \"***\" } # é\n"
			     "password = \"***\"# here\n"
			     "[[servers]]\n"
			     "password = \"***\"\n"
			     "[[servers]]\n"
			     "\"password\"=\"***\"\r\n"
			     "[store_config.vault]\n"
			     "password = \"***\"\n"
			     "[store_config.other]\n"
			     "password = \"not ours\"\n";

static void secrets_are_hidden_and_come_back(void **state)
{
	struct types *types = make_types();
	struct enrg_error err = {0};
	char *text = NULL, *back = NULL;

	(void)state;
	if (secrets_hide_text(types, "a.toml", full, &text, &err))
		fail_msg("%s", err.text);
	assert_string_equal(text, hidden);
	if (secrets_keep_text(types, "a.toml", text, full, &back, &err))
		fail_msg("%s", err.text);
	assert_string_equal(back, full);
	free(text);
	free(back);
	types_free(types);
}

static void only_what_says_so_keeps_its_value(void **state)
{
	static const char before[] = "daq_job_type = \"Store\"\npassword = \"first\"\nuser = \"u\"\n";
	static const char after[] = "user = \"v\"\npassword = 'second'\ndaq_job_type = \"Store\"\n";
	static const char masked[] = "user = \"***\"\npassword = '***'\ndaq_job_type = \"Store\"\n";
	struct types *types = make_types();
	char *text = NULL;

	(void)state;
	assert_int_equal(secrets_keep_text(types, "a.toml", after, before, &text, NULL), 0);
	assert_string_equal(text, after);
	free(text);
	assert_int_equal(secrets_keep_text(types, "a.toml", masked, before, &text, NULL), 0);
	assert_string_equal(text, "user = \"***\"\npassword = \"first\"\ndaq_job_type = \"Store\"\n");
	free(text);
	types_free(types);
}

static void expect_refusal(const char *text, const char *old, const char *reason)
{
	struct types *types = make_types();
	struct enrg_error err = {0};
	char *out = NULL;
	int rc = old ? secrets_keep_text(types, "a.toml", text, old, &out, &err)
		     : secrets_hide_text(types, "a.toml", text, &out, &err);

	assert_true(rc < 0);
	assert_null(out);
	if (!strstr(err.text, reason))
		fail_msg("expected \"%s\", found \"%s\"", reason, err.text);
	assert_null(strstr(err.text, "71829"));
	types_free(types);
}

static void what_can_not_be_judged_is_refused(void **state)
{
	(void)state;
	expect_refusal("daq_job_type = \"Strange\"\npassword = \"71829\"\n", NULL, "type is unknown");
	expect_refusal(
		"daq_job_type = \"Store\"\npassword = 71829\n", NULL, "a.toml:2: password: a secret is a string");
	expect_refusal("daq_job_type = \"Store\"\npassword = \"71829\n", NULL, "a.toml:2");
	expect_refusal("daq_job_type = \"Store\"\npassword = 71829x\n", NULL, "a.toml:2");
	expect_refusal("daq_job_type = \"Store\"\npassword = \"***\"\n", "daq_job_type = \"Store\"\n",
		"a.toml: line 2: password: *** stands for the value of before, and there was none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_are_hidden_and_come_back),
		cmocka_unit_test(only_what_says_so_keeps_its_value),
		cmocka_unit_test(what_can_not_be_judged_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* permission_test.c: every kind with every role; what runs code; what the table does not know. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "config/run_plans.h"
#include "supervisor/permission.h"

static struct run_type types[] = {{.name = "cosmic"}, {.name = "script", .runs_code = true}};
static struct run_sequence sequences[] = {
	{.name = "plain", .options.type = "cosmic"}, {.name = "scan", .options.type = "script"}};
static struct run_plans plans = {.type_count = 2, .types = types, .sequence_count = 2, .sequences = sequences};
static struct folder folder = {.plans = &plans};
static struct folder *running = &folder;
static struct roster roster;
static struct permission permission = {.folder = &running, .roster = &roster};

static enum command_code last_code;
static char last_text[1000];

static bool may(const char *to, const char *kind, json_t *body, enum command_role role)
{
	struct command command;
	struct command_answer answer = {0};

	assert_int_equal(command_init(&command, to, kind, body, 1000000000u), 0);
	command.person = (struct command_person){.is_there = role != COMMAND_ROLES, .role = role, .who = "ada"};
	bool is_allowed = permission_check(&permission, &command, &answer);
	last_code = answer.code;
	memcpy(last_text, answer.text, sizeof(last_text));
	command_fini(&command);
	command_answer_fini(&answer);
	return is_allowed;
}

/* The least of the three that may; COMMAND_ROLES: none of them. Each above it may, too. */
static enum command_role least(const char *to, const char *kind, const char *key, const char *value)
{
	enum command_role found = COMMAND_ROLES;

	for (unsigned role = COMMAND_ROLES; role-- > 0;) {
		json_t *body = key ? json_pack("{s:s}", key, value) : NULL;
		if (!may(to, kind, body, (enum command_role)role))
			break;
		found = (enum command_role)role;
	}
	return found;
}

static void each_kind_has_its_role(void **state)
{
	static const struct {
		const char *kind;
		enum command_role least;
	} rows[] = {{"ping", COMMAND_VISITOR}, {"run_state", COMMAND_VISITOR}, {"run_plans", COMMAND_VISITOR},
		{"job.text", COMMAND_VISITOR}, {"job.wait", COMMAND_VISITOR}, {"run_start", COMMAND_USER},
		{"run_configure", COMMAND_USER}, {"run_stop", COMMAND_USER}, {"run_note", COMMAND_USER},
		{"run_flag", COMMAND_USER}, {"run_delete", COMMAND_ADMIN}, {"sequence_start", COMMAND_USER},
		{"sequence_stop", COMMAND_USER}, {"sequence_resume", COMMAND_USER}, {"alarm.ack", COMMAND_USER},
		{"alarm.mute", COMMAND_USER}, {"job.add", COMMAND_USER}, {"job.stop", COMMAND_USER},
		{"job.remove", COMMAND_USER}, {"job.start", COMMAND_ADMIN}, {"job.restart", COMMAND_ADMIN},
		{"jobs.restart", COMMAND_ADMIN}, {"reload", COMMAND_ADMIN}, {"restart", COMMAND_ADMIN},
		{"stop", COMMAND_ADMIN}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (least("supervisor", rows[i].kind, NULL, NULL) != rows[i].least)
			fail_msg("%s is for another role", rows[i].kind);
}

static void what_the_table_does_not_know_is_for_nobody(void **state)
{
	(void)state;
	assert_int_equal(least("supervisor", "run_everything", NULL, NULL), COMMAND_ROLES);
	assert_int_equal(last_code, COMMAND_REFUSED);
	assert_non_null(strstr(last_text, "nothing was done"));
}

/* The process asks for itself: it could run anything by itself. */
static void without_a_person_all_is_allowed(void **state)
{
	(void)state;
	assert_true(may("supervisor", "stop", NULL, COMMAND_ROLES));
	assert_true(may("supervisor", "run_everything", NULL, COMMAND_ROLES));
}

static void runs_that_run_code_are_for_admins(void **state)
{
	(void)state;
	assert_int_equal(least("supervisor", "run_start", "type", "cosmic"), COMMAND_USER);
	assert_int_equal(least("supervisor", "run_start", "type", "script"), COMMAND_ADMIN);
	assert_false(may("supervisor", "run_start", json_pack("{s:s}", "type", "script"), COMMAND_USER));
	assert_non_null(strstr(last_text, "ada (user)"));
	assert_non_null(strstr(last_text, "run programs"));
	assert_int_equal(least("supervisor", "run_configure", "type", "script"), COMMAND_ADMIN);
	assert_int_equal(least("supervisor", "sequence_start", "name", "plain"), COMMAND_USER);
	assert_int_equal(least("supervisor", "sequence_start", "name", "scan"), COMMAND_ADMIN);
	assert_int_equal(least("supervisor", "sequence_resume", "name", "scan"), COMMAND_ADMIN);
	assert_int_equal(least("supervisor", "sequence_resume", "name", "gone"), COMMAND_ADMIN);
	assert_int_equal(least("supervisor", "sequence_stop", "name", "scan"), COMMAND_USER);
	assert_int_equal(least("supervisor", "sequence_stop", "name", "gone"), COMMAND_USER);
}

static void messages_are_for_users(void **state)
{
	(void)state;
	assert_int_equal(least("job camera", "set_exposure", NULL, NULL), COMMAND_USER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_has_its_role),
		cmocka_unit_test(what_the_table_does_not_know_is_for_nobody),
		cmocka_unit_test(without_a_person_all_is_allowed),
		cmocka_unit_test(runs_that_run_code_are_for_admins),
		cmocka_unit_test(messages_are_for_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

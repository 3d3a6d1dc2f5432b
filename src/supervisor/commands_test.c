/* commands_test.c: a command acts once, in time, and with the fields that it has to have. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "supervisor/commands.h"

#define S 1000000000ull

struct move_body {
	int64_t to;
};

static const struct enrg_option move_options[] = {
	{.key = "to",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct move_body, to),
		.required = true,
		.min = 0,
		.max = 10,
		.help = "where"},
	{0},
};

struct world {
	struct commands *commands;
	int moves, slow, looks;
	int64_t at;
	size_t answers;
	struct command_answer last;
	uint64_t last_token;
};

static enum command_outcome move(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	struct world *world = context;

	(void)command;
	world->moves++;
	world->at = ((const struct move_body *)body)->to;
	answer->fields = json_pack("{s:i}", "moves", world->moves);
	return COMMAND_ANSWERED;
}

static enum command_outcome slow(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	(void)command;
	(void)body;
	(void)answer;
	((struct world *)context)->slow++;
	return COMMAND_LATER;
}

static enum command_outcome look(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	(void)command;
	(void)body;
	(void)answer;
	((struct world *)context)->looks++;
	return COMMAND_ANSWERED;
}

struct note_body {
	const char *who, *role;
};

static const struct enrg_option note_options[] = {
	{.key = "who", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct note_body, who), .default_value = "\"\""},
	{.key = "role",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct note_body, role),
		.default_value = "\"\""},
	{0},
};

static enum command_outcome write_note(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct note_body *wanted = body;

	(void)context;
	(void)command;
	command_answer_set(answer, COMMAND_OK, "%s, %s", wanted->who, wanted->role);
	return COMMAND_ANSWERED;
}

static const struct command_kind kinds[] = {
	{.kind = "note", .summary = "notes", .body = {sizeof(struct note_body), note_options}, .handle = write_note},
	{.kind = "move", .summary = "moves", .body = {sizeof(struct move_body), move_options}, .handle = move},
	{.kind = "slow", .summary = "slow", .body = {1, NULL}, .handle = slow},
	{.kind = "look", .summary = "looks", .body = {1, NULL}, .is_silent = true, .handle = look},
	{0},
};

static void note(const struct command_asker *asker, const struct command_answer *answer)
{
	struct world *world = asker->context;

	world->answers++;
	world->last_token = asker->client;
	command_answer_fini(&world->last);
	command_answer_copy(answer, &world->last);
}

static int set_up(void **state)
{
	static struct world world;

	world = (struct world){0};
	assert_int_equal(commands_create(&world.commands, NULL), 0);
	assert_int_equal(commands_add(world.commands, kinds, &world), 0);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	command_answer_fini(&world->last);
	commands_destroy(world->commands);
	return 0;
}

static void make(struct command *command, const char *to, const char *kind, json_t *body)
{
	assert_int_equal(command_init(command, to, kind, body, 5 * S), 0);
}

static void take(struct world *world, const struct command *command, uint64_t token)
{
	const struct command_asker asker = {.reply = note, .context = world, .client = token};

	commands_take(world->commands, command, &asker);
}

static void a_repeated_id_gets_the_first_answer_and_no_action(void **state)
{
	struct world *world = *state;
	struct command command;

	make(&command, "supervisor", "move", json_pack("{s:i}", "to", 4));
	take(world, &command, 1);
	assert_int_equal(world->last.code, COMMAND_OK);
	json_object_set_new(command.body, "to", json_integer(9));
	command.expires_ns = 1; /* it was done in time, so its answer is still that */
	take(world, &command, 2);
	assert_int_equal(world->answers, 2);
	assert_int_equal(world->last_token, 2);
	assert_int_equal(world->last.code, COMMAND_OK);
	assert_int_equal(json_integer_value(json_object_get(world->last.fields, "moves")), 1);
	assert_memory_equal(world->last.id, command.id, COMMAND_ID_BYTES);
	assert_int_equal(world->moves, 1);
	assert_int_equal(world->at, 4);
	command_fini(&command);
}

static void a_repeated_id_waits_for_the_answer_that_is_to_come(void **state)
{
	struct world *world = *state;
	struct command_answer answer = {0};
	struct command command;

	make(&command, "supervisor", "slow", NULL);
	for (uint64_t token = 1; token <= COMMANDS_ASKERS_MAX; token++)
		take(world, &command, token);
	assert_int_equal(world->answers, 0);
	take(world, &command, 99); /* one too many does not wait */
	assert_int_equal(world->answers, 1);
	assert_int_equal(world->last.code, COMMAND_UNKNOWN);
	command_answer_set(&answer, COMMAND_FAILED, "no");
	commands_answer(world->commands, command.id, &answer);
	assert_int_equal(world->answers, 1 + COMMANDS_ASKERS_MAX);
	assert_int_equal(world->last.code, COMMAND_FAILED);
	assert_memory_equal(world->last.id, command.id, COMMAND_ID_BYTES);
	command_answer_set(&answer, COMMAND_OK, "yes");
	commands_answer(world->commands, command.id, &answer); /* the first one counts */
	take(world, &command, 7);
	assert_int_equal(world->last.code, COMMAND_FAILED);
	assert_int_equal(world->slow, 1);
	command_fini(&command);
}

static void what_comes_too_late_does_nothing(void **state)
{
	struct world *world = *state;
	struct command command;

	make(&command, "supervisor", "move", json_pack("{s:i}", "to", 4));
	command.expires_ns = clock_wall_ns() - S;
	take(world, &command, 1);
	assert_int_equal(world->last.code, COMMAND_EXPIRED);
	command.expires_ns = clock_wall_ns() + 2 * COMMAND_EXPIRY_MAX;
	take(world, &command, 1);
	assert_int_equal(world->last.code, COMMAND_REFUSED);
	assert_int_equal(world->moves, 0);
	command_fini(&command);
}

static void wrong_fields_are_all_named(void **state)
{
	struct world *world = *state;
	struct command command;

	make(&command, "supervisor", "move", json_pack("{s:i, s:i}", "to", 11, "too", 1));
	take(world, &command, 1);
	assert_int_equal(world->last.code, COMMAND_WRONG_FIELDS);
	assert_non_null(strstr(world->last.text, "to: expected an integer from 0 to 10, found the integer 11"));
	assert_non_null(strstr(world->last.text, "too: unknown key"));
	assert_int_equal(world->moves, 0);
	command_fini(&command);
}

static void nobody_and_nothing_are_said(void **state)
{
	struct world *world = *state;
	struct command command;

	make(&command, "supervisor", "fly", NULL);
	take(world, &command, 1);
	assert_int_equal(world->last.code, COMMAND_NO_KIND);
	command_fini(&command);
	make(&command, "job a", "fly", NULL);
	take(world, &command, 1);
	assert_int_equal(world->last.code, COMMAND_NOBODY);
	command_fini(&command);
}

static void old_ids_make_room_and_those_at_work_do_not(void **state)
{
	struct world *world = *state;
	struct command command, first;

	make(&first, "supervisor", "slow", NULL);
	take(world, &first, 1);
	for (unsigned i = 0; i < 3 * COMMANDS_KEPT; i++) {
		make(&command, "supervisor", "move", json_pack("{s:i}", "to", 1));
		take(world, &command, 1);
		command_fini(&command);
	}
	assert_int_equal(world->moves, 3 * COMMANDS_KEPT);
	take(world, &first, 2);
	assert_int_equal(world->slow, 1);
	for (unsigned i = 1; i < COMMANDS_KEPT; i++) {
		make(&command, "supervisor", "slow", NULL);
		take(world, &command, 1);
		command_fini(&command);
	}
	assert_int_equal(world->slow, COMMANDS_KEPT);
	make(&command, "supervisor", "slow", NULL);
	take(world, &command, 1);
	assert_int_equal(world->last.code, COMMAND_REFUSED);
	assert_int_equal(world->slow, COMMANDS_KEPT);
	/* it did nothing, so it may come again: once one of those is done it acts */
	take(world, &command, 1);
	assert_int_equal(world->last.code, COMMAND_REFUSED);
	struct command_answer done = {.code = COMMAND_OK};
	commands_answer(world->commands, first.id, &done);
	take(world, &command, 1);
	assert_int_equal(world->slow, COMMANDS_KEPT + 1);
	command_fini(&command);
	command_fini(&first);
}

static struct command move_to(struct world *world, int to)
{
	struct command command;

	make(&command, "supervisor", "move", json_pack("{s:i}", "to", to));
	take(world, &command, 1);
	return command;
}

/* However many came since: it may be asked for again until it has expired, and acts no second time. */
static void an_id_is_kept_until_it_has_expired(void **state)
{
	struct world *world = *state;
	struct command first = move_to(world, 3), command;

	for (unsigned i = 1; i < COMMANDS_IDS_KEPT; i++) {
		command = move_to(world, 1);
		assert_int_equal(world->last.code, COMMAND_OK);
		command_fini(&command);
	}
	take(world, &first, 2);
	assert_int_equal(world->last.code, COMMAND_UNKNOWN);
	assert_int_equal(world->moves, COMMANDS_IDS_KEPT);
	command = move_to(world, 2);
	assert_int_equal(world->last.code, COMMAND_REFUSED);
	assert_non_null(strstr(world->last.text, "nothing was done"));
	assert_int_equal(world->moves, COMMANDS_IDS_KEPT);
	command_fini(&command);
	command_fini(&first);
}

/* Jobs that flood are refused while there is still room for who is to stop them; what did nothing takes no place. */
static void jobs_do_not_take_all_places(void **state)
{
	struct world *world = *state;
	const struct command_asker job = {.reply = note, .context = world, .job = "camera"};
	struct command command;

	for (unsigned i = 0; i < 2 * COMMANDS_IDS_KEPT; i++) {
		make(&command, "supervisor", "move", json_pack("{s:i}", "to", i < COMMANDS_IDS_KEPT ? 11 : 1));
		commands_take(world->commands, &command, &job);
		command_fini(&command);
	}
	assert_int_equal(world->moves, COMMANDS_IDS_JOBS);
	assert_int_equal(world->last.code, COMMAND_REFUSED);
	command = move_to(world, 2);
	assert_int_equal(world->last.code, COMMAND_OK);
	command_fini(&command);
}

/* One that changes nothing takes no place, so a command that asks each second for hours pushes none out. */
static void what_changes_nothing_is_not_remembered(void **state)
{
	struct world *world = *state;
	struct command first = move_to(world, 3), command;

	for (unsigned i = 0; i < 2 * COMMANDS_IDS_KEPT; i++) {
		make(&command, "supervisor", "look", NULL);
		take(world, &command, 1);
		command_fini(&command);
	}
	assert_int_equal(world->looks, 2 * COMMANDS_IDS_KEPT);
	assert_int_equal(world->last.code, COMMAND_OK);
	take(world, &first, 2);
	assert_int_equal(json_integer_value(json_object_get(world->last.fields, "moves")), 1);
	assert_int_equal(world->moves, 1);
	command_fini(&first);
}

static bool guard(void *context, const struct command *command, struct command_answer *answer)
{
	(void)context;
	if (command->person.role == COMMAND_ADMIN)
		return true;
	command_answer_set(answer, COMMAND_REFUSED, "not for that role");
	return false;
}

/* Records name who has logged in to the program that asks, whatever that program says in the fields. */
static void the_person_is_that_of_the_command(void **state)
{
	struct world *world = *state;
	struct command command;

	make(&command, "supervisor", "note", json_pack("{s:s}", "who", "mallory"));
	take(world, &command, 1);
	assert_string_equal(world->last.text, "mallory, ");
	command_fini(&command);
	commands_set_guard(world->commands, guard, NULL);
	make(&command, "supervisor", "note", json_pack("{s:s}", "who", "mallory"));
	command.person = (struct command_person){.is_there = true, .role = COMMAND_ADMIN, .who = "ada"};
	take(world, &command, 1);
	assert_string_equal(world->last.text, "ada, admin");
	command_fini(&command);
	make(&command, "supervisor", "move", json_pack("{s:i}", "to", 3));
	command.person = (struct command_person){.is_there = true, .role = COMMAND_USER, .who = "ada"};
	take(world, &command, 1);
	assert_int_equal(world->last.code, COMMAND_REFUSED);
	assert_int_equal(world->moves, 0);
	command_fini(&command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_repeated_id_gets_the_first_answer_and_no_action, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_repeated_id_waits_for_the_answer_that_is_to_come, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_comes_too_late_does_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_fields_are_all_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_and_nothing_are_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(old_ids_make_room_and_those_at_work_do_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_id_is_kept_until_it_has_expired, set_up, tear_down),
		cmocka_unit_test_setup_teardown(jobs_do_not_take_all_places, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_changes_nothing_is_not_remembered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_person_is_that_of_the_command, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

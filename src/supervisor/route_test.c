/* route_test.c: who is meant by a command, who is asked, and what is answered where no answer comes. Nobody listens on
 * the bus here. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "enrgdaq/message.h"
#include "supervisor/route.h"

#define S 1000000000ull

static const struct enrg_message_type set = {.kind = "set", .summary = "sets"};
static const struct enrg_message_type *const messages[] = {&set, NULL};
static const struct enrg_job_type knob_type = {.name = "DAQJobKnob", .messages = messages};
static const struct enrg_job_type dice_type = {.name = "DAQJobDice"};

struct world {
	struct roster roster;
	struct member members[3];
	struct member *by_name[3];
	struct plan plans[3];
	struct job_config configs[3];
	struct type_entry types[3];
	struct bus_client *bus;
	struct commands *commands;
	struct route *route;
	int answers;
	struct command_answer last;
};

static void add(struct world *world, size_t index, const char *name, const struct enrg_job_type *type)
{
	world->types[index] = (struct type_entry){.job = type, .name = type->name};
	world->configs[index].type = &world->types[index];
	world->plans[index].name = (char *)(uintptr_t)name;
	world->plans[index].type = (char *)(uintptr_t)type->name;
	world->members[index] = (struct member){.config = &world->configs[index],
		.plan = &world->plans[index],
		.state = MEMBER_RUNNING,
		.child.pid = (pid_t)(1000 + index)};
	world->by_name[index] = &world->members[index];
}

static int set_up(void **state)
{
	const struct bus_client_params params = {.publish_url = "ipc:///dev/shm/nobody-publishes",
		.subscribe_url = "ipc:///dev/shm/nobody-subscribes",
		.supervisor = "lab",
		.job = "supervisor",
		.job_type = "Supervisor"};
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	add(world, 0, "a", &knob_type);
	add(world, 1, "b", &knob_type);
	add(world, 2, "dice", &dice_type);
	world->roster = (struct roster){.count = 3, .members = world->by_name, .by_name = world->by_name};
	assert_int_equal(bus_client_create(&params, &world->bus, NULL), 0);
	assert_int_equal(commands_create(&world->commands, NULL), 0);
	assert_int_equal(route_create(&world->roster, world->bus, world->commands, &world->route, NULL), 0);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	command_answer_fini(&world->last);
	route_destroy(world->route);
	commands_destroy(world->commands);
	bus_client_destroy(world->bus);
	free(world);
	return 0;
}

static void note(const struct command_asker *asker, const struct command_answer *answer)
{
	struct world *world = asker->context;

	world->answers++;
	command_answer_fini(&world->last);
	command_answer_copy(answer, &world->last);
}

static void ask(struct world *world, const char *to, const char *kind, struct command *ret_command)
{
	const struct command_asker asker = {.reply = note, .context = world};

	assert_int_equal(command_init(ret_command, to, kind, NULL, 5 * S), 0);
	commands_take(world->commands, ret_command, &asker);
}

static void check(struct world *world, const char *to, const char *kind, enum command_code code, const char *part)
{
	struct command command;
	int before = world->answers;

	ask(world, to, kind, &command);
	assert_int_equal(world->answers, before + 1);
	assert_int_equal(world->last.code, code);
	if (!strstr(world->last.text, part))
		fail_msg("\"%s\" lacks \"%s\"", world->last.text, part);
	assert_true(route_next_due(world->route) == UINT64_MAX);
	command_fini(&command);
}

static void who_can_not_take_it_is_answered_for_at_once(void **state)
{
	struct world *world = *state;

	check(world, "job dice", "set", COMMAND_NO_KIND,
		"dice (DAQJobDice) takes no command set; `enrgdaq describe DAQJobDice` lists what it takes");
	check(world, "job dcie", "set", COMMAND_NOBODY, "did you mean dice?");
	check(world, "type DAQJobKnbo", "set", COMMAND_NOBODY, "did you mean DAQJobKnob?");
	check(world, "all", "fly", COMMAND_NO_KIND, "no job here takes a command fly");
	check(world, "everybody", "set", COMMAND_NOBODY, "was expected");
	world->members[0].state = MEMBER_PAUSING;
	world->members[0].child.pid = 0;
	check(world, "job a", "set", COMMAND_REFUSED, "a is restarting: nothing was done");
	world->members[0].state = MEMBER_STARTING;
	world->members[0].child.pid = 1000;
	check(world, "job a", "set", COMMAND_REFUSED, "a is starting");
	world->members[1].stop_orders = 1;
	check(world, "job b", "set", COMMAND_REFUSED, "b is ending");
	check(world, "type DAQJobKnob", "set", COMMAND_REFUSED, "0 of 2 jobs have done it");
}

static void answer_as(
	struct world *world, const struct command *command, const char *job, int64_t pid, enum command_code code)
{
	struct command_answer answer = {.code = code, .fields = json_pack("{s:s}", "by", job)};
	struct envelope envelope = {.kind = "answer", .pid = pid};

	memcpy(answer.id, command->id, sizeof(answer.id));
	strcpy(envelope.job, job);
	envelope.body = command_answer_to_json(&answer);
	route_hear(world->route, &envelope);
	envelope_fini(&envelope);
	command_answer_fini(&answer);
}

static void the_answer_of_that_instance_alone_counts(void **state)
{
	struct world *world = *state;
	struct command command;

	ask(world, "job a", "set", &command);
	assert_int_equal(world->answers, 0);
	answer_as(world, &command, "a", 999, COMMAND_OK);
	answer_as(world, &command, "b", 1000, COMMAND_OK);
	assert_int_equal(world->answers, 0);
	answer_as(world, &command, "a", 1000, COMMAND_WRONG_FIELDS);
	assert_int_equal(world->answers, 1);
	assert_int_equal(world->last.code, COMMAND_WRONG_FIELDS);
	assert_string_equal(json_string_value(json_object_get(world->last.fields, "by")), "a");
	answer_as(world, &command, "a", 1000, COMMAND_OK);
	assert_int_equal(world->answers, 1);
	assert_true(route_next_due(world->route) == UINT64_MAX);
	command_fini(&command);
}

static void answers_of_several_are_gathered(void **state)
{
	struct world *world = *state;
	struct command command;
	json_t *one;

	ask(world, "all", "set", &command);
	answer_as(world, &command, "b", 1001, COMMAND_FAILED);
	assert_int_equal(world->answers, 0);
	answer_as(world, &command, "a", 1000, COMMAND_OK);
	assert_int_equal(world->answers, 1);
	assert_int_equal(world->last.code, COMMAND_FAILED);
	assert_string_equal(world->last.text, "1 of 2 jobs have done it");
	assert_int_equal(json_object_size(world->last.fields), 2);
	one = json_object_get(world->last.fields, "b");
	assert_string_equal(json_string_value(json_object_get(one, "answer")), "failed");
	command_fini(&command);
}

static void an_instance_that_ends_leaves_unknown_and_the_next_is_not_asked(void **state)
{
	struct world *world = *state;
	uint64_t now_ns = clock_mono_ns(), end_ns = now_ns + S;
	struct command command;

	ask(world, "job a", "set", &command);
	route_step(world->route, now_ns);
	assert_int_equal(world->answers, 0);
	world->members[0].child.pid = 2000; /* it is another one now */
	route_step(world->route, now_ns);
	assert_int_equal(world->answers, 0);
	while (!world->answers) {
		assert_true(route_next_due(world->route) > now_ns && now_ns < end_ns);
		now_ns = route_next_due(world->route);
		route_step(world->route, now_ns);
	}
	assert_int_equal(world->answers, 1);
	assert_int_equal(world->last.code, COMMAND_UNKNOWN);
	assert_non_null(strstr(world->last.text, "a ended before it had answered"));
	commands_take(world->commands, &command, &(struct command_asker){.reply = note, .context = world});
	assert_int_equal(world->answers, 2);
	assert_int_equal(world->last.code, COMMAND_UNKNOWN);
	command_fini(&command);
}

/* It answers and ends: its end is seen first. */
static void the_last_word_of_an_instance_that_has_ended_counts(void **state)
{
	struct world *world = *state;
	struct command command;

	ask(world, "job a", "set", &command);
	world->members[0].child.pid = 0;
	route_step(world->route, clock_mono_ns());
	assert_int_equal(world->answers, 0);
	answer_as(world, &command, "a", 1000, COMMAND_OK);
	assert_int_equal(world->answers, 1);
	assert_int_equal(world->last.code, COMMAND_OK);
	assert_true(route_next_due(world->route) == UINT64_MAX);
	command_fini(&command);
}

static void it_is_sent_again_until_the_time_is_over(void **state)
{
	struct world *world = *state;
	uint64_t now_ns = clock_mono_ns(), due_ns, looks = 0;
	struct command command;

	ask(world, "job a", "set", &command);
	while (!world->answers && looks < 100) {
		due_ns = route_next_due(world->route);
		assert_true(due_ns > now_ns && due_ns <= now_ns + 3 * S / 2);
		now_ns = due_ns;
		route_step(world->route, now_ns);
		looks++;
	}
	assert_true(looks > 5 && looks < 20);
	assert_int_equal(world->last.code, COMMAND_UNKNOWN);
	assert_non_null(strstr(world->last.text, "has not answered in time"));
	command_fini(&command);
}

static void no_more_are_under_way_than_are_allowed(void **state)
{
	struct world *world = *state;
	struct command command;

	for (unsigned i = 0; i < ROUTE_PENDING_MAX; i++) {
		ask(world, "job a", "set", &command);
		command_fini(&command);
	}
	assert_int_equal(world->answers, 0);
	ask(world, "job b", "set", &command);
	assert_int_equal(world->last.code, COMMAND_REFUSED);
	command_fini(&command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_can_not_take_it_is_answered_for_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_answer_of_that_instance_alone_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(answers_of_several_are_gathered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_instance_that_ends_leaves_unknown_and_the_next_is_not_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_last_word_of_an_instance_that_has_ended_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_is_sent_again_until_the_time_is_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_more_are_under_way_than_are_allowed, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

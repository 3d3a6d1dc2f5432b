/* receive_test.c: what a job does with messages: each command once, in time, for this instance; answers; reports. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "enrgdaq/message.h"
#include "handover/command.h"
#include "job/process/mailbox.h"
#include "job/source/receive.h"

#define S 1000000000ull

struct turn_body {
	int64_t value;
};

struct world {
	struct enrg_job job;
	struct process process;
	struct plan plan;
	int turns, alerts, others, replies;
	int64_t value;
	int rc_of_alert;
	enum enrg_answer_code code;
	char text[200], json[200];
};

static const struct enrg_option turn_fields[] = {
	{.key = "value",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct turn_body, value),
		.required = true,
		.min = 0,
		.max = 10,
		.help = "v"},
	{0},
};

static int turn(struct enrg_job *job, void *state, const void *body, struct enrg_answer *answer, struct enrg_error *err)
{
	struct world *world = state;

	assert_int_equal(receiver_take(job, err), 0); /* never inside of itself */
	world->turns++;
	world->value = ((const struct turn_body *)body)->value;
	enrg_fields_set_int(enrg_answer_fields(answer), "turns", world->turns);
	enrg_answer_set_text(answer, "turned to %d", (int)world->value);
	return world->value == 9 ? enrg_error_set(err, -EBUSY, "locked") : 0;
}

static int hear_alert(struct enrg_job *job, void *state, const struct enrg_alert *alert, struct enrg_error *err)
{
	struct world *world = state;

	(void)job;
	(void)err;
	assert_string_equal(alert->job, "camera");
	assert_int_equal(alert->severity, ENRG_ERROR);
	assert_string_equal(alert->message, "hot");
	assert_true(alert->time_ns == 5 * S / 2);
	world->alerts++;
	return world->rc_of_alert;
}

static int hear_other(struct enrg_job *job, void *state, const struct enrg_message *message, struct enrg_error *err)
{
	(void)job;
	(void)err;
	assert_string_equal(message->kind, "traces");
	assert_string_equal(message->json, "{\"a\":1}");
	((struct world *)state)->others++;
	return 0;
}

static const struct enrg_message_type turn_type = {.size = sizeof(turn_type),
	.kind = "turn",
	.summary = "turns",
	.body = {sizeof(struct turn_body), turn_fields},
	.receive = turn};
static const struct enrg_message_type *const messages[] = {&turn_type, NULL};
static const struct enrg_job_type type = {.size = sizeof(type),
	.name = "DAQJobKnob",
	.messages = messages,
	.on_alert = hear_alert,
	.on_message = hear_other};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->plan.name = (char *)"knob";
	world->plan.supervisor = (char *)"lab";
	world->process.plan = &world->plan;
	world->process.mailbox = mailbox_create();
	world->job.process = &world->process;
	world->job.type = &type;
	world->job.state = world;
	world->job.is_started = true;
	assert_int_equal(receiver_create(&world->job, NULL), 0);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	receiver_destroy(&world->job);
	mailbox_destroy(world->process.mailbox);
	free(world);
	return 0;
}

/* Takes the body. */
static void put(struct world *world, const char *topic, const char *kind, json_t *body)
{
	struct envelope envelope = {.job = "camera", .body = body, .wire_bytes = 100};

	strcpy(envelope.kind, kind);
	assert_true(mailbox_put(world->process.mailbox, topic, &envelope));
}

static void put_command(struct world *world, const struct command *command, pid_t pid)
{
	json_t *body = command_to_json(command);

	json_object_set_new(body, "for_pid", json_integer(pid));
	put(world, "daq_job.knob", "command", body);
}

static int take(struct world *world)
{
	struct enrg_error err = {0};

	return receiver_take(&world->job, &err);
}

/* The one answer that is on its way. */
static struct command_answer answer_of(struct world *world)
{
	struct mail_out *out = mailbox_take_out(world->process.mailbox);
	struct command_answer answer;

	assert_non_null(out);
	assert_string_equal(out->kind, "answer");
	assert_string_equal(out->topic, "supervisor.lab.internal");
	/* another thread will read it, and drop it */
	assert_int_equal(out->body->refcount, 1);
	assert_true(!json_object_get(out->body, "fields") || json_object_get(out->body, "fields")->refcount == 1);
	assert_int_equal(command_answer_from_json(out->body, &answer, NULL), 0);
	mail_out_free(out);
	assert_null(mailbox_take_out(world->process.mailbox));
	return answer;
}

static void make(struct command *command, int value)
{
	assert_int_equal(command_init(command, "job knob", "turn", json_pack("{s:i}", "value", value), 5 * S), 0);
}

static void a_command_acts_once_and_its_answer_comes_again(void **state)
{
	struct world *world = *state;
	struct command_answer first, again;
	struct command command;

	make(&command, 4);
	put_command(world, &command, getpid());
	assert_int_equal(take(world), 1);
	first = answer_of(world);
	assert_int_equal(first.code, COMMAND_OK);
	assert_string_equal(first.text, "turned to 4");
	command.expires_ns = 1; /* it was done in time */
	put_command(world, &command, getpid());
	assert_int_equal(take(world), 1);
	again = answer_of(world);
	assert_int_equal(again.code, COMMAND_OK);
	assert_true(json_equal(again.fields, first.fields));
	assert_int_equal(world->turns, 1);
	command_answer_fini(&first);
	command_answer_fini(&again);
	command_fini(&command);
}

static enum command_code code_after(struct world *world, struct command *command)
{
	struct command_answer answer;
	enum command_code code;

	put_command(world, command, getpid());
	assert_int_equal(take(world), 1);
	answer = answer_of(world);
	code = answer.code;
	command_answer_fini(&answer);
	return code;
}

static void none_acts_twice_however_many_came_since(void **state)
{
	struct world *world = *state;
	struct command commands[257];

	for (int i = 0; i < 257; i++) {
		make(&commands[i], 1);
		assert_int_equal(code_after(world, &commands[i]), COMMAND_OK);
	}
	assert_int_equal(code_after(world, &commands[1]), COMMAND_OK);
	assert_int_equal(code_after(world, &commands[0]), COMMAND_UNKNOWN); /* its answer has made room */
	assert_int_equal(world->turns, 257);
	for (int i = 0; i < 257; i++)
		command_fini(&commands[i]);
}

static void what_could_not_be_kept_is_refused(void **state)
{
	enum { KEPT = 4096 };
	struct world *world = *state;
	struct command command;

	for (int i = 0; i < KEPT; i++) {
		make(&command, 1);
		command.expires_ns += 3600 * S;
		assert_int_equal(code_after(world, &command), COMMAND_OK);
		command_fini(&command);
	}
	make(&command, 1);
	assert_int_equal(code_after(world, &command), COMMAND_REFUSED);
	assert_int_equal(world->turns, KEPT);
	command_fini(&command);
}

static void check_refusal(struct world *world, struct command *command, enum command_code code, const char *part)
{
	struct command_answer answer;

	put_command(world, command, getpid());
	assert_int_equal(take(world), 1);
	answer = answer_of(world);
	assert_int_equal(answer.code, code);
	assert_non_null(strstr(answer.text, part));
	command_answer_fini(&answer);
	command_fini(command);
}

static void what_is_wrong_or_late_is_answered_and_not_done(void **state)
{
	struct world *world = *state;
	struct command command;

	make(&command, 11);
	json_object_set_new(command.body, "valeu", json_true());
	check_refusal(world, &command, COMMAND_WRONG_FIELDS,
		"value: expected an integer from 0 to 10, found the integer 11; valeu: unknown key");
	make(&command, 1);
	command.expires_ns = clock_wall_ns() - 1;
	check_refusal(world, &command, COMMAND_EXPIRED, "nothing was done");
	make(&command, 1);
	strcpy(command.kind, "fly");
	check_refusal(world, &command, COMMAND_NO_KIND, "takes no command fly");
	assert_int_equal(world->turns, 0);
	make(&command, 9);
	check_refusal(world, &command, COMMAND_REFUSED, "locked");
}

static void what_is_meant_for_another_instance_or_malformed_is_left(void **state)
{
	struct world *world = *state;
	struct command command;

	make(&command, 1);
	put_command(world, &command, getpid() + 1);
	put(world, "daq_job.knob", "command", json_pack("{s:i, s:s}", "for_pid", (int)getpid(), "id", "x"));
	put(world, "daq_job.knob", "answer", json_object());
	assert_int_equal(take(world), 3);
	assert_int_equal(world->turns, 0);
	assert_null(mailbox_take_out(world->process.mailbox));
	command_fini(&command);
}

static void a_job_that_ends_refuses_and_still_hears(void **state)
{
	struct world *world = *state;
	struct command_answer answer;
	struct command command;

	make(&command, 1);
	put_command(world, &command, getpid());
	put(world, "alerts", "alert",
		json_pack("{s:s, s:s, s:s, s:f}", "daq_job", "camera", "severity", "ERROR", "message", "hot",
			"timestamp", 2.5));
	assert_int_equal(receiver_end(&world->job, NULL), 0);
	answer = answer_of(world);
	assert_int_equal(answer.code, COMMAND_REFUSED);
	assert_int_equal(world->turns, 0);
	assert_int_equal(world->alerts, 1);
	command_answer_fini(&answer);
	command_fini(&command);
}

static void reports_come_typed_and_a_failure_is_the_jobs(void **state)
{
	struct world *world = *state;

	json_t *alert = json_pack("{s:s, s:s, s:f}", "severity", "error", "message", "hot", "timestamp", 2.5);

	put(world, "alerts", "alert", alert);
	put(world, "traces.x", "traces", json_pack("{s:i}", "a", 1));
	world->rc_of_alert = -EIO;
	world->job.is_started = false;
	assert_int_equal(take(world), 0); /* nothing before `start` has returned */
	world->job.is_started = true;
	assert_int_equal(take(world), -EIO);
	assert_int_equal(world->alerts, 1);
	assert_int_equal(world->others, 0);
	assert_int_equal(take(world), 1);
	assert_int_equal(world->others, 1);
}

static void hear_reply(struct enrg_job *job, void *context, const struct enrg_reply *reply)
{
	struct world *world = context;

	assert_ptr_equal(job, &world->job);
	world->replies++;
	world->code = reply->code;
	strncpy(world->text, reply->text, sizeof(world->text) - 1);
	strncpy(world->json, reply->json, sizeof(world->json) - 1);
}

static void an_answer_finds_who_asked(void **state)
{
	struct world *world = *state;
	struct enrg_fields *fields = enrg_fields_create();
	const struct enrg_request request = {
		.to = "job hv", .kind = "set", .fields = fields, .on_answer = hear_reply, .context = world};
	struct command_answer answer = {.fields = json_pack("{s:i}", "n", 2)};
	struct command command;
	struct mail_out *out;

	assert_int_equal(enrg_fields_set_float(fields, "volts", 1.5), 0);
	assert_int_equal(enrg_fields_set_json(fields, "list", "[1"), -EINVAL);
	assert_int_equal(enrg_job_send(&world->job, &request, NULL), 0);
	out = mailbox_take_out(world->process.mailbox);
	assert_string_equal(out->kind, "command");
	assert_int_equal(command_from_json(out->body, &command, NULL), 0);
	assert_string_equal(command.to, "job hv");
	assert_true(json_real_value(json_object_get(command.body, "volts")) == 1.5);
	assert_string_equal(command.sender.name, "job knob");
	memcpy(answer.id, command.id, sizeof(answer.id));
	command_answer_set(&answer, COMMAND_FAILED, "no");
	for (int i = 0; i < 2; i++) /* twice: who asked hears it once */
		put(world, "daq_job.knob", "answer", command_answer_to_json(&answer));
	assert_int_equal(take(world), 2);
	assert_int_equal(world->replies, 1);
	assert_int_equal(world->code, ENRG_ANSWER_FAILED);
	assert_string_equal(world->text, "no");
	assert_string_equal(world->json, "{\"n\":2}");
	mail_out_free(out);
	command_fini(&command);
	command_answer_fini(&answer);
	enrg_fields_destroy(fields);
}

static void an_answer_that_does_not_come_is_unknown(void **state)
{
	struct world *world = *state;
	struct enrg_request request = {
		.to = "all", .kind = "x", .patience_ns = 1, .on_answer = hear_reply, .context = world};
	int rc = 0, sent = 0;

	assert_true(receiver_deadline(&world->job) == UINT64_MAX);
	while ((rc = enrg_job_send(&world->job, &request, NULL)) == 0 && sent < 1000)
		sent++;
	assert_int_equal(rc, -EAGAIN); /* no more than so many at once */
	assert_int_equal(sent, 64);
	uint64_t due_ns = receiver_deadline(&world->job), now_ns = clock_mono_ns();
	assert_true(due_ns > now_ns && due_ns < now_ns + 4 * S);
	while (clock_mono_ns() < due_ns + S / 100)
		usleep(10000);
	assert_int_equal(take(world), 64);
	assert_int_equal(world->replies, 64);
	assert_int_equal(world->code, ENRG_ANSWER_UNKNOWN);
	assert_true(receiver_deadline(&world->job) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_command_acts_once_and_its_answer_comes_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(none_acts_twice_however_many_came_since, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_could_not_be_kept_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_wrong_or_late_is_answered_and_not_done, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_meant_for_another_instance_or_malformed_is_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_job_that_ends_refuses_and_still_hears, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reports_come_typed_and_a_failure_is_the_jobs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_answer_finds_who_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_answer_that_does_not_come_is_unknown, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

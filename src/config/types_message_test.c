/* types_message_test.c: what a job type must say of the messages that it takes; modules of older and newer headers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "config/types.h"
#include "config/types_copy.h"
#include "config/types_message.h"
#include "enrgdaq/module.h"

struct body {
	int64_t a;
};

static const struct enrg_option fields[] = {
	{.key = "a", .kind = ENRG_OPTION_INT, .offset = offsetof(struct body, a), .help = "A."},
	{0},
};

static int start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	(void)job, (void)options, (void)ret_state;
	return enrg_error_set(err, -1, "never called");
}

static int receive(
	struct enrg_job *job, void *state, const void *body, struct enrg_answer *answer, struct enrg_error *err)
{
	(void)job, (void)state, (void)body, (void)answer;
	return enrg_error_set(err, -1, "never called");
}

static int on_alert(struct enrg_job *job, void *state, const struct enrg_alert *alert, struct enrg_error *err)
{
	(void)job, (void)state, (void)alert;
	return enrg_error_set(err, -1, "never called");
}

static void destroy(void *state)
{
	(void)state;
}

static const struct enrg_message_type good_message = {.size = sizeof(good_message),
	.kind = "set.it-now_1",
	.summary = "Sets.",
	.body = {sizeof(struct body), fields},
	.receive = receive};

static const struct enrg_job_type good_job = {
	.size = sizeof(good_job), .name = "DAQJobKnob", .summary = "Turns.", .start = start, .destroy = destroy};

static int check(const struct enrg_job_type *job, struct enrg_error *err)
{
	const struct enrg_job_type *const jobs[] = {job, NULL};
	const struct enrg_module module = {ENRG_MODULE_HEAD, .name = "m", .jobs = jobs};

	return types_check_module(&module, err);
}

/* A job with that message (and a second one) passes, or is refused with a text that holds `part`. */
static void assert_messages(const struct enrg_message_type *one, const struct enrg_message_type *two, const char *part)
{
	const struct enrg_message_type *const messages[] = {one, two, NULL};
	struct enrg_job_type job = good_job;
	struct enrg_error err = {0};

	job.messages = messages;
	if (!part) {
		if (check(&job, &err))
			fail_msg("%s", err.text);
		return;
	}
	assert_int_equal(check(&job, &err), ENRG_E_PLUGIN);
	if (!strstr(err.text, part))
		fail_msg("\"%s\" lacks \"%s\"", err.text, part);
}

static void a_job_without_poll_has_to_hear_something(void **state)
{
	struct enrg_job_type job = good_job;
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(check(&job, &err), ENRG_E_PLUGIN);
	assert_non_null(strstr(err.text, "no function poll"));
	job.on_alert = on_alert;
	assert_int_equal(check(&job, &err), 0);
	assert_messages(&good_message, NULL, NULL);
}

static void a_message_has_to_be_whole(void **state)
{
	struct enrg_message_type message = good_message;
	const struct enrg_option twice[] = {fields[0], fields[0], {0}};

	(void)state;
	message.kind = "set it";
	assert_messages(&message, NULL, "a kind is at most 63 letters");
	message.kind = "";
	assert_messages(&message, NULL, "a kind is at most 63 letters");
	message = good_message;
	message.receive = NULL;
	assert_messages(&message, NULL, "message set.it-now_1: no function receive");
	message = good_message;
	message.summary = NULL;
	assert_messages(&message, NULL, "no summary");
	message = good_message;
	message.body.options = twice;
	assert_messages(&message, NULL, "job DAQJobKnob: message set.it-now_1: option a: the key stands there twice");
	message = good_message;
	message.size = 8;
	assert_messages(&message, NULL, "size 8 is not that of such a table");
	message = good_message;
	assert_messages(&message, &good_message, "two messages have the kind set.it-now_1");
}

struct newer_message {
	struct enrg_message_type type;
	const char *more[4];
};

static void one_of_newer_headers_is_taken_with_what_is_known(void **state)
{
	struct newer_message message = {.type = good_message, .more = {"a", "b", "c", "d"}};
	const struct enrg_message_type *const messages[] = {&message.type, NULL};
	struct enrg_job_type job = good_job;
	const struct enrg_job_type *const jobs[] = {&job, NULL};
	const struct enrg_module module = {ENRG_MODULE_HEAD, .name = "m", .jobs = jobs};
	struct module_copy *copy = NULL;

	(void)state;
	message.type.size = sizeof(message);
	job.messages = messages;
	assert_int_equal(module_copy_create(&module, &copy, NULL), 0);
	const struct enrg_job_type *copied = module_copy_get(copy)->jobs[0];
	assert_ptr_not_equal(copied->messages[0], &message.type);
	assert_ptr_equal(copied->messages[0]->receive, receive);
	assert_null(copied->messages[1]);
	assert_ptr_equal(types_find_message(copied->messages, "set.it-now_1"), copied->messages[0]);
	assert_null(types_find_message(copied->messages, "set"));
	assert_true(types_hears(copied));
	module_copy_free(copy);
}

/* One that was built before there were messages says so by its size. */
static void one_of_older_headers_hears_nothing(void **state)
{
	struct enrg_job_type job = good_job;
	const struct enrg_job_type *const jobs[] = {&job, NULL};
	const struct enrg_module module = {ENRG_MODULE_HEAD, .name = "m", .jobs = jobs};
	struct module_copy *copy = NULL;

	(void)state;
	job.size = offsetof(struct enrg_job_type, messages);
	job.messages = (const struct enrg_message_type *const *)(uintptr_t)8; /* whatever lies behind it */
	assert_int_equal(module_copy_create(&module, &copy, NULL), 0);
	assert_null(module_copy_get(copy)->jobs[0]->messages);
	assert_false(types_hears(module_copy_get(copy)->jobs[0]));
	module_copy_free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_without_poll_has_to_hear_something),
		cmocka_unit_test(a_message_has_to_be_whole),
		cmocka_unit_test(one_of_newer_headers_is_taken_with_what_is_known),
		cmocka_unit_test(one_of_older_headers_hears_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* alarm.c: the job DAQJobKitAlarm of the author's test kit: raises an alert when it is told to. Knows the installed
 * headers alone. */
#include <errno.h>
#include <stdlib.h>

#include <enrgdaq/job.h>
#include <enrgdaq/message.h>

static const struct enrg_option nothing[] = {{.key = NULL}};

static int start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	(void)job, (void)options;
	void *state = malloc(1);
	if (!state)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	*ret_state = state;
	return 0;
}

static int raise_alert(
	struct enrg_job *job, void *state, const void *body, struct enrg_answer *answer, struct enrg_error *err)
{
	(void)state, (void)body, (void)answer, (void)err;
	enrg_job_alert(job, ENRG_ERROR, "raised by the test kit");
	return 0;
}

static const struct enrg_message_type raise_type = {.size = sizeof(struct enrg_message_type),
	.kind = "raise",
	.summary = "Raises an alert.",
	.body = {.size = 1, .options = nothing},
	.receive = raise_alert};
static const struct enrg_message_type *const messages[] = {&raise_type, NULL};
static const struct enrg_job_type alarm_type = {.size = sizeof(struct enrg_job_type),
	.name = "DAQJobKitAlarm",
	.summary = "Raises an alert when it is told to, for the tests of services.",
	.options = {.size = 1, .options = nothing},
	.start = start,
	.destroy = free,
	.messages = messages};
static const struct enrg_job_type *const jobs[] = {&alarm_type, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "kit_alarm", .jobs = jobs};

/* crier.c: the job DAQJobCrier, a module of tests: raises the alerts that it is told to. Knows the installed headers
 * alone. */
#include <stdlib.h>

#include <enrgdaq/job.h>
#include <enrgdaq/message.h>

struct cry_body {
	const char *text;
	int severity;
	int64_t count;
};

static const struct enrg_choice severities[] = {
	{"info", ENRG_INFO}, {"warning", ENRG_WARNING}, {"error", ENRG_ERROR}, {NULL, 0}};

static const struct enrg_option cry_fields[] = {
	{.key = "text",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct cry_body, text),
		.required = true,
		.help = "What."},
	{.key = "severity",
		.kind = ENRG_OPTION_CHOICE,
		.offset = offsetof(struct cry_body, severity),
		.default_value = "\"warning\"",
		.choices = severities,
		.help = "How bad."},
	{.key = "count",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct cry_body, count),
		.default_value = "1",
		.help = "How often."},
	{.key = NULL},
};

static int cry(struct enrg_job *job, void *state, const void *body, struct enrg_answer *answer, struct enrg_error *err)
{
	const struct cry_body *wanted = body;

	(void)state;
	(void)answer;
	(void)err;
	for (int64_t i = 0; i < wanted->count; i++)
		enrg_job_alert(job, (enum enrg_level)wanted->severity, "%s", wanted->text);
	return 0;
}

static int start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	(void)job;
	(void)options;
	(void)err;
	*ret_state = malloc(1);
	return 0;
}

static const struct enrg_message_type message = {.size = sizeof(struct enrg_message_type),
	.kind = "cry",
	.summary = "Raises an alert.",
	.body = {.size = sizeof(struct cry_body), .options = cry_fields},
	.receive = cry};
static const struct enrg_message_type *const messages[] = {&message, NULL};
static const struct enrg_option no_options[] = {{.key = NULL}};

static const struct enrg_job_type crier = {.size = sizeof(struct enrg_job_type),
	.name = "DAQJobCrier",
	.summary = "Cries.",
	.options = {.size = 1, .options = no_options},
	.start = start,
	.destroy = free,
	.messages = messages};
static const struct enrg_job_type *const jobs[] = {&crier, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "crier", .jobs = jobs};

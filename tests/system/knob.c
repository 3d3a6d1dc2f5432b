/* knob.c: the job DAQJobKnob, a module of tests: takes commands, gives commands, and writes down what it hears. Knows
 * the installed headers alone. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <enrgdaq/job.h>
#include <enrgdaq/message.h>

struct keys {
	const char *diary; /* a file that gets a line for all that happens */
};

struct knob {
	const struct keys *keys;
	struct enrg_output *output;
	int64_t value;
	int turns;
};

static const struct enrg_option keys[] = {
	{.key = "diary", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct keys, diary), .help = "File."},
	{.key = NULL},
};

static void note(const struct knob *knob, const char *what, const char *text)
{
	FILE *file = knob->keys->diary ? fopen(knob->keys->diary, "ae") : NULL;

	if (!file)
		return;
	fprintf(file, "%s %s\n", what, text);
	fclose(file);
}

static const struct enrg_column columns[] = {{.name = "value", .type = ENRG_I64}};
static const struct enrg_schema schema = {.column_count = 1, .columns = columns};

static int start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	struct knob *knob = calloc(1, sizeof(*knob));
	int rc;

	if (!knob)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	knob->keys = options;
	rc = enrg_output_open(job, "store_config", NULL, &schema, &knob->output, err);
	if (rc < 0)
		free(knob);
	else
		*ret_state = knob;
	return rc;
}

/* --- commands that it takes --- */

struct set_body {
	int64_t value;
	double factor;
	const char *mode;
};

static const struct enrg_option set_fields[] = {
	{.key = "value",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct set_body, value),
		.required = true,
		.min = 0,
		.max = 10,
		.unit = "V",
		.help = "Where to."},
	{.key = "factor",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct set_body, factor),
		.default_value = "1.0",
		.help = "Times."},
	{.key = "mode", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct set_body, mode), .help = "How."},
	{.key = NULL},
};

static int set(struct enrg_job *job, void *state, const void *body, struct enrg_answer *answer, struct enrg_error *err)
{
	const struct set_body *wanted = body;
	struct knob *knob = state;
	const struct enrg_value row = {.i = wanted->value};

	(void)job;
	if (wanted->mode && !strcmp(wanted->mode, "locked"))
		return enrg_error_set(err, -EBUSY, "the knob is locked");
	if (wanted->mode && !strcmp(wanted->mode, "broken"))
		return enrg_error_set(err, -EIO, "the knob came off");
	knob->value = (int64_t)((double)wanted->value * wanted->factor);
	knob->turns++;
	note(knob, "set", wanted->mode ? wanted->mode : "");
	enrg_fields_set_int(enrg_answer_fields(answer), "value", knob->value);
	enrg_fields_set_int(enrg_answer_fields(answer), "turns", knob->turns);
	enrg_fields_set_json(enrg_answer_fields(answer), "list", "[1, {\"a\": true}]");
	enrg_answer_set_text(answer, "turned to %d", (int)knob->value);
	return enrg_output_append(knob->output, &row, err);
}

/* Acts, and is gone before it can answer. */
static int die(struct enrg_job *job, void *state, const void *body, struct enrg_answer *answer, struct enrg_error *err)
{
	(void)job;
	(void)body;
	(void)answer;
	(void)err;
	note(state, "die", "");
	raise(SIGKILL);
	return 0;
}

static int nap(struct enrg_job *job, void *state, const void *body, struct enrg_answer *answer, struct enrg_error *err)
{
	(void)job;
	(void)body;
	(void)answer;
	(void)err;
	note(state, "nap", "");
	nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 500000000}, NULL);
	return 0;
}

/* --- commands that it gives --- */

struct pass_body {
	const char *to, *kind;
	int64_t value;
};

static const struct enrg_option pass_fields[] = {
	{.key = "to",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct pass_body, to),
		.required = true,
		.help = "Whom."},
	{.key = "kind",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct pass_body, kind),
		.default_value = "\"set\"",
		.help = "What."},
	{.key = "value",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct pass_body, value),
		.default_value = "3",
		.help = "Where to."},
	{.key = NULL},
};

static void hear_answer(struct enrg_job *job, void *context, const struct enrg_reply *reply)
{
	char text[1500];

	(void)job;
	snprintf(text, sizeof(text), "%d %s %s", (int)reply->code, reply->text, reply->json);
	note(context, "answer", text);
}

static int pass_on(
	struct enrg_job *job, void *state, const void *body, struct enrg_answer *answer, struct enrg_error *err)
{
	const struct pass_body *wanted = body;
	struct enrg_fields *fields = enrg_fields_create();
	const struct enrg_request request = {.to = wanted->to,
		.kind = wanted->kind,
		.fields = fields,
		.patience_ns = 3000000000u,
		.on_answer = hear_answer,
		.context = state};
	int rc;

	(void)answer;
	if (!fields)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	if (!strcmp(wanted->kind, "set"))
		enrg_fields_set_int(fields, "value", wanted->value);
	rc = enrg_job_send(job, &request, err);
	enrg_fields_destroy(fields);
	return rc;
}

/* As many commands as go out in a second. */
static int flood(
	struct enrg_job *job, void *state, const void *body, struct enrg_answer *answer, struct enrg_error *err)
{
	const struct pass_body *wanted = body;
	const struct enrg_request request = {.to = wanted->to, .kind = wanted->kind};
	struct timespec now, begin;
	int sent = 0;

	(void)state;
	(void)err;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		if (enrg_job_send(job, &request, NULL) == 0)
			sent++;
		else
			nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - begin.tv_sec + (now.tv_nsec - begin.tv_nsec) / 1e9 < 1.0);
	enrg_fields_set_int(enrg_answer_fields(answer), "sent", sent);
	return 0;
}

static int warn(struct enrg_job *job, void *state, const void *body, struct enrg_answer *answer, struct enrg_error *err)
{
	(void)state;
	(void)body;
	(void)answer;
	(void)err;
	enrg_job_alert(job, ENRG_WARNING, "the knob is \"warm\", 40 °C");
	return 0;
}

static int listen_to(
	struct enrg_job *job, void *state, const void *body, struct enrg_answer *answer, struct enrg_error *err)
{
	const struct pass_body *wanted = body;

	(void)state;
	(void)answer;
	return enrg_job_subscribe(job, wanted->to, err);
}

/* --- reports that it hears --- */

static int hear_alert(struct enrg_job *job, void *state, const struct enrg_alert *alert, struct enrg_error *err)
{
	char text[1500];

	(void)job;
	(void)err;
	snprintf(text, sizeof(text), "%s %d %s%s", alert->job, (int)alert->severity, alert->message,
		alert->is_late ? " (late)" : "");
	note(state, "alert", text);
	return 0;
}

static int hear_stats(struct enrg_job *job, void *state, const struct enrg_stats *stats, struct enrg_error *err)
{
	char text[1500];

	(void)job;
	(void)err;
	snprintf(text, sizeof(text), "%s %s %llu", stats->sender.job, stats->sender.job_type,
		(unsigned long long)stats->sent_rows);
	note(state, "stats", text);
	return 0;
}

static int hear_started(struct enrg_job *job, void *state, const struct enrg_started *started, struct enrg_error *err)
{
	char text[1500];

	(void)job;
	(void)err;
	snprintf(text, sizeof(text), "%s %s %llu", started->job, started->job_type, (unsigned long long)started->life);
	note(state, "started", text);
	return 0;
}

static int hear_stopped(struct enrg_job *job, void *state, const struct enrg_stopped *stopped, struct enrg_error *err)
{
	char text[1500];

	(void)job;
	(void)err;
	snprintf(text, sizeof(text), "%s %s %d", stopped->job, stopped->how, (int)stopped->is_coming_back);
	note(state, "stopped", text);
	return 0;
}

static int hear_trace(struct enrg_job *job, void *state, const struct enrg_trace *trace, struct enrg_error *err)
{
	char text[1500];

	(void)job;
	(void)err;
	snprintf(text, sizeof(text), "%s %s %s %s %s>%s %llu %llu %llu %d %d",
		trace->event == ENRG_TRACE_RECEIVED ? "received" : "sent", trace->message_id, trace->message_type,
		trace->source_job, trace->source_supervisor, trace->dest_job, (unsigned long long)trace->rows,
		(unsigned long long)trace->size_bytes, (unsigned long long)trace->sampled_every,
		trace->seen >= trace->told && trace->told > 0,
		trace->event == ENRG_TRACE_SENT ? trace->received_ns == 0
						: trace->received_ns >= trace->sent_ns && trace->latency_ms >= 0);
	note(state, "trace", text);
	return 0;
}

static int hear_message(struct enrg_job *job, void *state, const struct enrg_message *message, struct enrg_error *err)
{
	char text[1500];

	(void)job;
	(void)err;
	snprintf(text, sizeof(text), "%s %s %.100s", message->topic, message->kind, message->json);
	note(state, "message", text);
	return 0;
}

/* --- types --- */

static const struct enrg_option no_fields[] = {{.key = NULL}};

#define MESSAGE(name, words, type, table, function)                                                                    \
	{                                                                                                              \
		.size = sizeof(struct enrg_message_type), .kind = name, .summary = words,                              \
		.body = {.size = sizeof(type), .options = table}, .receive = function                                  \
	}

static const struct enrg_message_type messages[] = {
	MESSAGE("set", "Turns the knob.", struct set_body, set_fields, set),
	MESSAGE("die", "Dies between action and answer.", char, no_fields, die),
	MESSAGE("nap", "Sleeps.", char, no_fields, nap),
	MESSAGE("pass", "Gives a command to others.", struct pass_body, pass_fields, pass_on),
	MESSAGE("warn", "Raises an alert.", char, no_fields, warn),
	MESSAGE("listen", "Subscribes to a topic.", struct pass_body, pass_fields, listen_to),
	MESSAGE("flood", "Gives commands for a second.", struct pass_body, pass_fields, flood),
};

static const struct enrg_message_type *const message_list[] = {
	&messages[0], &messages[1], &messages[2], &messages[3], &messages[4], &messages[5], &messages[6], NULL};

static int poll_once(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct knob *knob = state;
	const struct enrg_value row = {.i = -1};

	(void)job;
	return enrg_output_append(knob->output, &row, err);
}

static const struct enrg_job_group groups[] = {{.key = "store_config", .help = "A store."}, {.key = NULL}};

/* A service, and the same that polls as well. */
static const struct enrg_job_type knob = {.size = sizeof(struct enrg_job_type),
	.name = "DAQJobKnob",
	.summary = "Turns.",
	.options = {.size = sizeof(struct keys), .options = keys},
	.groups = groups,
	.start = start,
	.destroy = free,
	.messages = message_list,
	.on_alert = hear_alert,
	.on_stats = hear_stats,
	.on_started = hear_started,
	.on_stopped = hear_stopped,
	.on_trace = hear_trace,
	.on_message = hear_message};

static const struct enrg_job_type polled = {.size = sizeof(struct enrg_job_type),
	.name = "DAQJobPolledKnob",
	.summary = "Turns, and is polled.",
	.options = {.size = sizeof(struct keys), .options = keys},
	.groups = groups,
	.start = start,
	.poll = poll_once,
	.destroy = free,
	.messages = message_list};

static const struct enrg_job_type *const jobs[] = {&knob, &polled, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "knob", .jobs = jobs};

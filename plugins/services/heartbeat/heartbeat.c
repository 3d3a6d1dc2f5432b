/* heartbeat.c: DAQJobHeartbeat: fetches a URL each minute while all is well, so that somebody elsewhere notices where
 * it is not, or where this machine is dead. A service: it hears on its main thread, and fetches on a device's. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "enrgdaq/device.h"
#include "enrgdaq/job.h"
#include "enrgdaq/message.h"
#include "http/http.h"
#include "state/state.h"
#include "well.h"

#define SECOND_NS 1000000000ull
#define HANG_S    30 /* beyond its time-out, before a call counts as hung */
#define RETRY_NS  (5 * SECOND_NS)
#define ALERT_NS  (300 * SECOND_NS)  /* beats that get nowhere for so long are an alert … */
#define AGAIN_NS  (3600 * SECOND_NS) /* … and again */

#define AT(member) offsetof(struct heartbeat_options, member)

struct heartbeat_options {
	const char *heartbeat_url, *state_file;
	double interval_seconds, forget_minutes;
	struct http_options http;
};

static const struct enrg_option heartbeat_option_list[] = {
	{.key = "heartbeat_url",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(heartbeat_url),
		.required = true,
		.secret = true,
		.help = "Fetched (GET) while all is well.",
		.example = "\"https://example.org/ping/lab\""},
	{.key = "interval_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(interval_seconds),
		.default_value = "60.0",
		.min = 0.1,
		.max = 86400,
		.unit = "s",
		.help = "From one fetch to the next."},
	{.key = "forget_minutes",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(forget_minutes),
		.default_value = "0.0",
		.min = 0,
		.max = 525600,
		.unit = "min",
		.help = "An error that nobody acknowledged is over after so long without another one; 0 = it never "
			"is."},
	{.key = "state_file",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(state_file),
		.runs_code = true,
		.help = "What outlives a kill of this job; without the key out/state/SUPERVISOR.JOB.heartbeat."},
	{.key = "http", .kind = ENRG_OPTION_INCLUDE, .offset = AT(http), .table = &http_table},
	{.key = NULL},
};

struct heartbeat {
	struct enrg_job *job;
	const struct heartbeat_options *options;
	struct well well;
	struct state state;
	struct enrg_device *device;
	_Atomic bool is_ending;
	bool is_fetching;
	struct http_result result; /* of the device's thread while it is */

	uint64_t due_ns; /* CLOCK_MONOTONIC, the next beat */
	uint64_t beats;
	uint64_t outage_ns, told_ns; /* since when beats get nowhere, and the last alert about it; 0: they do */
	bool is_well, is_well_told, is_state_told;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static int heartbeat_check(const void *options, struct enrg_error *err)
{
	const struct heartbeat_options *chosen = options;
	int rc = http_check_options(&chosen->http, err);

	return rc ? rc : http_check_url(chosen->heartbeat_url, "heartbeat_url", &chosen->http, err);
}

/* --- what outlives a kill ---------------------------------------------------------------------------------------- */

static void tell_state(struct heartbeat *self, const struct enrg_error *err)
{
	if (!self->is_state_told)
		enrg_job_alert(self->job, ENRG_WARNING,
			"%s: should this job be killed, an error that nobody acknowledged is forgotten; repair it, or "
			"set "
			"state_file",
			err->text);
	self->is_state_told = true;
}

static void save(struct heartbeat *self)
{
	struct enrg_error err = {0};
	char *text = self->state.folder ? well_format(&self->well) : NULL;

	if (text && state_replace(&self->state, text, strlen(text), &err))
		tell_state(self, &err);
	else if (text)
		self->is_state_told = false;
	free(text);
}

static int load(struct heartbeat *self, struct enrg_error *err)
{
	char path[PATH_MAX], *text = NULL;
	size_t count;
	struct enrg_error why = {0};

	state_format_path(self->job, self->options->state_file, "heartbeat", path);
	int rc = state_open(&self->state, path, &why);
	if (rc == -EBUSY)
		return enrg_error_set(err, rc, "%s", why.text);
	if (!rc)
		rc = state_read(&self->state, &text, &count, &why);
	well_parse(&self->well, text);
	free(text);
	if (rc)
		tell_state(self, &why);
	return 0;
}

/* --- what is heard ----------------------------------------------------------------------------------------------- */

/* Says once that beats end, and once that they go on. */
static void tell_wellness(struct heartbeat *self, uint64_t now_ns)
{
	char why[WELL_TEXT_BYTES];
	bool is_well = well_judge(&self->well, now_ns, why);

	if ((is_well == self->is_well && self->is_well_told) || !self->well.heard_ns)
		return;
	self->is_well = is_well;
	self->is_well_told = true;
	if (is_well)
		enrg_job_log(self->job, ENRG_INFO, "all is well: the heartbeat goes out");
	else
		enrg_job_log(self->job, ENRG_WARNING,
			"no heartbeat goes out, since not all is well: %s; `enrgdaq send %s acknowledge` when somebody "
			"has "
			"looked at errors, `enrgdaq alarms ack` for alarms",
			why, enrg_job_name(self->job));
}

static int hear_alert(struct enrg_job *job, void *state, const struct enrg_alert *alert, struct enrg_error *err)
{
	struct heartbeat *self = state;

	(void)err;
	/* alarms of the supervisor are in what it says of all, and acknowledged there */
	if (alert->severity >= ENRG_ERROR && alert->event == ENRG_ALERT_ONCE &&
		!strcmp(alert->sender.supervisor, enrg_job_supervisor(job)) &&
		well_note_error(&self->well, alert->time_ns, alert->job, alert->message))
		save(self);
	return 0;
}

static int hear_message(struct enrg_job *job, void *state, const struct enrg_message *message, struct enrg_error *err)
{
	struct heartbeat *self = state;

	(void)err;
	if (!strcmp(message->kind, "combined_stats") && !strcmp(message->sender.supervisor, enrg_job_supervisor(job)) &&
		well_note_status(&self->well, message->json, clock_ns(CLOCK_MONOTONIC)))
		save(self);
	return 0;
}

/* --- commands ---------------------------------------------------------------------------------------------------- */

static int answer_state(
	struct enrg_job *job, void *state, const void *body, struct enrg_answer *answer, struct enrg_error *err)
{
	struct heartbeat *self = state;
	struct enrg_fields *fields = enrg_answer_fields(answer);
	char why[WELL_TEXT_BYTES];

	(void)job;
	(void)body;
	(void)err;
	enrg_fields_set_bool(fields, "is_well", well_judge(&self->well, clock_ns(CLOCK_MONOTONIC), why));
	enrg_fields_set_string(fields, "why_not", why);
	enrg_fields_set_int(fields, "beats", (int64_t)self->beats);
	return 0;
}

static int acknowledge(
	struct enrg_job *job, void *state, const void *body, struct enrg_answer *answer, struct enrg_error *err)
{
	struct heartbeat *self = state;

	if (well_acknowledge(&self->well, clock_ns(CLOCK_REALTIME)))
		enrg_answer_set_text(answer, "acknowledged");
	else
		enrg_answer_set_text(answer, "there was no error");
	save(self);
	return answer_state(job, state, body, answer, err);
}

static const struct enrg_option no_fields[] = {{.key = NULL}};

static const struct enrg_message_type state_message = {
	.size = sizeof(struct enrg_message_type),
	.kind = "state",
	.summary = "Whether all is well, and why not.",
	.body = {.size = 1, .options = no_fields},
	.receive = answer_state,
};

static const struct enrg_message_type acknowledge_message = {
	.size = sizeof(struct enrg_message_type),
	.kind = "acknowledge",
	.summary = "Somebody has looked at the errors up to now: the heartbeat goes on.",
	.body = {.size = 1, .options = no_fields},
	.receive = acknowledge,
};

static const struct enrg_message_type *const heartbeat_messages[] = {&state_message, &acknowledge_message, NULL};

/* --- beats ------------------------------------------------------------------------------------------------------- */

/* On the device's thread. */
static int fetch(void *context, struct enrg_error *err)
{
	struct heartbeat *self = context;
	const struct http_request request = {
		.options = &self->options->http,
		.url = self->options->heartbeat_url,
		.is_ending = &self->is_ending,
	};

	return http_send(&request, &self->result, err);
}

static void note_failure(struct heartbeat *self, const struct enrg_error *why, uint64_t now_ns)
{
	bool is_first = !self->outage_ns;

	if (is_first)
		self->outage_ns = now_ns;
	bool is_due = self->told_ns ? now_ns - self->told_ns >= AGAIN_NS : now_ns - self->outage_ns >= ALERT_NS;
	if (is_due) {
		self->told_ns = now_ns;
		enrg_job_alert(self->job, ENRG_WARNING,
			"the heartbeat gets nowhere for %.0f s: %s; who waits for it takes this machine for dead; data "
			"are not "
			"touched by it",
			(double)(now_ns - self->outage_ns) / 1e9, why->text);
	} else if (is_first) {
		enrg_job_log(self->job, ENRG_WARNING, "a heartbeat got nowhere: %s; it is tried again", why->text);
	}
}

static void take_result(struct heartbeat *self)
{
	struct enrg_device_result result;
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	uint64_t interval_ns = (uint64_t)(self->options->interval_seconds * 1e9);

	if (!self->is_fetching || enrg_device_take(self->device, &result) != 1)
		return;
	self->is_fetching = false;
	if (result.rc == -ECANCELED)
		return;
	if (result.rc) {
		self->due_ns = now_ns + (interval_ns < RETRY_NS ? interval_ns : RETRY_NS);
		note_failure(self, &result.err, now_ns);
		return;
	}
	self->beats++;
	if (self->outage_ns)
		enrg_job_log(self->job, ENRG_WARNING, "the heartbeat arrives again, after %.0f s",
			(double)(now_ns - self->outage_ns) / 1e9);
	self->outage_ns = self->told_ns = 0;
}

/* When to look again. */
static uint64_t beat(struct heartbeat *self)
{
	const struct enrg_device_work work = {.name = "the heartbeat",
		.run = fetch,
		.context = self,
		.deadline_ns = (uint64_t)((self->options->http.timeout_seconds + HANG_S) * 1e9)};
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	if (well_forget(&self->well, (uint64_t)(self->options->forget_minutes * 60e9), clock_ns(CLOCK_REALTIME)))
		save(self);
	tell_wellness(self, now_ns);
	if (self->is_fetching || now_ns < self->due_ns || !self->is_well)
		return now_ns < self->due_ns ? self->due_ns : now_ns + SECOND_NS;
	if (enrg_device_post(self->device, &work) == 0)
		self->is_fetching = true;
	self->due_ns = now_ns + (uint64_t)(self->options->interval_seconds * 1e9);
	return self->due_ns;
}

static int heartbeat_poll(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct heartbeat *self = state;
	struct pollfd entries[2] = {{.fd = enrg_device_descriptor(self->device), .events = POLLIN}};

	take_result(self);
	uint64_t due_ns = beat(self), now_ns = clock_ns(CLOCK_MONOTONIC);
	int rc = enrg_job_wait_fd(job, entries, 1, due_ns > now_ns ? due_ns - now_ns : 0, err);
	return rc < 0 ? rc : ENRG_POLL_AGAIN;
}

/* --- the job ----------------------------------------------------------------------------------------------------- */

static void heartbeat_destroy(void *state)
{
	struct heartbeat *self = state;

	if (!self)
		return;
	atomic_store_explicit(&self->is_ending, true, memory_order_relaxed);
	if (!enrg_device_destroy(self->device))
		return; /* its thread hangs, and may still look at all that is here */
	state_close(&self->state);
	free(self);
}

static int heartbeat_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	struct heartbeat *self = calloc(1, sizeof(*self));
	char topic[300];

	if (!self)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	self->job = job;
	self->options = options;
	snprintf(topic, sizeof(topic), "stats.combined.supervisor.%s", enrg_job_supervisor(job));
	int rc = http_init(err);
	if (!rc)
		rc = load(self, err);
	if (!rc)
		rc = enrg_job_subscribe(job, topic, err);
	if (!rc)
		rc = enrg_device_create(job, "heartbeat", 1, &self->device, err);
	if (rc)
		heartbeat_destroy(self);
	else
		*ret_state = self;
	return rc;
}

static const struct enrg_job_type heartbeat_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobHeartbeat",
	.summary = "Fetches a URL each minute while all is well, so that a dead machine is noticed elsewhere.",
	.options = {.size = sizeof(struct heartbeat_options), .options = heartbeat_option_list},
	.start = heartbeat_start,
	.poll = heartbeat_poll,
	.destroy = heartbeat_destroy,
	.check = heartbeat_check,
	.messages = heartbeat_messages,
	.on_alert = hear_alert,
	.on_message = hear_message,
	.is_service = true,
};

static const struct enrg_job_type *const heartbeat_jobs[] = {&heartbeat_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "heartbeat", .jobs = heartbeat_jobs};

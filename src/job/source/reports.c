/* reports.c: bodies of messages into structs. */
#include "job/source/reports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "enrgdaq/message.h"
#include "handover/statistics.h"
#include "job/source/combined.h"

static const char *text(const json_t *body, const char *key)
{
	const char *value = json_string_value(json_object_get(body, key));

	return value ? value : "";
}

static uint64_t count(const json_t *body, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(body, key));

	return value > 0 ? (uint64_t)value : 0;
}

static double number(const json_t *body, const char *key)
{
	return json_number_value(json_object_get(body, key));
}

static struct enrg_sender sender_of(const struct envelope *envelope)
{
	return (struct enrg_sender){.supervisor = envelope->supervisor,
		.job = envelope->job,
		.job_type = envelope->job_type,
		.pid = envelope->pid,
		.sent_ns = envelope->sent_wall_ns};
}

/* Any case; what is unknown is an error rather than nothing. */
static enum enrg_level severity_of(const char *name)
{
	if (!strcasecmp(name, "info"))
		return ENRG_INFO;
	return !strcasecmp(name, "warning") ? ENRG_WARNING : ENRG_ERROR;
}

static enum enrg_alert_event event_of(const char *name)
{
	if (!strcmp(name, "begins"))
		return ENRG_ALERT_BEGINS;
	if (!strcmp(name, "again"))
		return ENRG_ALERT_AGAIN;
	return !strcmp(name, "ends") ? ENRG_ALERT_ENDS : ENRG_ALERT_ONCE;
}

static int hand_alert(struct enrg_job *job, const struct envelope *envelope, struct enrg_error *err)
{
	const json_t *body = envelope->body;
	double time_s = number(body, "timestamp");
	const struct enrg_alert alert = {
		.sender = sender_of(envelope),
		.job = text(body, "daq_job")[0] ? text(body, "daq_job") : envelope->job,
		.severity = severity_of(text(body, "severity")),
		.message = text(body, "message"),
		.time_ns = time_s > 0 && time_s < 9e9 ? (uint64_t)(time_s * 1e9) : envelope->sent_wall_ns,
		.key = text(body, "key"),
		.event = event_of(text(body, "event")),
		.is_late = json_is_true(json_object_get(body, "late")),
	};

	return job->type->on_alert(job, job->state, &alert, err);
}

static int hand_stats(struct enrg_job *job, const struct envelope *envelope, struct enrg_error *err)
{
	struct enrg_stats stats = {.sender = sender_of(envelope)};
	struct statistics statistics;

	statistics_parse(envelope->body, STATISTICS_REPORT, &statistics);
	statistics_show_report(&statistics, &stats);
	return job->type->on_stats(job, job->state, &stats, err);
}

static int hand_started(struct enrg_job *job, const struct envelope *envelope, struct enrg_error *err)
{
	const struct enrg_started started = {
		.sender = sender_of(envelope),
		.job = text(envelope->body, "daq_job"),
		.job_type = text(envelope->body, "daq_job_type"),
		.pid = (int64_t)count(envelope->body, "pid"),
		.life = count(envelope->body, "life"),
	};

	return job->type->on_started(job, job->state, &started, err);
}

static int hand_stopped(struct enrg_job *job, const struct envelope *envelope, struct enrg_error *err)
{
	const struct enrg_stopped stopped = {
		.sender = sender_of(envelope),
		.job = text(envelope->body, "daq_job"),
		.job_type = text(envelope->body, "daq_job_type"),
		.how = text(envelope->body, "how"),
		.reason = text(envelope->body, "reason"),
		.is_coming_back = json_is_true(json_object_get(envelope->body, "is_coming_back")),
	};

	return job->type->on_stopped(job, job->state, &stopped, err);
}

static int hand_trace(
	struct enrg_job *job, const struct envelope *envelope, const json_t *event, struct enrg_error *err)
{
	bool is_received = !strcmp(text(event, "event"), "received");
	const struct enrg_trace trace = {
		.sender = sender_of(envelope),
		.event = is_received ? ENRG_TRACE_RECEIVED : ENRG_TRACE_SENT,
		.message_id = text(event, "message_id"),
		.message_type = text(event, "message_type"),
		.source_job = text(event, "source_job"),
		.source_supervisor = envelope->supervisor,
		.dest_job = is_received ? envelope->job : "",
		.dest_supervisor = is_received ? envelope->supervisor : "",
		.sent_ns = count(event, "sent_ns"),
		.received_ns = count(event, "received_ns"),
		.latency_ms = is_received ? number(event, "latency_ms") : 0,
		.size_bytes = count(event, "size_bytes"),
		.rows = count(event, "rows"),
		.sampled_every = count(event, "sampled_every"),
		.seen = count(envelope->body, "seen"),
		.told = count(envelope->body, "told"),
	};

	return job->type->on_trace(job, job->state, &trace, err);
}

static int hand_traces(struct enrg_job *job, const struct envelope *envelope, struct enrg_error *err)
{
	const json_t *events = json_object_get(envelope->body, "events");
	int rc = 0;

	for (size_t i = 0; i < json_array_size(events) && rc >= 0; i++)
		rc = hand_trace(job, envelope, json_array_get(events, i), err);
	return rc;
}

static int hand_other(struct enrg_job *job, const char *topic, const struct envelope *envelope, struct enrg_error *err)
{
	char *json = json_dumps(envelope->body, JSON_COMPACT);
	const struct enrg_message message = {
		.sender = sender_of(envelope), .topic = topic, .kind = envelope->kind, .json = json};
	int rc = json ? job->type->on_message(job, job->state, &message, err) : 0;

	free(json);
	return rc;
}

int reports_hand_over(struct enrg_job *job, const char *topic, const struct envelope *envelope, struct enrg_error *err)
{
	const struct enrg_job_type *type = job->type;

	if (!strcmp(envelope->kind, "alert") && type->on_alert)
		return hand_alert(job, envelope, err);
	if (!strcmp(envelope->kind, "stats") && type->on_stats)
		return hand_stats(job, envelope, err);
	if (!strcmp(envelope->kind, "started") && type->on_started)
		return hand_started(job, envelope, err);
	if (!strcmp(envelope->kind, "stopped") && type->on_stopped)
		return hand_stopped(job, envelope, err);
	if (!strcmp(envelope->kind, "traces") && type->on_trace)
		return hand_traces(job, envelope, err);
	if (!strcmp(envelope->kind, "combined_jobs") && type->on_combined_stats)
		return combined_hand_over(job, envelope, err);
	return type->on_message ? hand_other(job, topic, envelope, err) : 0;
}

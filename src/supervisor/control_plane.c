/* control_plane.c: broker, statistics out, alerts in. Process: supervisor, main thread. */
#include "supervisor/control_plane.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

int control_plane_start(const char *publish_url, const char *subscribe_url, const char *supervisor,
	struct control_plane *ret_control, struct enrg_error *err)
{
	const struct bus_client_params params = {.publish_url = publish_url,
		.subscribe_url = subscribe_url,
		.supervisor = supervisor,
		.job = "supervisor",
		.job_type = "Supervisor"};
	int rc;

	memset(ret_control, 0, sizeof(*ret_control));
	snprintf(ret_control->supervisor, sizeof(ret_control->supervisor), "%s", supervisor);
	ret_control->alerts = json_array();
	rc = broker_start(publish_url, subscribe_url, &ret_control->broker, err);
	if (!rc)
		rc = bus_client_create(&params, &ret_control->client, err);
	if (!rc)
		rc = bus_client_subscribe(ret_control->client, "alerts", err);
	topic_format(ret_control->internal, sizeof(ret_control->internal), "supervisor.%s.internal", supervisor);
	if (!rc)
		rc = bus_client_subscribe(ret_control->client, ret_control->internal, err);
	return rc;
}

void control_plane_stop(struct control_plane *control)
{
	if (control->client)
		bus_client_destroy(control->client);
	if (control->broker)
		broker_stop(control->broker);
	json_decref(control->alerts);
	late_alerts_fini(&control->late);
	memset(control, 0, sizeof(*control));
}

/* Of a status, the least missed first. */
static const char *const long_parts[] = {"ledger.sources", "links", "ledger.processors", "jobs"};
#define LONG_PARTS (sizeof(long_parts) / sizeof(long_parts[0]))

static void format_topic(const struct control_plane *control, char ret_topic[TOPIC_BYTES_MAX])
{
	topic_format(ret_topic, TOPIC_BYTES_MAX, "stats.combined.supervisor.%s", control->supervisor);
}

bool control_plane_is_read(const struct control_plane *control)
{
	char topic[TOPIC_BYTES_MAX];

	format_topic(control, topic);
	return bus_client_is_wanted(control->client, topic);
}

/* The status without the first `count` of what grows with the number of jobs. New reference. */
static json_t *leave_out(const json_t *status, unsigned count)
{
	json_t *rest = json_copy((json_t *)status), *ledger = json_copy(json_object_get(status, "ledger"));
	json_t *names = json_array();

	for (unsigned i = 0; i < count; i++) {
		const char *dot = strchr(long_parts[i], '.');
		json_object_del(dot ? ledger : rest, dot ? dot + 1 : long_parts[i]);
		json_array_append_new(names, json_string(long_parts[i]));
	}
	if (ledger)
		json_object_set_new(rest, "ledger", ledger);
	json_object_set_new(rest, "left_out", names);
	return rest;
}

static int publish_part(struct control_plane *control, const json_t *status, unsigned left_out, struct enrg_error *err)
{
	json_t *rest = left_out ? leave_out(status, left_out) : json_incref((json_t *)status);
	char topic[TOPIC_BYTES_MAX];

	format_topic(control, topic);
	int rc = bus_client_send(control->client, topic, "combined_stats", rest, err);
	json_decref(rest);
	return rc;
}

void control_plane_publish(struct control_plane *control, const json_t *status)
{
	size_t jobs = json_array_size(json_object_get(status, "jobs"));
	unsigned left_out = jobs == control->left_out_for ? control->left_out : 0;
	struct enrg_error err = {0};
	int rc;

	while ((rc = publish_part(control, status, left_out, &err)) == ENRG_E_PROTOCOL && left_out < LONG_PARTS)
		left_out++;
	if (rc)
		log_line(ENRG_DEBUG, "combined statistics not sent: %s", err.text);
	if (left_out && left_out != control->left_out)
		log_line(ENRG_INFO,
			"the figures of %zu jobs are too large for a message: combined_stats has no %s and says so; "
			"status.json and combined_jobs have all of them",
			jobs, long_parts[left_out - 1]);
	control->left_out = left_out;
	control->left_out_for = jobs;
}

void control_plane_publish_jobs(struct control_plane *control, json_t *jobs)
{
	char topic[TOPIC_BYTES_MAX];
	struct enrg_error err = {0};

	format_topic(control, topic);
	if (jobs && bus_client_send(control->client, topic, "combined_jobs", jobs, &err))
		log_line(ENRG_DEBUG, "figures of all jobs not sent: %s", err.text);
	json_decref(jobs);
}

void control_plane_tell_end(struct control_plane *control, const struct member *member)
{
	json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:b}", "daq_job", member->plan->name, "daq_job_type",
		member->plan->type, "how", member->last_exit, "reason", member->last_reason, "is_coming_back",
		member->state == MEMBER_PAUSING);
	struct enrg_error err = {0};

	late_alerts_note_end(&control->late, member->plan->name, clock_mono_ns());
	if (body && bus_client_send(control->client, control->internal, "stopped", body, &err))
		log_line(ENRG_DEBUG, "the end of %s was not sent: %s", member->plan->name, err.text);
	json_decref(body);
}

void control_plane_raise(struct control_plane *control, const struct control_alert *alert)
{
	const char *severity = alert->severity >= ENRG_ERROR     ? "error"
			       : alert->severity == ENRG_WARNING ? "warning"
								 : "info";
	json_t *body = json_pack("{s:s, s:s, s:s, s:f, s:s, s:s}", "daq_job", alert->job, "severity", severity,
		"message", alert->message, "timestamp", (double)clock_wall_ns() / 1e9, "key", alert->key, "event",
		alert->event);
	struct enrg_error err = {0};

	if (!body || bus_client_send(control->client, "alerts", "alert", body, &err))
		log_line(ENRG_DEBUG, "an alert was not sent: %s", err.text);
	json_decref(body);
}

/* Anybody on the bus may send an alert of 1 MiB. What is kept of one is what it has to say, within bounds. */
static json_t *bound_alert(const json_t *body)
{
	static const char *const texts[] = {"daq_job", "severity", "key", "event"};
	json_t *bounded = json_object(), *timestamp = json_object_get(body, "timestamp");
	const char *text = json_string_value(json_object_get(body, "message"));
	char message[CONTROL_PLANE_MESSAGE_MAX], part[256];

	text_copy(message, sizeof(message), text ? text : "");
	json_object_set_new(bounded, "message", json_string(message));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		text = json_string_value(json_object_get(body, texts[i]));
		if (!text)
			continue;
		text_copy(part, sizeof(part), text);
		json_object_set_new(bounded, texts[i], json_string(part));
	}
	if (json_is_number(timestamp))
		json_object_set(bounded, "timestamp", timestamp);
	return bounded;
}

/* For status.json. */
static void list_alert(struct control_plane *control, const json_t *body, const char *sender, uint64_t sent_wall_ns)
{
	const char *job = json_string_value(json_object_get(body, "daq_job"));
	const char *severity = json_string_value(json_object_get(body, "severity"));
	json_t *key = json_object_get(body, "key"), *kept;
	char time[40];

	clock_format_utc(sent_wall_ns, time, sizeof(time));
	control->alert_count++;
	if (json_array_size(control->alerts) >= CONTROL_PLANE_ALERTS_MAX)
		json_array_remove(control->alerts, 0);
	kept = json_pack("{s:s, s:s, s:s, s:O}", "time", time, "severity", severity ? severity : "", "job",
		job && job[0] ? job : sender, "message", json_object_get(body, "message"));
	if (key)
		json_object_set(kept, "key", key);
	json_array_append_new(control->alerts, kept);
}

static void keep_alert(struct control_plane *control, struct envelope *envelope)
{
	json_t *whole = envelope->body, *body = bound_alert(whole);

	envelope->body = body;
	late_alerts_keep(&control->late, envelope, clock_mono_ns());
	envelope->body = whole;
	list_alert(control, body, envelope->job, envelope->sent_wall_ns);
	json_decref(body);
}

void control_plane_keep_alerts(struct control_plane *control, const char *folder)
{
	late_alerts_open(&control->late, folder, clock_mono_ns());
	for (uint32_t i = 0; i < control->late.count; i++) {
		const struct late_alert *alert = late_alerts_get(&control->late, i);

		list_alert(control, alert->body, alert->job, alert->sent_wall_ns);
	}
}

/* An instance of that job is ready, and hears what comes from now on. */
static void note_started(struct control_plane *control, const struct envelope *envelope)
{
	const char *job = json_string_value(json_object_get(envelope->body, "daq_job"));

	if (job && strlen(job) < sizeof(envelope->job) && control->hears_alerts &&
		control->hears_alerts(control->hears_context, job))
		(void)late_alerts_send(&control->late, control->client, job);
}

bool control_plane_collect(struct control_plane *control)
{
	char topic[TOPIC_BYTES_MAX];

	/* Bounded: a job that floods the bus must not keep the supervisor from its work. */
	for (unsigned i = 0; i < CONTROL_PLANE_TURN; i++) {
		struct envelope envelope;
		int rc = bus_client_recv(control->client, 0, topic, sizeof(topic), &envelope, NULL);

		if (rc == 0)
			return false;
		if (rc != 1)
			continue;
		if (!strcmp(envelope.kind, "alert"))
			keep_alert(control, &envelope);
		else if (!strcmp(envelope.kind, "started") && !strcmp(topic, control->internal))
			note_started(control, &envelope);
		else if (control->hear && !strcmp(topic, control->internal))
			control->hear(control->hear_context, &envelope);
		envelope_fini(&envelope);
	}
	return true;
}

/* control_plane.c: broker, statistics out, alerts in. Process: supervisor, main thread. */
#include "supervisor/control_plane.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

int courier_start(const char *publish_url, const char *subscribe_url, const char *supervisor,
	struct courier *ret_courier, struct enrg_error *err)
{
	const struct bus_client_params params = {.publish_url = publish_url,
		.subscribe_url = subscribe_url,
		.supervisor = supervisor,
		.job = "supervisor",
		.job_type = "Supervisor"};
	int code;

	memset(ret_courier, 0, sizeof(*ret_courier));
	snprintf(ret_courier->supervisor, sizeof(ret_courier->supervisor), "%s", supervisor);
	ret_courier->alerts = json_array();
	code = broker_start(publish_url, subscribe_url, &ret_courier->broker, err);
	if (!code)
		code = bus_client_create(&params, &ret_courier->client, err);
	if (!code)
		code = bus_client_subscribe(ret_courier->client, "alerts", err);
	return code;
}

void courier_stop(struct courier *courier)
{
	if (courier->client)
		bus_client_destroy(courier->client);
	if (courier->broker)
		broker_stop(courier->broker);
	json_decref(courier->alerts);
	memset(courier, 0, sizeof(*courier));
}

void courier_publish(struct courier *courier, const json_t *status)
{
	char topic[TOPIC_BYTES_MAX];
	struct enrg_error err = {0};

	topic_format(topic, sizeof(topic), "stats.combined.supervisor.%s", courier->supervisor);
	if (bus_client_send(courier->client, topic, "combined_stats", (json_t *)status, &err))
		log_line(ENRG_DEBUG, "combined statistics not sent: %s", err.text);
}

static void keep_alert(struct courier *courier, const struct envelope *envelope)
{
	const char *severity = json_string_value(json_object_get(envelope->body, "severity"));
	const char *message = json_string_value(json_object_get(envelope->body, "message"));
	char time[40];

	clock_format_utc(envelope->sent_wall_ns, time, sizeof(time));
	courier->alert_count++;
	if (json_array_size(courier->alerts) >= COURIER_ALERTS_MAX)
		json_array_remove(courier->alerts, 0);
	json_array_append_new(
		courier->alerts, json_pack("{s:s, s:s, s:s, s:s}", "time", time, "severity", severity ? severity : "",
					 "job", envelope->job, "message", message ? message : ""));
}

void courier_collect(struct courier *courier)
{
	char topic[TOPIC_BYTES_MAX];

	/* Bounded: a job that floods the bus must not keep the supervisor from its work. */
	for (int i = 0; i < 1000; i++) {
		struct envelope envelope;
		int code = bus_client_recv(courier->client, 0, topic, sizeof(topic), &envelope, NULL);

		if (code == 0)
			return;
		if (code != 1)
			continue;
		if (!strcmp(envelope.kind, "alert"))
			keep_alert(courier, &envelope);
		envelope_fini(&envelope);
	}
}

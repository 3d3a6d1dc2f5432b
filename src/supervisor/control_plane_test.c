/* control_plane_test.c: what a stranger on the bus may make the supervisor keep, and what readers of its figures get.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervisor/control_plane.h"

#define PATIENCE_NS 20000000000u
#define LARGE       900000u /* an envelope has at most 1 MiB */

static char folder[64], publish_url[128], subscribe_url[128];
static struct control_plane control;

static size_t size_of(json_t *json)
{
	char *text = json_dumps(json, JSON_ENCODE_ANY);
	size_t bytes = text ? strlen(text) : 0;

	free(text);
	return bytes;
}

static json_t *make_alert(const char *job, const char *key, const char *message)
{
	json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:f}", "daq_job", job, "severity", "error", "message", message,
		"key", key, "timestamp", 1764281823.5);

	assert_non_null(body);
	return body;
}

/* Until the supervisor has heard of so many. */
static void send_until(struct bus_client *client, json_t *body, uint64_t count)
{
	uint64_t until_ns = clock_mono_ns() + PATIENCE_NS;

	while (control.alert_count < count) {
		assert_int_equal(bus_client_send(client, "alerts", "alert", body, NULL), 0);
		usleep(1000);
		(void)control_plane_collect(&control);
		assert_true(clock_mono_ns() < until_ns);
	}
	json_decref(body);
}

static void a_stranger_fills_no_memory(void **state)
{
	const struct bus_client_params params = {.publish_url = publish_url,
		.subscribe_url = subscribe_url,
		.supervisor = "lab",
		.job = "stranger",
		.job_type = "None"};
	struct bus_client *client;
	char *large = malloc(LARGE + 1);

	(void)state;
	assert_non_null(large);
	memset(large, 'x', LARGE);
	large[LARGE] = '\0';
	assert_int_equal(bus_client_create(&params, &client, NULL), 0);
	/* each of its members in turn; the second one cut inside of a character */
	send_until(client, make_alert(large, "", "short"), control.alert_count + 30);
	for (size_t i = 0; i + 2 < LARGE; i += 2)
		memcpy(large + i, "\xc3\xa4", 2);
	large[LARGE - 2] = '\0';
	send_until(client, make_alert("camera", "", large), control.alert_count + 30);
	send_until(client, make_alert("camera", large, "short"), control.alert_count + 30);
	json_t *body = make_alert("camera", "k", "short");
	json_object_set_new(body, "unknown", json_string(large));
	send_until(client, body, control.alert_count + 30);
	assert_true(size_of(control.alerts) < 100000);
	size_t late = 0;
	for (uint32_t i = 0; i < control.late.count; i++)
		late += size_of(control.late.items[i].body);
	assert_true(late < 64 * 3000);
	/* and what is right is kept as it is */
	send_until(client, make_alert("camera", "silent/camera", "it is silent"), control.alert_count + 1);
	const json_t *last = json_array_get(control.alerts, json_array_size(control.alerts) - 1);
	assert_string_equal(json_string_value(json_object_get(last, "job")), "camera");
	assert_string_equal(json_string_value(json_object_get(last, "key")), "silent/camera");
	assert_string_equal(json_string_value(json_object_get(last, "message")), "it is silent");
	assert_string_equal(json_string_value(json_object_get(last, "severity")), "error");
	bus_client_destroy(client);
	free(large);
}

/* The body of what a reader of the figures gets; of a status with so many jobs. */
static json_t *publish(struct bus_client *reader, size_t job_count)
{
	json_t *jobs = json_array(), *sources = json_array();
	char topic[TOPIC_BYTES_MAX], filler[601];
	uint64_t until_ns = clock_mono_ns() + PATIENCE_NS;
	struct envelope envelope;
	json_t *body = NULL;

	memset(filler, 'x', sizeof(filler) - 1);
	filler[sizeof(filler) - 1] = '\0';
	for (size_t i = 0; i < job_count; i++) {
		json_array_append_new(jobs, json_pack("{s:s}", "name", filler));
		json_array_append_new(sources, json_pack("{s:s}", "source", filler));
	}
	json_t *status = json_pack(
		"{s:o, s:{s:b, s:o}, s:[]}", "jobs", jobs, "ledger", "accounted", 1, "sources", sources, "links");
	assert_non_null(status);
	while (!body) {
		control_plane_publish(&control, status);
		assert_true(clock_mono_ns() < until_ns);
		if (bus_client_recv(reader, 20, topic, sizeof(topic), &envelope, NULL) != 1)
			continue;
		if (!strcmp(envelope.kind, "combined_stats"))
			body = json_incref(envelope.body);
		envelope_fini(&envelope);
	}
	while (bus_client_recv(reader, 0, topic, sizeof(topic), &envelope, NULL) == 1)
		envelope_fini(&envelope);
	json_decref(status);
	return body;
}

/* Whoever reads them gets what fits, and is told what did not. */
static void figures_of_many_jobs_fit(void **state)
{
	const struct bus_client_params params = {.publish_url = publish_url,
		.subscribe_url = subscribe_url,
		.supervisor = "lab",
		.job = "reader",
		.job_type = "None"};
	struct bus_client *reader;

	(void)state;
	assert_int_equal(bus_client_create(&params, &reader, NULL), 0);
	assert_int_equal(bus_client_subscribe(reader, "stats", NULL), 0);
	json_t *few = publish(reader, 10), *many = publish(reader, 1000), *most = publish(reader, 5000);
	assert_int_equal(json_array_size(json_object_get(few, "jobs")), 10);
	assert_null(json_object_get(few, "left_out"));
	assert_int_equal(json_array_size(json_object_get(many, "jobs")), 1000);
	assert_null(json_object_get(json_object_get(many, "ledger"), "sources"));
	assert_true(json_is_true(json_object_get(json_object_get(many, "ledger"), "accounted")));
	assert_string_equal(json_string_value(json_array_get(json_object_get(many, "left_out"), 0)), "ledger.sources");
	assert_null(json_object_get(most, "jobs"));
	assert_int_equal(json_array_size(json_object_get(most, "left_out")), 4);
	json_t *again = publish(reader, 10);
	assert_null(json_object_get(again, "left_out"));
	json_decref(few);
	json_decref(many);
	json_decref(most);
	json_decref(again);
	bus_client_destroy(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stranger_fills_no_memory),
		cmocka_unit_test(figures_of_many_jobs_fit),
	};
	struct enrg_error err = {0};

	strcpy(folder, "/tmp/control_plane_test.XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	snprintf(publish_url, sizeof(publish_url), "ipc://%s/pub", folder);
	snprintf(subscribe_url, sizeof(subscribe_url), "ipc://%s/sub", folder);
	if (control_plane_start(publish_url, subscribe_url, "lab", &control, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	control_plane_stop(&control);
	unlink(publish_url + strlen("ipc://"));
	unlink(subscribe_url + strlen("ipc://"));
	rmdir(folder);
	return failed;
}

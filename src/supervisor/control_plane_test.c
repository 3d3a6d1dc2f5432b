/* control_plane_test.c: what a stranger on the bus may make the supervisor keep. */
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

static char folder[64], publish[128], subscribe[128];
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
	const struct bus_client_params params = {.publish_url = publish,
		.subscribe_url = subscribe,
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stranger_fills_no_memory),
	};
	struct enrg_error err = {0};

	strcpy(folder, "/tmp/control_plane_test.XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	snprintf(publish, sizeof(publish), "ipc://%s/pub", folder);
	snprintf(subscribe, sizeof(subscribe), "ipc://%s/sub", folder);
	if (control_plane_start(publish, subscribe, "lab", &control, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	control_plane_stop(&control);
	unlink(publish + strlen("ipc://"));
	unlink(subscribe + strlen("ipc://"));
	rmdir(folder);
	return failed;
}

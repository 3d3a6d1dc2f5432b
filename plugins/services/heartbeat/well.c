/* well.c: see the header. */
#include "well.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_NS 1000000000ull

bool well_note_error(struct well *well, uint64_t time_ns, const char *job, const char *message)
{
	if (time_ns <= well->acknowledged_ns || time_ns <= well->alarm_ns)
		return false;
	well->alarm_ns = time_ns;
	snprintf(well->alarm, sizeof(well->alarm), "%s: %s", job, message);
	return true;
}

/* "2026-11-28T04:39:59.321Z"; 0: that is none. */
static uint64_t parse_time(const char *text)
{
	struct tm parts = {0};
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) : NULL;
	time_t seconds = rest ? timegm(&parts) : 0;

	if (seconds <= 0)
		return 0;
	return (uint64_t)seconds * SECOND_NS + (uint64_t)(strtod(*rest == '.' ? rest : "0", NULL) * 1e9);
}

static bool note_alert(struct well *well, const json_t *alert)
{
	const char *severity = json_string_value(json_object_get(alert, "severity"));
	const char *job = json_string_value(json_object_get(alert, "job"));
	const char *message = json_string_value(json_object_get(alert, "message"));
	uint64_t time_ns = parse_time(json_string_value(json_object_get(alert, "time")));

	/* with a key it is an alarm of the supervisor, which says itself whether it is on */
	return severity && !strcmp(severity, "error") && job && message && !json_object_get(alert, "key") &&
	       well_note_error(well, time_ns, job, message);
}

static void note_job(struct well *well, const json_t *job)
{
	const char *name = json_string_value(json_object_get(job, "name"));
	const char *state = json_string_value(json_object_get(job, "state"));

	if (name && state && !strcmp(state, "given up"))
		snprintf(well->trouble, sizeof(well->trouble), "%s is given up", name);
}

static void note_alarm(struct well *well, const json_t *alarm)
{
	const char *key = json_string_value(json_object_get(alarm, "key"));
	const char *severity = json_string_value(json_object_get(alarm, "severity"));
	const char *message = json_string_value(json_object_get(alarm, "message"));
	bool is_muted = json_integer_value(json_object_get(alarm, "muted_until_wall_ns")) > 0;

	if (key && severity && message && !strcmp(severity, "error") && json_is_true(json_object_get(alarm, "on")) &&
		!json_is_true(json_object_get(alarm, "acknowledged")) && !is_muted)
		snprintf(well->trouble, sizeof(well->trouble), "alarm %s: %s", key, message);
}

bool well_note_status(struct well *well, const char *text, uint64_t now_ns)
{
	json_t *status = json_loads(text, 0, NULL);
	const json_t *jobs = json_object_get(status, "jobs"), *alerts = json_object_get(status, "alerts"),
		     *alarms = json_object_get(status, "alarms");
	bool is_new = false;

	if (json_is_array(jobs)) {
		well->heard_ns = now_ns;
		well->trouble[0] = '\0';
	}
	for (size_t i = 0; i < json_array_size(jobs); i++)
		note_job(well, json_array_get(jobs, i));
	for (size_t i = 0; i < json_array_size(alarms); i++)
		note_alarm(well, json_array_get(alarms, i));
	for (size_t i = 0; i < json_array_size(alerts); i++)
		is_new |= note_alert(well, json_array_get(alerts, i));
	json_decref(status);
	return is_new;
}

bool well_acknowledge(struct well *well, uint64_t wall_ns)
{
	bool had_one = well->alarm_ns != 0;

	well->acknowledged_ns = wall_ns;
	well->alarm_ns = 0;
	well->alarm[0] = '\0';
	return had_one;
}

bool well_forget(struct well *well, uint64_t patience_ns, uint64_t wall_ns)
{
	if (!well->alarm_ns || !patience_ns || wall_ns < well->alarm_ns + patience_ns)
		return false;
	return well_acknowledge(well, well->alarm_ns);
}

bool well_judge(const struct well *well, uint64_t now_ns, char ret_why[WELL_TEXT_BYTES])
{
	ret_why[0] = '\0';
	if (!well->heard_ns || now_ns - well->heard_ns > WELL_SILENCE_NS)
		snprintf(ret_why, WELL_TEXT_BYTES, "the supervisor is silent");
	else if (well->trouble[0])
		snprintf(ret_why, WELL_TEXT_BYTES, "%s", well->trouble);
	else if (well->alarm_ns)
		snprintf(ret_why, WELL_TEXT_BYTES, "%s", well->alarm);
	return !ret_why[0];
}

char *well_format(const struct well *well)
{
	json_t *json = json_pack("{s:I, s:s, s:I}", "alarm_ns", (json_int_t)well->alarm_ns, "alarm", well->alarm,
		"acknowledged_ns", (json_int_t)well->acknowledged_ns);
	char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;

	json_decref(json);
	return text;
}

void well_parse(struct well *well, const char *text)
{
	json_t *json = text ? json_loads(text, 0, NULL) : NULL;
	json_int_t alarm_ns = json_integer_value(json_object_get(json, "alarm_ns"));
	json_int_t acknowledged_ns = json_integer_value(json_object_get(json, "acknowledged_ns"));
	const char *alarm = json_string_value(json_object_get(json, "alarm"));

	if (alarm_ns >= 0 && acknowledged_ns >= 0 && alarm) {
		well->alarm_ns = (uint64_t)alarm_ns;
		well->acknowledged_ns = (uint64_t)acknowledged_ns;
		snprintf(well->alarm, sizeof(well->alarm), "%s", alarm);
	}
	json_decref(json);
}

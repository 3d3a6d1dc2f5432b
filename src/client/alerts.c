/* alerts.c: follows the alerts that a supervisor keeps. Process: whoever looks from outside. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/client.h"

#define LOOK_NS 100000000u /* status.json is written once a second */

struct enrg_alerts {
	char folder[FIND_PATH_BYTES];
	json_t *kept;   /* array: those that the supervisor had when it was looked at last; NULL = none yet */
	uint64_t total; /* that it had had until then */
	uint64_t next;  /* the number of the alert that is handed out next; the first one is 0 */
	int64_t pid;    /* of the supervisor that counts so */
	bool is_there;
	uint64_t looked_ns;
	struct enrg_client_alert shown;
};

int enrg_alerts_open(struct enrg_client *client, struct enrg_alerts **ret_alerts, struct enrg_error *err)
{
	struct enrg_alerts *alerts = calloc(1, sizeof(*alerts));

	if (!alerts)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	memcpy(alerts->folder, client->folder, sizeof(alerts->folder));
	*ret_alerts = alerts;
	return 0;
}

void enrg_alerts_close(struct enrg_alerts *alerts)
{
	if (!alerts)
		return;
	json_decref(alerts->kept);
	free(alerts);
}

/* 0; -EAGAIN: nobody is there. */
static int look(struct enrg_alerts *alerts, struct enrg_error *err)
{
	json_t *status, *count;
	int64_t pid;
	int rc = client_read_status(alerts->folder, &status, &pid, err);

	alerts->looked_ns = clock_mono_ns();
	alerts->is_there = rc == 0;
	if (rc < 0)
		return rc;
	if (pid != alerts->pid)
		alerts->next = 0; /* a new instance counts anew */
	alerts->pid = pid;
	json_decref(alerts->kept);
	alerts->kept = json_incref(json_object_get(status, "alerts"));
	count = json_object_get(status, "alert_count");
	alerts->total = json_is_integer(count) && json_integer_value(count) >= (json_int_t)json_array_size(alerts->kept)
				? (uint64_t)json_integer_value(count)
				: json_array_size(alerts->kept);
	if (!json_array_size(alerts->kept))
		alerts->next = alerts->total;
	json_decref(status);
	return 0;
}

static const char *text_of(const json_t *alert, const char *key)
{
	const char *text = json_string_value(json_object_get(alert, key));

	return text ? text : "";
}

int enrg_alerts_next(struct enrg_alerts *alerts, const struct enrg_client_alert **ret_alert, struct enrg_error *err)
{
	int rc = 0;

	if (alerts->next >= alerts->total && alerts->is_there && clock_mono_ns() - alerts->looked_ns < LOOK_NS)
		return 0;
	if (alerts->next >= alerts->total)
		rc = look(alerts, err);
	if (rc < 0 || alerts->next >= alerts->total)
		return rc;
	uint64_t first = alerts->total - json_array_size(alerts->kept);
	uint64_t missed = alerts->next < first ? first - alerts->next : 0;
	const json_t *alert = json_array_get(alerts->kept, (size_t)(alerts->next + missed - first));

	alerts->shown = (struct enrg_client_alert){.size = sizeof(alerts->shown),
		.time = text_of(alert, "time"),
		.severity = text_of(alert, "severity"),
		.job = text_of(alert, "job"),
		.message = text_of(alert, "message"),
		.missed = missed};
	alerts->next += missed + 1;
	*ret_alert = &alerts->shown;
	return 1;
}

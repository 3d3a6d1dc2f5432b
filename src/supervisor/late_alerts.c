/* late_alerts.c: a ring of alerts, and who has missed which. */
#include "supervisor/late_alerts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void late_alerts_fini(struct late_alerts *late)
{
	for (uint32_t i = 0; i < LATE_ALERTS_MAX; i++)
		json_decref(late->items[i].body);
	free(late->listeners);
	*late = (struct late_alerts){0};
}

void late_alerts_keep(struct late_alerts *late, const struct envelope *envelope, uint64_t now_ns)
{
	json_t *body = json_copy(envelope->body);
	struct late_alert *place = &late->items[late->next];
	char id[2 * sizeof(envelope->id) + 1];

	if (!body)
		return;
	for (size_t i = 0; i < sizeof(envelope->id); i++)
		snprintf(id + 2 * i, 3, "%02x", envelope->id[i]);
	json_object_set_new(body, "late", json_true());
	json_object_set_new(body, "id", json_string(id));
	json_decref(place->body);
	*place = (struct late_alert){.heard_ns = now_ns, .body = body};
	late->next = (late->next + 1) % LATE_ALERTS_MAX;
	late->count += late->count < LATE_ALERTS_MAX;
}

/* Made where it is not known yet: then it has missed all. NULL: out of memory. */
static struct late_listener *find_listener(struct late_alerts *late, const char *job)
{
	for (uint32_t i = 0; i < late->listener_count; i++)
		if (!strcmp(late->listeners[i].job, job))
			return &late->listeners[i];
	struct late_listener *longer = realloc(late->listeners, (late->listener_count + 1) * sizeof(*longer));
	if (!longer)
		return NULL;
	late->listeners = longer;
	longer[late->listener_count] = (struct late_listener){0};
	snprintf(longer[late->listener_count].job, sizeof(longer->job), "%s", job);
	return &longer[late->listener_count++];
}

void late_alerts_note_end(struct late_alerts *late, const char *job, uint64_t now_ns)
{
	struct late_listener *listener = find_listener(late, job);

	if (listener && listener->gone_ns == UINT64_MAX) /* else it has ended before it was ready */
		listener->gone_ns = now_ns;
}

uint32_t late_alerts_send(struct late_alerts *late, struct bus_client *client, const char *job)
{
	struct late_listener *listener = find_listener(late, job);
	char topic[TOPIC_BYTES_MAX];
	struct enrg_error err = {0};
	uint32_t sent = 0;

	if (!listener || listener->gone_ns == UINT64_MAX)
		return 0;
	topic_format(topic, sizeof(topic), "daq_job.%s", job);
	for (uint32_t i = 0; i < late->count; i++) {
		const struct late_alert *alert =
			&late->items[(late->next + LATE_ALERTS_MAX - late->count + i) % LATE_ALERTS_MAX];
		if (alert->heard_ns < listener->gone_ns)
			continue;
		if (bus_client_send(client, topic, "alert", alert->body, &err))
			log_line(ENRG_DEBUG, "a late alert for %s was not sent: %s", job, err.text);
		sent++;
	}
	listener->gone_ns = UINT64_MAX;
	return sent;
}

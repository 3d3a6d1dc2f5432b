/* control_plane.h: the supervisor's part of the control plane: the broker, its statistics going out, alerts of jobs
 * coming in. Process: supervisor, main thread (the broker forwards on its own). */
#ifndef SUPERVISOR_CONTROL_PLANE_H
#define SUPERVISOR_CONTROL_PLANE_H

#include <jansson.h>
#include <stdbool.h>

#include "bus/bus.h"
#include "supervisor/late_alerts.h"
#include "supervisor/member.h"

#define CONTROL_PLANE_ALERTS_MAX  20u
#define CONTROL_PLANE_MESSAGE_MAX 2000u /* bytes that are kept of what an alert says */
#define CONTROL_PLANE_TURN        500u

struct control_plane {
	struct broker *broker;
	struct bus_client *client;
	json_t *alerts; /* the last ones: {time, severity, job, message} */
	uint64_t alert_count;
	char supervisor[256];
	struct late_alerts late;
	/* Does that job hear alerts? NULL: none does. */
	bool (*hears_alerts)(void *context, const char *job);
	void *hears_context;
	char internal[TOPIC_BYTES_MAX]; /* topic of what is meant for this supervisor */
	/* Gets what comes there; NULL: nobody does yet. */
	void (*hear)(void *context, const struct envelope *envelope);
	void *hear_context;
	/* of combined_stats */
	unsigned left_out;   /* so many of its parts are, since it was too large with them … */
	size_t left_out_for; /* … of so many jobs */
};

int control_plane_start(const char *publish_url, const char *subscribe_url, const char *supervisor,
	struct control_plane *ret_control, struct enrg_error *err);
void control_plane_stop(struct control_plane *control);
/* Takes over the alerts of a killed supervisor that had this runtime folder, and keeps those to come there. */
void control_plane_keep_alerts(struct control_plane *control, const char *folder);
/* "combined_stats" on stats.combined.supervisor.<id>; where it is too large for a message without its longest lists,
 * which `left_out` names. */
void control_plane_publish(struct control_plane *control, const json_t *status);
/* "combined_jobs" there (combined.h), for services; takes the object. */
void control_plane_publish_jobs(struct control_plane *control, json_t *jobs);
/* Does anybody read what control_plane_publish sends? */
bool control_plane_is_read(const struct control_plane *control);
/* "stopped" on supervisor.<id>.internal: an instance of a job has ended. */
void control_plane_tell_end(struct control_plane *control, const struct member *member);
/* "alert" on `alerts`, which the supervisor hears too: of its own. `key` and `event` as in enrgdaq/message.h. */
struct control_alert {
	const char *job, *message, *key, *event;
	enum enrg_level severity;
};
void control_plane_raise(struct control_plane *control, const struct control_alert *alert);
/* Takes what came in, at most CONTROL_PLANE_TURN messages: true where there may be more, of which no descriptor tells.
 * Alerts are kept for status.json; the job that raised one has logged it already. */
bool control_plane_collect(struct control_plane *control);

#endif
